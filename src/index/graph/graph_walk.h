// Best-first search through a graph by estimated distances: Malkov, Yashunin, "Efficient and robust
// approximate nearest neighbor search using Hierarchical Navigable Small World graphs" (2018),
// algorithm 2, on one layer with several entries.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "index/codes/code_space.h"
#include "index/graph/candidate_pool.h"
#include "index/graph/graph.h"
#include "index/graph/visited_nodes.h"

namespace akidb::index {

// Which nodes may be in the answer; the walk goes through the others, too.
class NodeGate {
 public:
  virtual ~NodeGate() = default;
  virtual bool Admits(uint32_t node) = 0;
};

// Borrowed. The graph's nodes are the rows of `codes`, in whose space the query is prepared.
struct WalkInput {
  const GraphView& graph;
  const CodeArray& codes;
  const CodeQuery& query;
};

struct WalkOptions {
  uint32_t ef = 100;         // candidates to keep; more find more and take longer
  NodeGate* gate = nullptr;  // null: all nodes
  // Distances to be estimated at most. A walk that needs more ends early: the caller scans instead.
  uint64_t visits_max = UINT64_MAX;
  uint32_t without = kNoNode;  // a node that the walk takes for one that isn't there
};

// One walk at a time; keeps its memory between walks: for each thread one. Memory: an eighth of a
// byte a node, 4 bytes for each visited, and ef candidates.
class GraphWalk {
 public:
  // Finds the `ef` nearest admitted nodes, or those that there are. False when visits_max ended the
  // walk, the context's error when the answer is no longer wanted; found() then holds what there
  // was.
  Result<bool> Run(const RequestContext& context, const WalkInput& input,
                   const WalkOptions& options);

  // Nearest first, by estimated distance. Valid until the next walk.
  std::span<const Candidate> found() const { return found_; }
  // Distances that the last walk estimated.
  uint64_t visits() const { return visits_; }
  // Nodes whose links the last walk followed.
  uint64_t expansions() const { return expansions_; }

 private:
  // All entries with their distances in frontier_.
  void Begin(const WalkInput& input);
  // Those of `nodes` that are new, with estimated distances in distances_.
  std::span<const uint32_t> Look(const WalkInput& input, std::span<const uint32_t> nodes);
  std::span<const uint32_t> Expand(const WalkInput& input, uint32_t node);
  // What is new of a node's links, its codes asked for.
  void See(const WalkInput& input, uint32_t node, std::vector<uint32_t>& fresh);
  Result<bool> WalkAll(const RequestContext& context, const WalkInput& input,
                       const WalkOptions& options);
  Result<bool> WalkGated(const RequestContext& context, const WalkInput& input,
                         const WalkOptions& options);

  CandidatePool pool_;
  VisitedNodes visited_;
  std::vector<float> distances_;
  std::vector<uint32_t> here_;       // what is new of the present node's links
  std::vector<uint32_t> ahead_;      // and of those of the one that will probably be next
  std::vector<Candidate> frontier_;  // a heap, nearest first
  std::span<const Candidate> found_;
  uint64_t visits_ = 0;
  uint64_t expansions_ = 0;
};

}  // namespace akidb::index
