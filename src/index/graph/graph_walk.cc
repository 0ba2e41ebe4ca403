#include "index/graph/graph_walk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace akidb::index {
namespace {

// Expansions between two looks at the request: some tens of microseconds.
constexpr uint64_t kCheckExpansions = 64;

constexpr uint32_t kLinksPerLine = 64 / sizeof(uint32_t);

// Asks memory for the links of a node. Always inline: g++ 12 leaves out the call of a function that
// only prefetches, as one without effect.
[[gnu::always_inline]] inline void AskLinks(const GraphView& graph, uint32_t node) {
  const uint32_t* const links = graph.links.data() + size_t{node} * graph.degree;
  for (uint32_t i = 0; i < graph.degree; i += kLinksPerLine) __builtin_prefetch(links + i);
}

constexpr auto kFarther = [](const Candidate& a, const Candidate& b) { return b < a; };

}  // namespace

Result<bool> GraphWalk::Run(const RequestContext& context, const WalkInput& input,
                            const WalkOptions& options) {
  const GraphView& graph = input.graph;
  AKIDB_CHECK(options.ef > 0 && graph.nodes() == input.codes.count());
  visits_ = 0;
  expansions_ = 0;
  found_ = {};
  visited_.Reset(graph.nodes());
  if (options.without != kNoNode) visited_.Add(options.without);
  distances_.resize(std::max<size_t>(graph.degree, graph.entries.size()));
  return options.gate == nullptr ? WalkAll(context, input, options)
                                 : WalkGated(context, input, options);
}

void GraphWalk::Begin(const WalkInput& input) {
  const std::span<const uint32_t> fresh = Look(input, input.graph.entries);
  frontier_.clear();
  for (size_t i = 0; i < fresh.size(); ++i) frontier_.push_back({distances_[i], fresh[i]});
}

std::span<const uint32_t> GraphWalk::Look(const WalkInput& input, std::span<const uint32_t> nodes) {
  const std::span<const uint32_t> fresh = visited_.AddNew(nodes);
  input.codes.Distances(input.query, fresh, distances_.data());
  visits_ += fresh.size();
  return fresh;
}

std::span<const uint32_t> GraphWalk::Expand(const WalkInput& input, uint32_t node) {
  ++expansions_;
  return Look(input, input.graph.LinksOf(node));
}

void GraphWalk::See(const WalkInput& input, uint32_t node, std::vector<uint32_t>& fresh) {
  const std::span<const uint32_t> links = visited_.AddNew(input.graph.LinksOf(node));
  input.codes.Prefetch(links);
  fresh.assign(links.begin(), links.end());
}

// Before the kernel waits for the codes of the present node's links, those of the next one's are
// asked for, if this one was foreseen: early in a walk what comes next is rarely known. Nothing
// else comes of it: what was seen in vain is forgotten, and each node is expanded in its turn.
Result<bool> GraphWalk::WalkAll(const RequestContext& context, const WalkInput& input,
                                const WalkOptions& options) {
  pool_.Reset(options.ef);
  Begin(input);
  for (const Candidate& start : frontier_) pool_.Offer(start);
  uint32_t node;
  std::array<uint32_t, 2> next = {kNoNode, kNoNode};
  bool saw_ahead = false;
  bool complete = true;
  for (uint64_t expansions = 1; complete && pool_.Next(node); ++expansions) {
    if (expansions % kCheckExpansions == 0) AKIDB_RETURN_IF_ERROR(context.Check());
    ++expansions_;
    const bool foreseen = node == next[0];
    if (foreseen && saw_ahead) {
      std::swap(here_, ahead_);
    } else {
      if (saw_ahead) visited_.Forget(ahead_);
      See(input, node, here_);
    }
    next = {kNoNode, kNoNode};
    pool_.Peek(next);
    saw_ahead = foreseen && next[0] != kNoNode;
    if (saw_ahead) See(input, next[0], ahead_);
    const uint32_t unseen = saw_ahead ? next[1] : next[0];
    if (unseen != kNoNode) AskLinks(input.graph, unseen);
    input.codes.Distances(input.query, here_, distances_.data());
    visits_ += here_.size();
    for (size_t i = 0; i < here_.size(); ++i) pool_.Offer({distances_[i], here_[i]});
    uint32_t nearest;
    if (pool_.Peek({&nearest, 1}) > 0) AskLinks(input.graph, nearest);
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
    const std::span<const uint32_t> fresh = Expand(input, nearest.node);
    for (size_t i = 0; i < fresh.size(); ++i) {
      const Candidate candidate{distances_[i], fresh[i]};
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
