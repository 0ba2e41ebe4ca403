#include "index/sparse/sparse_search.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "index/sparse/sparse_dot.h"
#include "index/sparse/sparse_index_builder.h"

namespace akidb::index {
namespace {

std::vector<float> RowsOf(const std::map<uint32_t, float>& vector) {
  std::vector<float> rows;
  for (const auto& [index, value] : vector) {
    rows.push_back(std::bit_cast<float>(index));
    rows.push_back(value);
  }
  return rows;
}

struct Scored {
  float score;
  uint32_t number;
  friend bool operator==(const Scored&, const Scored&) = default;
};
bool Better(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.number < b.number;
}

// Keeps the k best, scored by their vectors.
class Best final : public SparseCandidates {
 public:
  Best(const std::vector<std::vector<float>>& vectors, std::span<const SparseTerm> terms, size_t k)
      : vectors_(vectors), terms_(terms), k_(k) {}
  float bound() const override {
    return best_.size() < k_ ? -std::numeric_limits<float>::infinity() : best_.back().score;
  }
  Status Look(uint32_t number) override {
    if (number >= vectors_.size()) return OkStatus();
    EXPECT_TRUE(seen_.insert({number, true}).second);
    const std::optional<float> score = SparseDot(terms_, SparseEntries(vectors_[number]));
    if (!score) return OkStatus();
    const Scored scored{*score, number};
    best_.insert(std::upper_bound(best_.begin(), best_.end(), scored, Better), scored);
    if (best_.size() > k_) best_.pop_back();
    return OkStatus();
  }
  const std::vector<Scored>& best() const { return best_; }

 private:
  const std::vector<std::vector<float>>& vectors_;
  const std::span<const SparseTerm> terms_;
  const size_t k_;
  std::vector<Scored> best_;
  std::map<uint32_t, bool> seen_;
};

class SparseSearchTest : public testing::Test {
 protected:
  SparseSearchTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 4711;
    generator_.seed(seed_);
  }

  float Value(bool with_negative) {
    const float value = static_cast<float>(generator_() % 1000 + 1) / 250;
    return with_negative && generator_() % 3 == 0 ? -value : value;
  }
  // Low indices are frequent, as words are.
  uint32_t Index(uint32_t range) {
    const auto x = static_cast<double>(generator_() % 100'000 + 1) / 100'000;
    return static_cast<uint32_t>(static_cast<double>(range) * x * x * x);
  }
  std::map<uint32_t, float> Vector(uint32_t range, size_t most, bool with_negative) {
    std::map<uint32_t, float> vector;
    const size_t count = generator_() % (most + 1);
    for (size_t i = 0; i < count; ++i) vector[Index(range)] = Value(with_negative);
    return vector;
  }
  void Make(uint32_t count, uint32_t range, bool with_negative) {
    vectors_.clear();
    SparseIndexBuilder builder;
    for (uint32_t i = 0; i < count; ++i) {
      vectors_.push_back(RowsOf(Vector(range, 30, with_negative)));
      builder.Count(SparseEntries(vectors_.back()));
    }
    builder.BeginLists();
    for (const std::vector<float>& rows : vectors_) builder.Add(SparseEntries(rows));
    bytes_ = std::move(builder).Finish();
  }
  std::vector<SparseTerm> Query(uint32_t range, size_t most, bool with_negative) {
    std::vector<SparseTerm> terms;
    for (const auto& [index, value] : Vector(range, most, with_negative)) {
      terms.push_back({index, value});
    }
    return terms;
  }

  uint64_t seed_;
  std::mt19937_64 generator_;
  std::vector<std::vector<float>> vectors_;
  std::vector<std::byte> bytes_;
  RequestContext context_;
};

TEST_F(SparseSearchTest, FindsWhatComparingEveryVectorFinds) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  for (int round = 0; round < 12; ++round) {
    const bool negative = round % 2 == 1;
    const uint32_t range = round % 3 == 0 ? 40 : 3000;
    const auto count = static_cast<uint32_t>(1 + generator_() % 20'000);
    Make(count, range, negative);
    Result<SparseIndex> index = SparseIndex::Open(bytes_, count);
    ASSERT_TRUE(index.ok()) << index.status().ToString();
    for (int query = 0; query < 30; ++query) {
      const std::vector<SparseTerm> terms = Query(range, query % 4 == 0 ? 200 : 6, negative);
      const size_t k = query % 5 == 0 ? 1000 : 10;
      std::vector<Scored> expected;
      for (uint32_t i = 0; i < count; ++i) {
        const std::optional<float> score = SparseDot(terms, SparseEntries(vectors_[i]));
        if (score) expected.push_back({*score, i});
      }
      std::sort(expected.begin(), expected.end(), Better);
      if (expected.size() > k) expected.resize(k);
      Best best(vectors_, terms, k);
      Result<SparseWork> work = SearchSparse(context_, *index, terms, best);
      ASSERT_TRUE(work.ok()) << work.status().ToString();
      ASSERT_EQ(best.best(), expected) << "round " << round << " query " << query;
    }
  }
}

TEST_F(SparseSearchTest, LooksAtFewWhereOneTermDecides) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  Make(20'000, 3000, false);
  Result<SparseIndex> index = SparseIndex::Open(bytes_, 20'000);
  ASSERT_TRUE(index.ok());
  // Index 0 is the most frequent one, and hardly counts.
  const std::vector<SparseTerm> terms = {{0, 0.001f}, {2500, 10}};
  Best best(vectors_, terms, 10);
  Result<SparseWork> work = SearchSparse(context_, *index, terms, best);
  ASSERT_TRUE(work.ok());
  EXPECT_LT(work->postings, index->Find(0).numbers.size() / 2);
}

TEST_F(SparseSearchTest, KeepsWithinBoundsWhateverTheListsHold) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  Make(3000, 40, true);
  const std::vector<std::byte> good = bytes_;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes = good;
    for (int i = 0; i < 40; ++i) {
      bytes[32 + generator_() % (bytes.size() - 32)] = static_cast<std::byte>(generator_());
    }
    Result<SparseIndex> index = SparseIndex::Open(bytes, 3000);
    if (!index.ok()) continue;
    const std::vector<SparseTerm> terms = Query(40, 20, true);
    Best best(vectors_, terms, 10);
    ASSERT_TRUE(SearchSparse(context_, *index, terms, best).ok());
  }
}

TEST_F(SparseSearchTest, StopsWhenTheAnswerIsNoLongerWanted) {
  Make(60'000, 20, false);
  Result<SparseIndex> index = SparseIndex::Open(bytes_, 60'000);
  ASSERT_TRUE(index.ok());
  std::vector<SparseTerm> terms;
  for (uint32_t i = 0; i < 20; ++i) terms.push_back({i, 1});
  RequestContext cancelled;
  cancelled.Cancel();
  Best best(vectors_, terms, 60'000);
  EXPECT_EQ(SearchSparse(cancelled, *index, terms, best).status().code(), ErrorCode::kCancelled);
}

TEST(SparseDot, SharesNothingOrAddsUp) {
  const std::vector<float> rows = RowsOf({{1, 2.0f}, {5, -1.0f}, {4294967295u, 0.5f}});
  const SparseEntries entries(rows);
  const std::vector<SparseTerm> both = {{0, 1}, {5, 3}, {4294967295u, 4}};
  EXPECT_EQ(SparseDot(both, entries), -1.0f);
  const std::vector<SparseTerm> none = {{0, 1}, {2, 3}, {4294967294u, 4}};
  EXPECT_EQ(SparseDot(none, entries), std::nullopt);
  EXPECT_EQ(SparseDot({}, entries), std::nullopt);
  EXPECT_EQ(SparseDot(both, SparseEntries()), std::nullopt);
}

}  // namespace
}  // namespace akidb::index
