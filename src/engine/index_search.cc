#include "engine/index_search.h"

#include <algorithm>
#include <array>

#include "index/graph/graph_walk.h"

namespace akidb::engine {
namespace {

// A walk's candidates when the request names no number: recall of 10 at 0.98 and above on real text
// (docs/internals/index.md).
constexpr size_t kEfDefault = 100;
// Of a walk's candidates, this share is compared exactly: estimates rarely misplace more.
constexpr size_t kRerankShare = 3;
constexpr size_t kRerankPerHit = 2;
// Of a scan's: it sees every code once, so that only the estimates' errors are to be made good.
constexpr size_t kScanRerankPerHit = 4;
constexpr size_t kScanRerankMin = 64;
// An index is left alone where more than this share of the vectors would be read anyway.
constexpr size_t kShareMax = 4;
// Numbers between two looks at the request.
constexpr uint32_t kCheckNumbers = 64 << 10;
constexpr uint32_t kChunk = 256;
// A walk among admitted vectors gives up when it has looked at one in so many of all: then they lie
// far from the query, and a scan is faster than what it would still have to look at.
constexpr uint64_t kVisitShare = 4;

class NodeGateOf final : public index::NodeGate {
 public:
  explicit NodeGateOf(index::RowGate& gate) : gate_(gate) {}
  bool Admits(uint32_t node) override { return gate_.Admits(node); }

 private:
  index::RowGate& gate_;
};

}  // namespace

size_t IndexSearch::Ef() const {
  return std::max(query_.ef > 0 ? query_.ef : kEfDefault, query_.k);
}

bool IndexSearch::IsWorthwhile(const VectorIndex& index) const {
  const size_t reread = std::max(kScanRerankPerHit * query_.k, kScanRerankMin);
  return query_.k > 0 && reread * kShareMax <= index.codes.count();
}

Result<std::span<const uint32_t>> IndexSearch::Find(const VectorIndex& index,
                                                    const IndexCandidates& candidates) {
  found_.clear();
  const index::CodeQuery prepared = index.section.space->Prepare(query_.metric, query_.vector);
  const bool walk = index.graph && !candidates.only && Ef() * kShareMax <= index.codes.count() &&
                    (candidates.gate == nullptr || candidates.gate_is_fast);
  if (walk && candidates.gate == nullptr) {
    AKIDB_RETURN_IF_ERROR(Walk(index, prepared, candidates.dead));
    return std::span<const uint32_t>(found_);
  }
  bool found = false;
  if (walk) {
    AKIDB_ASSIGN_OR_RETURN(found, WalkAdmitted(index, prepared, *candidates.gate));
  }
  if (!found) AKIDB_RETURN_IF_ERROR(Scan(index, prepared, candidates));
  return std::span<const uint32_t>(found_);
}

void IndexSearch::Take(std::span<const index::Candidate> candidates) {
  for (const index::Candidate& candidate : candidates) found_.push_back(candidate.node);
}

Status IndexSearch::Walk(const VectorIndex& index, const index::CodeQuery& prepared,
                         uint64_t dead) {
  // Dead vectors lie among the living ones evenly, or nearly: so many more candidates leave as many
  // living ones.
  const size_t count = index.codes.count();
  const size_t living = std::max<size_t>(count - std::min<size_t>(dead, count), 1);
  const size_t stretch = std::min<size_t>((count + living - 1) / living, kShareMax);
  index::WalkOptions options;
  options.ef = static_cast<uint32_t>(dead == 0 ? Ef() : Ef() * stretch);
  index::GraphWalk graph_walk;
  Result<bool> complete = graph_walk.Run(context_, {*index.graph, index.codes, prepared}, options);
  if (!complete.ok()) return complete.status();
  const std::span<const index::Candidate> candidates = graph_walk.found();
  size_t reread = std::max(options.ef / kRerankShare, kRerankPerHit * query_.k);
  if (dead > 0) reread *= 2;
  Take(candidates.first(std::min(reread, candidates.size())));
  return OkStatus();
}

Result<bool> IndexSearch::WalkAdmitted(const VectorIndex& index, const index::CodeQuery& prepared,
                                       index::RowGate& gate) {
  NodeGateOf node_gate(gate);
  index::WalkOptions options;
  options.ef = static_cast<uint32_t>(Ef());
  options.gate = &node_gate;
  options.visits_max = index.codes.count() / kVisitShare;
  index::GraphWalk graph_walk;
  AKIDB_ASSIGN_OR_RETURN(bool complete,
                         graph_walk.Run(context_, {*index.graph, index.codes, prepared}, options));
  const std::span<const index::Candidate> candidates = graph_walk.found();
  if (!complete || candidates.size() < query_.k) return false;
  const size_t reread = std::max(options.ef / kRerankShare, kRerankPerHit * query_.k);
  Take(candidates.first(std::min(reread, candidates.size())));
  return true;
}

Status IndexSearch::Scan(const VectorIndex& index, const index::CodeQuery& prepared,
                         const IndexCandidates& candidates) {
  index::RowGate* const gate = candidates.gate;
  index::CandidatePool pool;
  pool.Reset(std::max(kScanRerankPerHit * query_.k, kScanRerankMin));
  std::array<float, kChunk> distances;
  const uint32_t count =
      candidates.only ? static_cast<uint32_t>(candidates.only->size()) : index.codes.count();
  for (uint32_t first = 0; first < count; first += kChunk) {
    if (first % kCheckNumbers == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    const uint32_t chunk = std::min(kChunk, count - first);
    if (candidates.only) {
      index.codes.Distances(prepared, candidates.only->subspan(first, chunk), distances.data());
    } else {
      index.codes.Distances(prepared, first, std::span(distances).first(chunk));
    }
    for (uint32_t i = 0; i < chunk; ++i) {
      if (!(distances[i] < pool.bound())) continue;
      const uint32_t number = candidates.only ? (*candidates.only)[first + i] : first + i;
      if (gate == nullptr || gate->Admits(number)) pool.Offer({distances[i], number});
    }
  }
  Take(pool.candidates());
  return OkStatus();
}

}  // namespace akidb::engine
