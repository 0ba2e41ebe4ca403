// Points in the order of a field, found in the indexes of segments, against what their payloads
// say.
#include <bit>
#include <cstdlib>
#include <random>
#include <set>

#include "engine/collection_merge_fixture.h"
#include "types/datetime.h"

namespace akidb::engine {
namespace {

struct Expected {
  OrderValue value;
  PointId id;
};

class CollectionOrderTest : public CollectionMergeFixture {
 protected:
  CollectionOrderTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 1618;
    generator_.seed(seed_);
  }

  uint64_t Pick(uint64_t n) { return generator_() % n; }
  std::string OneOf(const std::vector<std::string>& texts) { return texts[Pick(texts.size())]; }

  std::string AnyNumber() {
    return OneOf({"0", "0.0", "-0.0", "1", "1.0", "-2.5", "18446744073709551615", "null", "\"x\"",
                  "true", "[]", std::to_string(Pick(30)), std::to_string(Pick(90)) + ".25"});
  }
  std::string AnyDate() {
    return OneOf({"\"2024-01-01\"", "\"2024-01-01T00:00:00Z\"", "\"2024-01-01T01:00:00+01:00\"",
                  "\"1969-12-31T23:59:59.5Z\"", "\"no date\"", "7", "null",
                  "\"2024-02-" + std::to_string(10 + Pick(19)) + "\""});
  }
  std::string Some(std::string (CollectionOrderTest::*any)()) {
    if (Pick(3) != 0) return (this->*any)();
    std::string array = "[";
    for (uint64_t i = 0, count = Pick(5); i < count; ++i)
      array += (i == 0 ? "" : ",") + (this->*any)();
    return array + "]";
  }
  Payload AnyPayload() {
    std::string json = "{\"g\":" + std::to_string(Pick(3));
    if (Pick(8) != 0) json += ",\"a\":{\"f\":" + Some(&CollectionOrderTest::AnyNumber) + "}";
    if (Pick(8) != 0) json += ",\"d\":" + Some(&CollectionOrderTest::AnyDate);
    return *ParsePayloadJson(json + "}");
  }

  // Segments, a head, points that were killed, replaced, and given other payloads.
  void Fill() {
    Create();
    ASSERT_TRUE(collection_->PutPayloadIndex(context_, "a.f", {PayloadFieldKind::kFloat, {}}).ok());
    ASSERT_TRUE(
        collection_->PutPayloadIndex(context_, "d", {PayloadFieldKind::kDatetime, {}}).ok());
    for (int batch = 0; batch < 12; ++batch) {
      std::vector<Point> points;
      for (int i = 0; i < 40; ++i) {
        Point point = MakePoint(Pick(kIds), 1);
        point.payload = AnyPayload();
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
      ASSERT_TRUE(collection_->Delete(context_, std::vector<PointId>{PointId(Pick(kIds))}).ok());
      if (batch % 5 == 4) ASSERT_TRUE(collection_->Seal().ok());
    }
    for (int i = 0; i < 25; ++i) {
      const PointSelector one{{PointId(Pick(kIds))}, nullptr};
      ASSERT_TRUE(collection_->ChangePayloads(context_, one, SetPayload{AnyPayload(), {}}).ok());
    }
  }

  // Of each point, what it has of a kind at the field, each value once and as it first stands.
  std::vector<Expected> AllOf(const std::string& field) {
    ScrollRequest all;
    all.limit = kIds + 1;
    auto page = collection_->Scroll(context_, all);
    EXPECT_TRUE(page.ok());
    std::vector<Expected> expected;
    for (const PointRecord& point : page->points) {
      std::optional<PayloadValue> at = point.payload->root();
      if (field == "a.f") at = at->Member("a");
      if (at) at = at->Member(field == "d" ? "d" : "f");
      if (!at) continue;
      std::vector<OrderValue> values;
      const auto take = [&](PayloadValue value) {
        std::optional<OrderValue> found;
        const PayloadValue::Kind kind = value.kind();
        if (field == "d" && kind == PayloadValue::Kind::kString) {
          if (auto moment = ParseDatetime(value.AsString())) found = *moment;
        } else if (field != "d" &&
                   (kind == PayloadValue::Kind::kInt || kind == PayloadValue::Kind::kUint ||
                    kind == PayloadValue::Kind::kFloat)) {
          found = value.AsDouble();
        }
        if (found && std::find(values.begin(), values.end(), *found) == values.end()) {
          values.push_back(*found);
        }
        return true;
      };
      if (at->kind() == PayloadValue::Kind::kArray) {
        at->ForEachElement(take);
      } else {
        take(*at);
      }
      for (const OrderValue& value : values) expected.push_back({value, point.id});
    }
    return expected;
  }

  static constexpr uint64_t kIds = 300;
  uint64_t seed_ = 0;
  std::mt19937_64 generator_;
};

// Bit for bit, as an answer writes it.
uint64_t BitsOf(const OrderValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return std::bit_cast<uint64_t>(*number);
  return static_cast<uint64_t>(std::get<int64_t>(value));
}

TEST_F(CollectionOrderTest, IndexesGiveTheOrderThatPayloadsHave) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(Fill());
  bool negative_zero = false;
  for (int round = 0; round < 120; ++round) {
    if (round == 60) ASSERT_TRUE(collection_->Merge().ok());
    const std::string field = round % 2 == 0 ? "a.f" : "d";
    ScrollRequest request;
    request.order_by = OrderBy{field, Pick(2) == 0, std::nullopt};
    request.limit = 1 + Pick(round % 10 == 0 ? 1000 : 40);
    std::vector<Expected> expected = AllOf(field);
    if (!expected.empty() && Pick(2) == 0) {
      const OrderValue from = expected[Pick(expected.size())].value;
      request.order_by->start_from = from;
      std::erase_if(expected, [&](const Expected& one) {
        return request.order_by->descending ? from < one.value : one.value < from;
      });
    }
    if (Pick(2) == 0) {
      auto filter = std::make_shared<Filter>();
      const auto group = static_cast<int64_t>(Pick(3));
      filter->must.push_back(FieldCondition{*PayloadPath::Parse("g"), MatchValue{group}});
      std::set<PointId> admitted;
      ScrollRequest matches;
      matches.limit = kIds + 1;
      matches.filter = filter;
      const auto matching = collection_->Scroll(context_, matches);
      ASSERT_TRUE(matching.ok());
      for (const PointRecord& point : matching->points) admitted.insert(point.id);
      std::erase_if(expected, [&](const Expected& one) { return !admitted.contains(one.id); });
      request.filter = std::move(filter);
    }
    std::sort(expected.begin(), expected.end(), [](const Expected& a, const Expected& b) {
      return a.value != b.value ? a.value < b.value : a.id < b.id;
    });
    if (request.order_by->descending) std::reverse(expected.begin(), expected.end());
    if (expected.size() > request.limit) expected.resize(request.limit);
    const auto page = collection_->Scroll(context_, request);
    ASSERT_TRUE(page.ok()) << page.status().ToString();
    ASSERT_EQ(page->points.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(page->points[i].id, expected[i].id);
      EXPECT_EQ(BitsOf(page->order_values[i]), BitsOf(expected[i].value));
      negative_zero |= field == "a.f" && BitsOf(expected[i].value) == uint64_t{1} << 63;
    }
    if (HasFailure()) FAIL() << "round " << round;
  }
  EXPECT_TRUE(negative_zero);
}

}  // namespace
}  // namespace akidb::engine
