#include "env/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace akidb::env {
namespace {

Descriptor Copy(const Descriptor& descriptor) {
  return Descriptor(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
}

TEST(SharedMemory, IsSeenByAllThatHaveIt) {
  Result<SharedMemory> made = SharedMemory::Create(10'000);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  Result<SharedMemory> opened = SharedMemory::Open(Copy(made->descriptor()));
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  ASSERT_EQ(opened->bytes().size(), 10'000u);
  EXPECT_EQ(opened->bytes().back(), std::byte{0});
  made->bytes().back() = std::byte{7};
  EXPECT_EQ(opened->bytes().back(), std::byte{7});
  const SharedMemory moved = std::move(*opened);
  EXPECT_EQ(moved.bytes().back(), std::byte{7});
}

// Who could would end the others by SIGBUS.
TEST(SharedMemory, CannotBeMadeSmaller) {
  Result<SharedMemory> made = SharedMemory::Create(10'000);
  ASSERT_TRUE(made.ok());
  EXPECT_NE(::ftruncate(made->descriptor().get(), 1), 0);
  EXPECT_EQ(errno, EPERM);
}

TEST(SharedMemory, OpensNothingElse) {
  EXPECT_EQ(SharedMemory::Open(Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC))).status().code(),
            ErrorCode::kCorruption);
  EXPECT_EQ(SharedMemory::Open(Descriptor()).status().code(), ErrorCode::kCorruption);
  Descriptor unsealed(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(unsealed.get(), 4096), 0);
  EXPECT_EQ(SharedMemory::Open(std::move(unsealed)).status().code(), ErrorCode::kCorruption);
}

TEST(SharedMemory, NobodyHasThatMuch) { EXPECT_FALSE(SharedMemory::Create(size_t{1} << 62).ok()); }

}  // namespace
}  // namespace akidb::env
