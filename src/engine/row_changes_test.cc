#include "engine/row_changes.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "types/payload_json.h"

namespace akidb::engine {
namespace {

std::shared_ptr<const Payload> Numbered(uint64_t number) {
  return std::make_shared<const Payload>(
      *ParsePayloadJson(R"({"n":)" + std::to_string(number) + "}"));
}

std::map<uint32_t, uint64_t> Seqs(const RowChanges& changes, uint64_t after_seq = 0) {
  std::map<uint32_t, uint64_t> seqs;
  changes.ForEach(after_seq, [&](uint32_t row, const RowChange& change) {
    EXPECT_TRUE(seqs.empty() || seqs.rbegin()->first < row) << "rows don't ascend";
    seqs[row] = change.seq;
  });
  return seqs;
}

TEST(RowChanges, AreNoneAtFirst) {
  const RowChanges none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.rows(), 0u);
  EXPECT_EQ(none.bytes(), 0u);
  EXPECT_EQ(none.Find(0), nullptr);
  EXPECT_TRUE(Seqs(none).empty());
}

TEST(RowChanges, TheLaterOfTwoChangesStays) {
  RowChanges changes;
  const RowUpdate updates[] = {
      {7, {3, Numbered(3)}}, {7, {5, Numbered(5)}}, {(1u << 28) - 1, {4, Numbered(4)}}};
  changes.Apply(updates);
  EXPECT_EQ(Seqs(changes), (std::map<uint32_t, uint64_t>{{7, 5}, {(1u << 28) - 1, 4}}));
  const RowUpdate older[] = {{7, {2, Numbered(2)}}};
  changes.Apply(older);
  EXPECT_EQ(changes.Find(7)->seq, 5u);
  EXPECT_EQ(changes.Find(7)->payload->root().Member("n")->AsInt(), 5);
}

TEST(RowChanges, CopiesKeepWhatTheySaw) {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 4711;
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  RowChanges changes;
  std::map<uint32_t, uint64_t> model;
  std::vector<std::pair<RowChanges, std::map<uint32_t, uint64_t>>> kept;
  for (uint64_t seq = 1; seq <= 400; ++seq) {
    std::vector<RowUpdate> updates;
    for (uint64_t i = random() % 20; i > 0; --i) {
      const auto row =
          static_cast<uint32_t>(random() % 3 == 0 ? random() % (1u << 28) : random() % 3000);
      updates.push_back({row, {seq, Numbered(seq)}});
      model[row] = seq;
    }
    changes.Apply(updates);
    if (seq % 20 == 0) kept.emplace_back(changes, model);
  }
  for (const auto& [copy, seqs] : kept) {
    ASSERT_EQ(Seqs(copy), seqs);
    ASSERT_EQ(copy.rows(), seqs.size());
    for (uint32_t row = 0; row < 3000; ++row) {
      auto expected = seqs.find(row);
      const RowChange* found = copy.Find(row);
      ASSERT_EQ(found != nullptr, expected != seqs.end()) << row;
      if (found != nullptr) ASSERT_EQ(found->seq, expected->second);
    }
  }
  uint64_t last_seq = 0;
  for (auto [row, seq] : model) last_seq = std::max(last_seq, seq);
  EXPECT_EQ(changes.last_seq(), last_seq);
  for (uint64_t after : {0, 100, 399, 400}) {
    std::map<uint32_t, uint64_t> later;
    for (auto [row, seq] : model) {
      if (seq > after) later[row] = seq;
    }
    EXPECT_EQ(Seqs(changes, after), later);
  }
}

TEST(RowChanges, BytesFollowThePayloads) {
  RowChanges changes;
  const RowUpdate first[] = {{1, {1, Numbered(1)}}, {2, {1, Numbered(1)}}};
  changes.Apply(first);
  const uint64_t before = changes.bytes();
  auto large = std::make_shared<const Payload>(
      *ParsePayloadJson(R"({"t":")" + std::string(5000, 'x') + R"("})"));
  const RowUpdate second[] = {{1, {2, large}}};
  changes.Apply(second);
  EXPECT_EQ(changes.bytes(), before + large->encoded().size() - Numbered(1)->encoded().size());
}

}  // namespace
}  // namespace akidb::engine
