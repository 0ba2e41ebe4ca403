#include "index/graph/graph_walk.h"

#include <algorithm>

#include "base/check.h"

namespace akidb::index {
namespace {

// Expansions between two looks at the request: some tens of microseconds.
constexpr uint64_t kCheckExpansions = 64;

constexpr auto kFarther = [](const Candidate& a, const Candidate& b) { return b < a; };

}  // namespace

Result<bool> GraphWalk::Run(const RequestContext& context, const WalkInput& input,
                            const WalkOptions& options) {
  const GraphView& graph = input.graph;
  AKIDB_CHECK(options.ef > 0 && graph.nodes() == input.codes.count());
  visits_ = 0;
  found_ = {};
  visited_.Reset(graph.nodes());
  fresh_.resize(std::max<size_t>(graph.degree, graph.entries.size()));
  distances_.resize(fresh_.size());
  return options.gate == nullptr ? WalkAll(context, input, options)
                                 : WalkGated(context, input, options);
}

void GraphWalk::Begin(const WalkInput& input) {
  const std::span<const uint32_t> entries = input.graph.entries;
  input.codes.Distances(input.query, entries, distances_.data());
  visits_ += entries.size();
  frontier_.clear();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (visited_.Add(entries[i])) frontier_.push_back({distances_[i], entries[i]});
  }
}

size_t GraphWalk::Expand(const WalkInput& input, uint32_t node) {
  size_t count = 0;
  uint32_t* const fresh = fresh_.data();
  for (uint32_t neighbour : input.graph.LinksOf(node)) {
    if (neighbour == kNoNode) break;
    if (!visited_.Add(neighbour)) continue;
    fresh[count++] = neighbour;
  }
  input.codes.Distances(input.query, {fresh, count}, distances_.data());
  visits_ += count;
  return count;
}

Result<bool> GraphWalk::WalkAll(const RequestContext& context, const WalkInput& input,
                                const WalkOptions& options) {
  pool_.Reset(options.ef);
  Begin(input);
  for (const Candidate& start : frontier_) pool_.Offer(start);
  uint32_t node;
  bool complete = true;
  for (uint64_t expansions = 1; complete && pool_.Next(node); ++expansions) {
    if (expansions % kCheckExpansions == 0) AKIDB_RETURN_IF_ERROR(context.Check());
    uint32_t next;
    if (pool_.Peek(next)) {
      __builtin_prefetch(&input.graph.links[size_t{next} * input.graph.degree]);
    }
    const size_t fresh = Expand(input, node);
    for (size_t i = 0; i < fresh; ++i) pool_.Offer({distances_[i], fresh_[i]});
    complete = visits_ < options.visits_max;
  }
  found_ = pool_.candidates();
  return complete;
}

// The answer's pool takes admitted nodes only; the frontier takes all that could lead to one.
Result<bool> GraphWalk::WalkGated(const RequestContext& context, const WalkInput& input,
                                  const WalkOptions& options) {
  pool_.Reset(options.ef);
  Begin(input);
  for (const Candidate& start : frontier_) {
    if (options.gate->Admits(start.node)) pool_.Offer(start);
  }
  std::make_heap(frontier_.begin(), frontier_.end(), kFarther);
  bool complete = true;
  for (uint64_t expansions = 1; complete && !frontier_.empty(); ++expansions) {
    if (expansions % kCheckExpansions == 0) AKIDB_RETURN_IF_ERROR(context.Check());
    const Candidate nearest = frontier_.front();
    if (nearest.distance > pool_.bound()) break;
    std::pop_heap(frontier_.begin(), frontier_.end(), kFarther);
    frontier_.pop_back();
    const size_t fresh = Expand(input, nearest.node);
    for (size_t i = 0; i < fresh; ++i) {
      const Candidate candidate{distances_[i], fresh_[i]};
      if (!(candidate.distance < pool_.bound())) continue;
      frontier_.push_back(candidate);
      std::push_heap(frontier_.begin(), frontier_.end(), kFarther);
      if (options.gate->Admits(candidate.node)) pool_.Offer(candidate);
    }
    complete = visits_ < options.visits_max;
  }
  found_ = pool_.candidates();
  return complete;
}

}  // namespace akidb::index
