#include "env/memory_use.h"

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"

namespace akidb::env {
namespace {

TEST(ResidentMemoryPercent, IsAShareOfTheMachine) {
  const std::unique_ptr<FileSystem> fs = MakePosixFileSystem();
  const std::optional<uint64_t> percent = ResidentMemoryPercent(*fs);
  ASSERT_TRUE(percent);
  EXPECT_LE(*percent, 100u);
}

TEST(ResidentMemoryPercent, IsUnknownWhereTheSystemDoesNotSay) {
  SimulatedFileSystem fs(1);
  EXPECT_FALSE(ResidentMemoryPercent(fs));
}

}  // namespace
}  // namespace akidb::env
