#include "env/process_usage.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace akidb::env {
namespace {

TEST(ProcessUsage, GrowsWithWhatIsAllocated) {
  const ProcessUsage before = ReadProcessUsage();
  EXPECT_GT(before.resident_bytes, 0u);
  EXPECT_GE(before.threads, 1u);
  EXPECT_GE(before.cpu_seconds, 0);
  const std::string much(size_t{64} << 20, 'x');
  const ProcessUsage after = ReadProcessUsage();
  EXPECT_GE(after.allocated_bytes, before.allocated_bytes + much.size());
  EXPECT_GT(after.resident_bytes, before.resident_bytes);
}

TEST(ProcessUsage, ThePeakIsThatSinceItWasForgotten) {
  // Given back to the system at once, as the heap of a sanitizer isn't.
  constexpr size_t kMuch = size_t{64} << 20;
  void* much = ::mmap(nullptr, kMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(much, MAP_FAILED);
  std::memset(much, 'x', kMuch);
  ASSERT_EQ(::munmap(much, kMuch), 0);
  const ProcessUsage peak = ReadProcessUsage();
  EXPECT_GE(peak.peak_resident_bytes, kMuch);
  if (!ForgetPeakResident()) GTEST_SKIP() << "/proc/self/clear_refs can't be written";
  EXPECT_LT(ReadProcessUsage().peak_resident_bytes, peak.peak_resident_bytes);
}

}  // namespace
}  // namespace akidb::env
