#include "index/graph/candidate_pool.h"

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "index/graph/visited_nodes.h"

namespace akidb::index {
namespace {

uint64_t Seed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text == nullptr ? std::random_device()() : std::stoull(text);
}

TEST(CandidatePool, BehavesAsASortedListCutAtItsCapacity) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  CandidatePool pool;
  for (int round = 0; round < 200; ++round) {
    const size_t capacity = 1 + random() % 40;
    pool.Reset(capacity);
    std::map<Candidate, bool> model;  // visited?
    for (uint32_t step = 0; step < 200; ++step) {
      if (random() % 3 == 0) {
        uint32_t node;
        uint32_t peeked;
        const bool any = pool.Peek(peeked);
        auto expected = std::find_if(model.begin(), model.end(),
                                     [](const auto& entry) { return !entry.second; });
        ASSERT_EQ(pool.Next(node), expected != model.end());
        ASSERT_EQ(any, expected != model.end());
        if (!any) continue;
        EXPECT_EQ(node, expected->first.node);
        EXPECT_EQ(peeked, node);
        expected->second = true;
        continue;
      }
      // Few different distances, so that ties are frequent.
      const Candidate candidate{static_cast<float>(random() % 50), step};
      const bool enters = model.size() < capacity || candidate.distance < pool.bound();
      pool.Offer(candidate);
      if (enters) model.emplace(candidate, false);
      if (model.size() > capacity) model.erase(std::prev(model.end()));
      ASSERT_EQ(pool.size(), model.size());
      size_t i = 0;
      for (const auto& [wanted, visited] : model) {
        ASSERT_EQ(pool.candidates()[i].node, wanted.node);
        ++i;
      }
    }
  }
}

TEST(CandidatePool, WhatIsNotANumberNeverPushesAnotherOut) {
  CandidatePool pool;
  pool.Reset(2);
  pool.Offer({std::nanf(""), 1});
  pool.Offer({3, 2});
  pool.Offer({2, 3});
  pool.Offer({std::nanf(""), 4});
  ASSERT_EQ(pool.size(), 2u);
  EXPECT_EQ(pool.candidates()[0].node, 3u);
  EXPECT_EQ(pool.candidates()[1].node, 2u);
}

TEST(VisitedNodes, ForgetsEverythingWhenReset) {
  VisitedNodes visited;
  for (uint32_t nodes : {10u, 1000u, 64u, 100'000u}) {
    visited.Reset(nodes);
    for (uint32_t node = 0; node < nodes; node += 7) EXPECT_TRUE(visited.Add(node));
    for (uint32_t node = 0; node < nodes; node += 7) EXPECT_FALSE(visited.Add(node));
  }
}

}  // namespace
}  // namespace akidb::index
