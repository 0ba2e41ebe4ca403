// The walk looks ahead, and must come to what one that doesn't comes to: each distance is estimated
// once, none is left out.
#include "index/graph/graph_walk.h"

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "index/graph/graph_fixture.h"

namespace akidb::index {
namespace {

// Best first, step by step.
struct PlainWalk {
  std::map<Candidate, bool> pool;  // whether it has been expanded
  uint64_t visits = 0;
  uint64_t expansions = 0;

  PlainWalk(const WalkInput& input, size_t ef) {
    std::set<uint32_t> seen;
    auto look = [&](std::span<const uint32_t> nodes) {
      for (uint32_t node : nodes) {
        if (node == kNoNode || !seen.insert(node).second) continue;
        ++visits;
        float distance;
        input.codes.Distances(input.query, std::span<const uint32_t>(&node, 1), &distance);
        if (pool.size() == ef && !(distance < std::prev(pool.end())->first.distance)) continue;
        pool.emplace(Candidate{distance, node}, false);
        if (pool.size() > ef) pool.erase(std::prev(pool.end()));
      }
    };
    look(input.graph.entries);
    for (;;) {
      auto next =
          std::find_if(pool.begin(), pool.end(), [](const auto& entry) { return !entry.second; });
      if (next == pool.end()) return;
      next->second = true;
      ++expansions;
      look(input.graph.LinksOf(next->first.node));
    }
  }
};

TEST(GraphWalk, FindsWhatAWalkFindsThatDoesNotLookAhead) {
  Indexed index(Clustered(3000, 32, 11), Metric::kEuclid, {.degree = 16, .width = 60});
  const CodeArray codes = index.codes();
  const GraphView graph = index.graph().view();
  RequestContext context;
  GraphWalk walk;
  std::mt19937_64 random(12);
  std::normal_distribution<float> normal;
  for (uint32_t q = 0; q < 100; ++q) {
    Vector vector = index.rows()[random() % 3000];
    // Some of them far from all rows, so that walks are long and turn often.
    for (float& value : vector) value += static_cast<float>(q % 4) * normal(random);
    const CodeQuery query = codes.space().Prepare(Metric::kEuclid, vector);
    for (uint32_t ef : {1u, 2u, 10u, 60u, 400u}) {
      const WalkInput input{graph, codes, query};
      ASSERT_TRUE(*walk.Run(context, input, {.ef = ef}));
      const PlainWalk plain(input, ef);
      EXPECT_EQ(walk.visits(), plain.visits);
      EXPECT_EQ(walk.expansions(), plain.expansions);
      ASSERT_EQ(walk.found().size(), plain.pool.size());
      size_t i = 0;
      for (const auto& [candidate, expanded] : plain.pool) {
        EXPECT_EQ(walk.found()[i++].node, candidate.node);
      }
    }
  }
}

}  // namespace
}  // namespace akidb::index
