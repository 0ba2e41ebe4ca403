#include "env/disk_use.h"

#include <gtest/gtest.h>

namespace akidb::env {
namespace {

TEST(DiskUsePercent, IsAShareOfTheFileSystem) {
  const std::optional<uint64_t> percent = DiskUsePercent("/");
  ASSERT_TRUE(percent);
  EXPECT_LE(*percent, 100u);
}

TEST(DiskUsePercent, IsUnknownOfAPathThatIsNotThere) {
  EXPECT_FALSE(DiskUsePercent("/no/such/path"));
}

}  // namespace
}  // namespace akidb::env
