#include "engine/index_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <queue>

#include "index/graph/graph_walk.h"

namespace akidb::engine {
namespace {

// A walk's candidates when the request names no number: recall of 10 at 0.98 and above on real text
// (docs/internals/index.md).
constexpr size_t kEfDefault = 100;
// Spreads by which a candidate's distance may be smaller than its estimate: hardly one in a
// thousand is smaller yet.
constexpr float kSpreads = 3;
// By which the last candidate of a walk is to be beyond the nearest ones: else estimates may have
// kept others out, and the walk is done again with more candidates.
constexpr float kSpreadsBehind = 1;
// An index is left alone, and so is a graph, where one in so many vectors would be compared.
constexpr size_t kShareMax = 4;
// Vectors of fewer bytes are read as fast as their codes.
constexpr size_t kExactBytesMax = size_t{4} << 20;
// Compared for each of the nearest, roughly: to guess what is worthwhile.
constexpr size_t kComparedPerHit = 4;
// A walk gives up when it has estimated the distances of one in so many vectors.
constexpr uint64_t kVisitShare = 4;
constexpr uint32_t kChunk = 256;
// Numbers between two looks at the request.
constexpr uint32_t kCheckNumbers = 64 << 10;
// Candidates of a scan are thinned out when they have become so many more.
constexpr size_t kNearMin = 4096;

// Where a gate rejects so many times more vectors nearer than the nearest admitted ones than its
// share of all leads to expect, and some, what it admits lies behind what it doesn't: there a walk
// gathers candidates from wherever it gets to first, and stops.
constexpr double kRejectedMax = 2;
constexpr double kRejectedMore = 16;
constexpr size_t kNearestMin = 16;
constexpr double kShareLeast = 0.01;

class NodeGateOf final : public index::NodeGate {
 public:
  NodeGateOf(index::RowGate& gate, const VectorIndex& index) : gate_(gate), index_(index) {}
  bool Admits(uint32_t node) override {
    const bool admits = gate_.Admits(index_.NumberOf(node));
    if (!admits) rejected_.push_back(node);
    return admits;
  }
  std::span<const uint32_t> rejected() const { return rejected_; }
  void Forget() { rejected_.clear(); }

 private:
  index::RowGate& gate_;
  const VectorIndex& index_;
  std::vector<uint32_t> rejected_;  // since Forget
};

// The k-th least of the greatest distances that candidates may have: what may not be nearer than
// that need not be looked at. Memory grows with what is offered.
class KthGreatest {
 public:
  explicit KthGreatest(size_t k) : k_(k) {}
  void Offer(float distance) {
    if (distances_.size() == k_ && !(distance < distances_.top())) return;
    distances_.push(distance);
    if (distances_.size() > k_) distances_.pop();
  }
  float bound() const {
    return distances_.size() < k_ ? std::numeric_limits<float>::infinity() : distances_.top();
  }

 private:
  const size_t k_;
  std::priority_queue<float> distances_;
};

}  // namespace

struct IndexSearch::Near {
  float least = 0;
  uint32_t number = 0;
  friend bool operator<(const Near& a, const Near& b) {
    return a.least != b.least ? a.least < b.least : a.number < b.number;
  }
};

bool IndexSearch::IsWorthwhile() const {
  const size_t count = index_.codes.count();
  if (query_.k == 0 || query_.k > count / (kComparedPerHit * kShareMax)) return false;
  if (IsByProxy()) return index_.graph.has_value();
  return index_.graph || count * query_.vector.size() * sizeof(float) > kExactBytesMax;
}

Status IndexSearch::Find(const IndexCandidates& candidates, ExactComparison& exact) {
  prepared_ =
      index_.section.space->Prepare(IsByProxy() ? Metric::kEuclid : query_.metric, query_.vector);
  if (MayWalk(candidates)) {
    AKIDB_ASSIGN_OR_RETURN(bool found, Walk(candidates, exact));
    if (found) return OkStatus();
  } else {
    compared_.Reset(index_.codes.count());
  }
  return IsByProxy() ? CompareAll(candidates, exact) : Scan(candidates, exact);
}

bool IndexSearch::IsByProxy() const { return query_.metric == Metric::kManhattan; }

bool IndexSearch::MayWalk(const IndexCandidates& candidates) const {
  return index_.graph && !candidates.only && (candidates.gate_is_open || candidates.gate_is_fast);
}

Result<bool> IndexSearch::Walk(const IndexCandidates& candidates, ExactComparison& exact) {
  const size_t count = index_.codes.count();
  compared_.Reset(index_.codes.count());
  NodeGateOf gate(candidates.gate, index_);
  index::WalkOptions options;
  options.gate = candidates.gate_is_open ? nullptr : &gate;
  options.visits_max = count / kVisitShare;
  index::GraphWalk walk;
  const size_t least = std::max(query_.ef > 0 ? query_.ef : kEfDefault, query_.k);
  const size_t first = IsByProxy() ? std::max(least / 2, query_.k) : least;
  for (size_t ef = std::min(first, count); ef <= count / kShareMax; ef *= 2) {
    options.ef = static_cast<uint32_t>(ef);
    const float before = exact.bound();
    gate.Forget();
    AKIDB_ASSIGN_OR_RETURN(bool complete,
                           walk.Run(context_, {*index_.graph, index_.codes, prepared_}, options));
    const std::span<const index::Candidate> found = walk.found();
    if (!complete || found.size() < std::min(ef, query_.k)) return false;
    if (LieBehind(found, gate.rejected(), candidates.admitted_share)) return false;
    AKIDB_RETURN_IF_ERROR(CompareFound(found, exact));
    if (found.size() < ef) return true;
    if (ef >= least && !MayLieBeyond(found.back(), before, exact)) return true;
  }
  return false;
}

// What estimates of another distance say of this one can't be bounded: there, a walk that finds
// nothing nearer than the one before with half as many candidates was the last.
bool IndexSearch::MayLieBeyond(const index::Candidate& last, float before,
                               const ExactComparison& exact) const {
  if (IsByProxy()) return exact.bound() < before;
  const float behind = last.distance - kSpreadsBehind * index_.codes.Spread(prepared_, last.node);
  return behind <= exact.bound();
}

bool IndexSearch::LieBehind(std::span<const index::Candidate> found,
                            std::span<const uint32_t> rejected, double admitted_share) const {
  if (rejected.empty() || found.empty()) return false;
  const size_t nearest = std::min(std::max(query_.k, kNearestMin), found.size());
  const double expected =
      static_cast<double>(nearest) * (1 / std::max(admitted_share, kShareLeast) - 1);
  std::vector<float> distances(rejected.size());
  index_.codes.Distances(prepared_, rejected, distances.data());
  const auto nearer = std::count_if(distances.begin(), distances.end(), [&](float distance) {
    return distance < found[nearest - 1].distance;
  });
  return static_cast<double>(nearer) > kRejectedMax * expected + kRejectedMore;
}

// Nearest first, so that the bound falls early.
Status IndexSearch::CompareFound(std::span<const index::Candidate> found, ExactComparison& exact) {
  for (const index::Candidate& candidate : found) {
    const float least =
        candidate.distance - kSpreads * index_.codes.Spread(prepared_, candidate.node);
    if (!IsByProxy() && least > exact.bound()) continue;
    const uint32_t number = index_.NumberOf(candidate.node);
    if (compared_.Add(number)) AKIDB_RETURN_IF_ERROR(exact.Compare(number));
  }
  return OkStatus();
}

Status IndexSearch::CompareAll(const IndexCandidates& candidates, ExactComparison& exact) {
  const uint32_t count =
      candidates.only ? static_cast<uint32_t>(candidates.only->size()) : index_.codes.count();
  for (uint32_t i = 0; i < count; ++i) {
    if (i % kCheckNumbers == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    const uint32_t number = candidates.only ? (*candidates.only)[i] : i;
    if (!candidates.gate.Admits(number) || !compared_.Add(number)) continue;
    AKIDB_RETURN_IF_ERROR(exact.Compare(number));
  }
  return OkStatus();
}

Status IndexSearch::Scan(const IndexCandidates& candidates, ExactComparison& exact) {
  const index::CodeArray& codes = index_.codes;
  const uint32_t count =
      candidates.only ? static_cast<uint32_t>(candidates.only->size()) : codes.count();
  KthGreatest greatest(query_.k);
  std::vector<Near> near;
  size_t thin_out_at = kNearMin;
  std::array<float, kChunk> distances;
  std::array<uint32_t, kChunk> nodes;
  for (uint32_t first = 0; first < count; first += kChunk) {
    if (first % kCheckNumbers == 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    const uint32_t chunk = std::min(kChunk, count - first);
    for (uint32_t i = 0; i < chunk; ++i) {
      nodes[i] = candidates.only ? index_.NodeOf((*candidates.only)[first + i]) : first + i;
    }
    if (candidates.only) {
      codes.Distances(prepared_, std::span(nodes).first(chunk), distances.data());
    } else {
      codes.Distances(prepared_, first, std::span(distances).first(chunk));
    }
    float bound = std::min(greatest.bound(), exact.bound());
    for (uint32_t i = 0; i < chunk; ++i) {
      const float spread = kSpreads * codes.Spread(prepared_, nodes[i]);
      // What is not a number may be anything.
      if (distances[i] - spread > bound) continue;
      const uint32_t number = index_.NumberOf(nodes[i]);
      if (!candidates.gate.Admits(number)) continue;
      if (std::isnan(distances[i])) {
        near.push_back({-std::numeric_limits<float>::infinity(), number});
        continue;
      }
      near.push_back({distances[i] - spread, number});
      greatest.Offer(distances[i] + spread);
      bound = std::min(bound, greatest.bound());
    }
    if (near.size() < thin_out_at) continue;
    std::erase_if(near, [&](const Near& candidate) { return candidate.least > bound; });
    thin_out_at = std::max(2 * near.size(), kNearMin);
  }
  std::sort(near.begin(), near.end());
  for (const Near& candidate : near) {
    if (candidate.least > exact.bound()) break;
    if (compared_.Add(candidate.number)) AKIDB_RETURN_IF_ERROR(exact.Compare(candidate.number));
  }
  return OkStatus();
}

}  // namespace akidb::engine
