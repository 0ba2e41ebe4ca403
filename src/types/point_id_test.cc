#include "types/point_id.h"

#include <set>

#include <gtest/gtest.h>

namespace akidb {
namespace {

TEST(PointId, KeepsNumbersAndUuidsApart) {
  Uuid uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
  EXPECT_EQ(PointId(uuid).uuid(), uuid);
  EXPECT_EQ(PointId(UINT64_MAX).number(), UINT64_MAX);
  EXPECT_EQ(PointId(UINT64_MAX).ToString(), "18446744073709551615");
  EXPECT_NE(PointId(5), PointId::FromWords(PointId::Kind::kUuid, 0, 5));
}

TEST(PointId, OrdersNumbersByValueAndBeforeUuids) {
  Uuid low = *Uuid::Parse("00000000-0000-0000-0000-000000000001");
  Uuid high = *Uuid::Parse("f0000000-0000-0000-0000-000000000000");
  EXPECT_LT(PointId(2), PointId(10));
  EXPECT_LT(PointId(UINT64_MAX), PointId(low));
  EXPECT_LT(PointId(low), PointId(high));
}

TEST(PointId, HashSpreadsConsecutiveNumbers) {
  std::set<size_t> buckets;
  for (uint64_t i = 0; i < 1024; ++i) buckets.insert(std::hash<PointId>()(PointId(i)) % 1024);
  EXPECT_GT(buckets.size(), 500u);
}

}  // namespace
}  // namespace akidb
