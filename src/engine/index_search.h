// The nearest vectors of one indexed source: candidates by estimated distances, through its graph
// or through all of its codes, compared exactly as long as they could still be among the nearest.
//
// An estimate's spread is known (index/codes/code_space.h), and says how far down the list of
// candidates a nearest one may hide: few are compared where vectors lie apart, many where they lie
// closer together than codes can tell.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/code_scan.h"
#include "engine/vector_index.h"
#include "index/exact_scan.h"
#include "index/graph/graph_walk.h"
#include "index/graph/visited_nodes.h"
#include "types/metric.h"
#include "types/search_plan.h"

namespace akidb::engine {

struct IndexQuery {
  Metric metric = Metric::kCosine;
  std::span<const float> vector;  // as it is compared with stored ones; borrowed
  size_t k = 0;                   // nearest vectors that are wanted
  size_t ef = 0;                  // candidates of a walk; 0: the default
  double recall = 0;              // to be found, at least, where ef is 0; 0: the default
  // A number that walks take for one that isn't there; the gate must not admit it.
  std::optional<uint32_t> without{};
};

// What a search has done.
struct IndexWork {
  SearchWay way = SearchWay::kNothing;
  size_t ef = 0;  // of the last walk
  uint64_t walks = 0;
  uint64_t estimated = 0;  // distances by codes
  uint64_t compared = 0;   // vectors
  uint64_t bytes = 0;      // of codes, links and vectors
  double recall = 1;       // as it was measured of this index, or follows from the codes' spread
};

// Which numbers may be in the answer.
struct IndexCandidates {
  index::RowGate& gate;
  // The gate admits every number.
  bool gate_is_open = false;
  // The gate answers so fast that a walk may ask about every number that it comes near.
  bool gate_is_fast = false;
  // All numbers that the gate may admit, ascending, and how many there are; empty: any.
  std::function<std::vector<uint32_t>()> list{};
  uint64_t listed = 0;
  // About which share of all numbers the gate admits.
  double admitted_share = 1;
};

// Compares a number's vector exactly, and keeps the nearest.
class ExactComparison {
 public:
  virtual ~ExactComparison() = default;
  // A gate has admitted the number.
  virtual Status Compare(uint32_t number) = 0;
  // What is farther can't be among the nearest any more.
  virtual float bound() const = 0;
  // Whether vectors may have to be read from a device. Then those that will probably be compared
  // next are told before, to be read at once.
  virtual bool may_be_cold() const = 0;
  virtual Status Expect(std::span<const uint32_t> numbers) = 0;
};

// One query against one source. Not thread-safe.
class IndexSearch {
 public:
  // All outlive the search.
  IndexSearch(const RequestContext& context, const IndexQuery& query, const VectorIndex& index)
      : context_(context), query_(query), index_(index) {}

  // Whether the index is worth asking: where the vectors are few, or nearly all would be compared
  // anyway, reading them at once is as fast, and sees all of them.
  bool IsWorthwhile() const;

  // Each number that may be among the nearest is compared once.
  Status Find(const IndexCandidates& candidates, ExactComparison& exact);
  // Find in two parts, so that the searches of a batch read the codes of a source together. Begin
  // is true when all is done; else ScanTogether is to be called, for which both arguments stay.
  Result<bool> Begin(const IndexCandidates& candidates, ExactComparison& exact);
  // What is left of these searches, of the same index. The context's error when the answer is no
  // longer wanted.
  static Status ScanTogether(const RequestContext& context, std::span<IndexSearch* const> searches);
  // Of the last Find or Begin.
  const IndexWork& work() const { return work_; }

 private:
  // Whether estimates and graph are of another distance than the query's: Manhattan's by Euclid's.
  bool IsByProxy() const;
  bool MayWalk(const IndexCandidates& candidates) const;
  // Candidates that a walk begins with; nothing if none is known to find what is wanted.
  std::optional<size_t> FirstEf() const;
  // False if it was given up: a scan is faster than what it would still have to look at.
  Result<bool> Walk(const IndexCandidates& candidates, ExactComparison& exact);
  // One round of it, with a gate or without; false when it looked at too many.
  Result<bool> WalkOnce(index::GraphWalk& walk, size_t ef, index::NodeGate* gate);
  void NoteWalk(size_t ef, uint64_t visits, uint64_t expansions);
  // Walks without the gate, and asks it about what was found.
  enum class Outcome : uint8_t { kFound, kLieBehind, kTooMany };
  Result<Outcome> WalkThenAsk(const IndexCandidates& candidates, size_t ef, ExactComparison& exact);
  Result<Outcome> WalkGated(const IndexCandidates& candidates, size_t ef, ExactComparison& exact);
  // Of the nearest, before and after those that a walk found were compared.
  struct Bounds {
    float before;
    float after;
  };
  // Whether nothing nearer than what has been compared can be beyond the last of these.
  bool ReachesFarEnough(std::span<const index::Candidate> found, size_t ef,
                        const Bounds& bounds) const;
  // Whether most of what is nearer than the nearest of `found` was rejected.
  bool LieBehind(std::span<const index::Candidate> found, std::span<const uint32_t> rejected,
                 double admitted_share) const;
  Status Compare(uint32_t number, ExactComparison& exact);
  // What the gate admits of candidates, nearest first, and among how many of the nearest the wanted
  // number of them is; nothing where there are fewer, 0 where the gate is open.
  struct Asked {
    std::span<const index::Candidate> admitted;  // `found` itself, or in admitted_
    std::optional<size_t> among;
  };
  Asked Ask(std::span<const index::Candidate> found, const IndexCandidates& candidates);
  size_t Wanted() const;  // k, or as many as there are
  Status CompareFound(std::span<const index::Candidate> found, ExactComparison& exact);
  // Tells which of the candidates from `first` on will probably be compared, and returns the first
  // one that it hasn't looked at.
  Result<size_t> Expect(size_t first, size_t count, const std::function<Near(size_t)>& candidate,
                        ExactComparison& exact) const;
  double ShareOf(const IndexCandidates& candidates) const;
  // Candidates that are looked at for each hit by a walk of `ef`, and those of a walk that a gate
  // is asked about afterwards.
  double AskedPerHit(double ef) const;
  double EfToAsk(double ef, const IndexCandidates& candidates) const;
  // Whether estimating the listed numbers takes less time than a walk.
  bool ListIsFaster(const IndexCandidates& candidates) const;
  // Those that may be nearer than the bound.
  Status CompareNear(std::vector<Near> near, ExactComparison& exact);
  // Of the rows that the graph leaves aside, those that may be nearer than the bound.
  Status CompareLong(const IndexCandidates& candidates, ExactComparison& exact);
  Status FinerDistances(std::span<const uint32_t> nodes, float* distances) const;
  // By the finer codes.
  Result<std::vector<Near>> Refine(std::span<const uint32_t> nodes);
  // Every candidate exactly: where codes say nothing about how far one may be.
  Status CompareAll(const IndexCandidates& candidates, ExactComparison& exact);
  Status ScanListed(const IndexCandidates& candidates, ExactComparison& exact);
  CodeScan NewScan(const IndexCandidates& candidates, const ExactComparison& exact);
  void NoteScan(SearchWay way, uint64_t codes);
  Status CompareScanned(CodeScan& scan, ExactComparison& exact);

  const RequestContext& context_;
  const IndexQuery& query_;
  const VectorIndex& index_;
  IndexWork work_;
  index::CodeQuery prepared_;
  index::CodeQuery prepared_second_;
  size_t ef_least_ = 0;       // of the walk that may be the last
  uint64_t visits_left_ = 0;  // of the walks that may still be made
  index::VisitedNodes compared_;
  std::vector<index::Candidate> admitted_;
  // Of a search that is to scan all codes.
  struct {
    const IndexCandidates* candidates = nullptr;
    ExactComparison* exact = nullptr;
  } left_;
};

}  // namespace akidb::engine
