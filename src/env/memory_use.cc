#include "env/memory_use.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "env/system_file.h"

namespace akidb::env {
namespace {

// The first number after `label`.
std::optional<uint64_t> NumberAfter(std::string_view text, std::string_view label) {
  size_t at = text.find(label);
  if (at == text.npos) return std::nullopt;
  at = text.find_first_of("0123456789\n", at + label.size());
  uint64_t number = 0;
  if (at == text.npos) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<uint64_t> ResidentMemoryPercent(FileSystem& fs) {
  const auto resident_kb = NumberAfter(ReadSystemFile(fs, "/proc/self/status"), "VmRSS:");
  const auto total_kb = NumberAfter(ReadSystemFile(fs, "/proc/meminfo"), "MemTotal:");
  if (!resident_kb || !total_kb) return std::nullopt;
  uint64_t total = *total_kb;
  // "max" where there is no bound.
  if (const auto bound = NumberAfter(ReadSystemFile(fs, "/sys/fs/cgroup/memory.max"), "")) {
    total = std::min(total, *bound / 1024);
  }
  return total == 0 ? std::nullopt : std::optional(*resident_kb * 100 / total);
}

void ReturnFreeMemory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

std::optional<MachineMemory> ReadMachineMemory(FileSystem& fs) {
  const std::string meminfo = ReadSystemFile(fs, "/proc/meminfo");
  const auto total_kb = NumberAfter(meminfo, "MemTotal:");
  const auto available_kb = NumberAfter(meminfo, "MemAvailable:");
  if (!total_kb || !available_kb) return std::nullopt;
  return MachineMemory{*total_kb * 1024, *available_kb * 1024};
}

}  // namespace akidb::env
