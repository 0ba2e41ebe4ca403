#include "embedding/vector_cache.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

std::vector<int32_t> Ids(int32_t value) { return {1, value, 2}; }
std::vector<float> VectorOf(int32_t value) { return {static_cast<float>(value), 0.5f, -1.0f, 0}; }

// Whether it is there, and is the one that was put in.
bool Has(VectorCache& cache, int32_t value, std::string_view model = "m") {
  std::vector<float> out;
  if (!cache.Find({model, Ids(value)}, out)) return false;
  EXPECT_EQ(out, VectorOf(value));
  return true;
}

void Put(VectorCache& cache, int32_t value, std::string_view model = "m") {
  cache.Insert({model, Ids(value)}, VectorOf(value));
}

// What one of these entries takes.
size_t EntryBytes() {
  VectorCache cache(1 << 20);
  Put(cache, 0);
  return cache.statistics().bytes;
}

TEST(VectorCache, GivesWhatWasPutIn) {
  VectorCache cache(1 << 20);
  EXPECT_FALSE(Has(cache, 7));
  Put(cache, 7);
  EXPECT_TRUE(Has(cache, 7));
  std::vector<float> out = {9};
  ASSERT_TRUE(cache.Find({"m", Ids(7)}, out));
  EXPECT_EQ(out, (std::vector<float>{9, 7, 0.5f, -1, 0}));
  const CacheStatistics statistics = cache.statistics();
  EXPECT_EQ(statistics.hits, 2u);
  EXPECT_EQ(statistics.misses, 1u);
  EXPECT_EQ(statistics.vectors, 1u);
}

TEST(VectorCache, TellsModelsAndSequencesApart) {
  VectorCache cache(1 << 20);
  Put(cache, 7, "m");
  EXPECT_FALSE(Has(cache, 7, "n"));
  EXPECT_FALSE(Has(cache, 8, "m"));
  std::vector<float> out;
  EXPECT_FALSE(cache.Find({"m", std::vector<int32_t>{1, 7}}, out));
  EXPECT_FALSE(cache.Find({"m", {}}, out));
  EXPECT_TRUE(out.empty());
}

TEST(VectorCache, TheLeastRecentlyUsedLeaveFirst) {
  VectorCache cache(3 * EntryBytes());
  for (int32_t value : {1, 2, 3}) Put(cache, value);
  EXPECT_TRUE(Has(cache, 1));
  Put(cache, 4);
  EXPECT_FALSE(Has(cache, 2));
  for (int32_t value : {1, 3, 4}) EXPECT_TRUE(Has(cache, value)) << value;
  Put(cache, 5);
  EXPECT_FALSE(Has(cache, 1));
}

TEST(VectorCache, KeepsNothingLargerThanItsBound) {
  VectorCache off(0);
  Put(off, 1);
  EXPECT_FALSE(Has(off, 1));
  EXPECT_FALSE(off.enabled());
  VectorCache narrow(2 * EntryBytes());
  Put(narrow, 1);
  narrow.Insert({"m", Ids(2)}, std::vector<float>(1000));
  EXPECT_FALSE(Has(narrow, 2));
  EXPECT_TRUE(Has(narrow, 1));
}

TEST(VectorCache, StaysWithinItsBoundUnderAFlood) {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  const auto seed = static_cast<unsigned>(given != nullptr ? std::atoi(given) : 1);
  std::printf("AKIDB_TEST_SEED=%u\n", seed);
  constexpr size_t kBytesMax = 64 << 10;
  VectorCache cache(kBytesMax);
  std::atomic<bool> within{true};
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(seed + thread);
      std::vector<float> out;
      for (int i = 0; i < 20'000; ++i) {
        const auto value = static_cast<int32_t>(random() % 500);
        // Of some lengths, so that one that comes in may push out several.
        const std::vector<int32_t> ids(1 + static_cast<size_t>(value) % 97, value);
        out.clear();
        if (!cache.Find({"m", ids}, out)) {
          const std::vector<float> vector(1 + ids.size(), static_cast<float>(value));
          cache.Insert({"m", ids}, vector);
        } else if (out != std::vector<float>(1 + ids.size(), static_cast<float>(value))) {
          within = false;
        }
        if (cache.statistics().bytes > kBytesMax) within = false;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(within);
  EXPECT_GT(cache.statistics().vectors, 10u);
  EXPECT_EQ(cache.statistics().hits + cache.statistics().misses, 80'000u);
}

}  // namespace
}  // namespace akidb::embedding
