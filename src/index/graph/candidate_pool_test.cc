#include "index/graph/candidate_pool.h"

#include <algorithm>
#include <array>
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
        std::array<uint32_t, 2> peeked{};
        const size_t count = pool.Peek(peeked);
        auto unvisited = [](const auto& entry) { return !entry.second; };
        auto expected = std::find_if(model.begin(), model.end(), unvisited);
        ASSERT_EQ(pool.Next(node), expected != model.end());
        ASSERT_EQ(count, std::min<size_t>(static_cast<size_t>(
                                              std::count_if(model.begin(), model.end(), unvisited)),
                                          peeked.size()));
        if (count == 0) continue;
        EXPECT_EQ(node, expected->first.node);
        EXPECT_EQ(peeked[0], node);
        expected->second = true;
        expected = std::find_if(expected, model.end(), unvisited);
        if (count == 2) EXPECT_EQ(peeked[1], expected->first.node);
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

TEST(VisitedNodes, SeesWhatItForgotAsNew) {
  VisitedNodes visited;
  visited.Reset(200);
  const std::vector<uint32_t> first = {3, 64, 65, 199};
  EXPECT_EQ(visited.AddNew(first).size(), 4u);
  visited.Forget(std::vector<uint32_t>{64, 199});
  const std::span<const uint32_t> fresh = visited.AddNew(first);
  EXPECT_EQ(std::vector<uint32_t>(fresh.begin(), fresh.end()), (std::vector<uint32_t>{64, 199}));
  EXPECT_TRUE(visited.AddNew(first).empty());
  visited.Reset(200);
  EXPECT_EQ(visited.AddNew(first).size(), 4u);
}

}  // namespace
}  // namespace akidb::index
