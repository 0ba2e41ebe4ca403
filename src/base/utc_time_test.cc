#include "base/utc_time.h"

#include <gtest/gtest.h>

namespace akidb {
namespace {

TEST(UtcTime, IsWrittenToTheSecond) {
  EXPECT_EQ(UtcTimeText(0), "1970-01-01T00:00:00");
  EXPECT_EQ(UtcTimeText(951'827'696), "2000-02-29T12:34:56");
  EXPECT_EQ(FormatUtc(951'827'696, "%Y-%m-%d-%H-%M-%S"), "2000-02-29-12-34-56");
}

}  // namespace
}  // namespace akidb
