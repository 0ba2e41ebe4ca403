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

TEST(MachineMemory, AvailableIsPartOfAll) {
  const std::unique_ptr<FileSystem> fs = MakePosixFileSystem();
  const std::optional<MachineMemory> memory = ReadMachineMemory(*fs);
  ASSERT_TRUE(memory);
  EXPECT_GT(memory->available_bytes, 0u);
  EXPECT_LE(memory->available_bytes, memory->total_bytes);
  SimulatedFileSystem empty(1);
  EXPECT_FALSE(ReadMachineMemory(empty));
}

}  // namespace
}  // namespace akidb::env
