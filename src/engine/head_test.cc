#include "engine/head.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <numeric>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "engine/head_source.h"

namespace akidb::engine {
namespace {

CollectionConfig TwoVectors() {
  CollectionConfig config;
  config.vectors[""] = {.dim = 3, .metric = Metric::kDot};
  config.vectors["image"] = {.dim = 2, .metric = Metric::kEuclid};
  return config;
}

Point MakePoint(uint64_t id, float x) {
  Point point;
  point.id = PointId(id);
  point.vectors = {{"", {x, 2, 3}}};
  return point;
}

TEST(Head, FindsTheVersionOfItsSequenceNumber) {
  VectorSchema schema(TwoVectors());
  Head head(schema, 100);
  EXPECT_FALSE(head.Add(1, MakePoint(7, 10)));
  EXPECT_TRUE(head.Add(2, MakePoint(7, 20)));
  EXPECT_TRUE(head.Kill(PointId(7), 3));
  EXPECT_FALSE(head.Kill(PointId(7), 4));

  EXPECT_FALSE(head.Find(PointId(7), 0));
  ASSERT_TRUE(head.Find(PointId(7), 1));
  EXPECT_EQ(head.vector(*head.Find(PointId(7), 1), 0)[0], 10);
  EXPECT_EQ(head.vector(*head.Find(PointId(7), 2), 0)[0], 20);
  EXPECT_FALSE(head.Find(PointId(7), 3));
  EXPECT_FALSE(head.FindAlive(PointId(7)));
}

TEST(Head, GivesIdsInOrderHoweverManyAndHoweverTheyCame) {
  VectorSchema schema(TwoVectors());
  for (const size_t count : {0, 1, 2047, 2048, 2049, 4096, 9000}) {
    std::vector<uint64_t> ids(count);
    std::iota(ids.begin(), ids.end(), 1);
    for (const bool shuffled : {false, true}) {
      if (shuffled) std::shuffle(ids.begin(), ids.end(), std::mt19937_64(count));
      const auto head = std::make_shared<Head>(schema, count + 1);
      for (const uint64_t id : ids) head->Add(1, MakePoint(id, 1));
      const auto source = MakeHeadSource(head, head->rows(), 1);
      const uint64_t from = count / 3;
      const PointId first(from + 1);
      const auto cursor = source->Ids(&first);
      for (uint64_t expected = from + 1; expected <= count; ++expected, cursor->Next()) {
        ASSERT_EQ(cursor->id(), PointId(expected));
        ASSERT_EQ(source->id(cursor->row()), PointId(expected));
      }
      EXPECT_FALSE(cursor->id());
    }
  }
}

TEST(Head, ReadersSeeThePayloadOfTheirSequenceNumber) {
  VectorSchema schema(TwoVectors());
  Head head(schema, 100);
  auto numbered = [](int64_t number) {
    PayloadBuilder builder;
    builder.BeginObject();
    builder.Key("n");
    builder.Int(number);
    builder.EndObject();
    return builder.Finish();
  };
  auto payload_at = [&](uint64_t seq) { return head.payload(0, seq).Member("n")->AsInt(); };
  Point point = MakePoint(7, 1);
  point.payload = numbered(1);
  head.Add(1, point);
  const size_t bytes = head.bytes();
  EXPECT_TRUE(head.Replace(PointId(7), 3, std::make_shared<const Payload>(numbered(3))));
  EXPECT_TRUE(head.Replace(PointId(7), 5, std::make_shared<const Payload>(numbered(5))));
  for (auto [seq, last] : {std::pair(1, 1), {2, 1}, {3, 3}, {4, 3}, {5, 5}, {9, 5}}) {
    EXPECT_EQ(payload_at(static_cast<uint64_t>(seq)), last);
    EXPECT_EQ(head.changed_seq(0, static_cast<uint64_t>(seq)), static_cast<uint64_t>(last));
  }
  EXPECT_EQ(head.seq(0), 1u);
  EXPECT_EQ(head.bytes(), bytes + head.replaced_bytes());
  EXPECT_GT(head.replaced_bytes(), 2 * numbered(1).encoded().size());
  EXPECT_FALSE(head.Replace(PointId(8), 6, std::make_shared<const Payload>()));
  head.Kill(PointId(7), 7);
  EXPECT_FALSE(head.Replace(PointId(7), 8, std::make_shared<const Payload>()));
  EXPECT_EQ(payload_at(6), 5);
}

TEST(Head, OfOneIdTwiceInABatchOnlyTheLastIsEverVisible) {
  VectorSchema schema(TwoVectors());
  Head head(schema, 100);
  head.Add(5, MakePoint(1, 1));
  head.Add(5, MakePoint(1, 2));
  ASSERT_TRUE(head.Find(PointId(1), 5));
  EXPECT_EQ(*head.Find(PointId(1), 5), 1u);
  EXPECT_FALSE(head.Visible(0, 5));
  EXPECT_FALSE(head.Visible(0, 9));
}

TEST(Head, KeepsVectorsThatOnlySomeRowsHave) {
  VectorSchema schema(TwoVectors());
  Head head(schema, 100);
  head.Add(1, MakePoint(1, 1));
  Point both = MakePoint(2, 2);
  both.vectors.emplace_back("image", DenseVector{8, 9});
  head.Add(2, both);
  EXPECT_FALSE(head.HasVector(0, 1));
  ASSERT_TRUE(head.HasVector(1, 1));
  EXPECT_EQ(head.vector(1, 1)[1], 9);
}

TEST(Head, AgreesWithAMapUnderRandomWrites) {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 99;
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  VectorSchema schema(TwoVectors());
  Head head(schema, 4000);
  std::vector<std::map<uint64_t, float>> states(1);  // by sequence number
  for (uint64_t seq = 1; seq <= 3000; ++seq) {
    states.push_back(states.back());
    uint64_t id = random() % 300;
    if (random() % 4 == 0) {
      EXPECT_EQ(head.Kill(PointId(id), seq), states.back().erase(id) == 1);
    } else {
      EXPECT_EQ(head.Add(seq, MakePoint(id, static_cast<float>(seq))),
                states.back().count(id) == 1);
      states.back()[id] = static_cast<float>(seq);
    }
  }
  for (uint64_t seq : {0u, 1u, 17u, 1500u, 3000u}) {
    for (uint64_t id = 0; id < 300; ++id) {
      std::optional<uint32_t> row = head.Find(PointId(id), seq);
      auto expected = states[seq].find(id);
      ASSERT_EQ(row.has_value(), expected != states[seq].end()) << "seq " << seq << " id " << id;
      if (row) EXPECT_EQ(head.vector(*row, 0)[0], expected->second);
    }
  }
}

TEST(Head, ReadersSeeConsistentRowsWhileAWriterAppends) {
  VectorSchema schema(TwoVectors());
  Head head(schema, 20000);
  std::atomic<uint64_t> published{0};
  std::thread writer([&] {
    for (uint64_t seq = 1; seq <= 20000; ++seq) {
      head.Add(seq, MakePoint(seq % 500, static_cast<float>(seq)));
      published.store(seq, std::memory_order_release);
    }
  });
  // Row i is written at sequence number i + 1, so a row names the number that it must show.
  for (;;) {
    uint64_t seq = published.load(std::memory_order_acquire);
    for (uint64_t id = 0; id < 500 && seq > 500; id += 7) {
      std::optional<uint32_t> row = head.Find(PointId(id), seq);
      ASSERT_TRUE(row);
      ASSERT_EQ(head.seq(*row), *row + 1u);
      ASSERT_EQ(head.vector(*row, 0)[0], static_cast<float>(*row + 1));
      ASSERT_GT(head.seq(*row) + 500, seq);
    }
    if (seq == 20000) break;
  }
  writer.join();
}

}  // namespace
}  // namespace akidb::engine
