#include "env/memory_use.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <string_view>

namespace akidb::env {
namespace {

// These files have no size of their own.
std::string ReadStart(FileSystem& fs, const char* path) {
  std::array<char, 4096> text;
  Result<std::unique_ptr<File>> file = fs.Open(path, OpenMode::kRead);
  if (!file.ok()) return "";
  const Result<size_t> got =
      (*file)->ReadAt(0, std::as_writable_bytes(std::span<char>(text.data(), text.size())));
  return got.ok() ? std::string(text.data(), *got) : "";
}

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
  const auto resident_kb = NumberAfter(ReadStart(fs, "/proc/self/status"), "VmRSS:");
  const auto total_kb = NumberAfter(ReadStart(fs, "/proc/meminfo"), "MemTotal:");
  if (!resident_kb || !total_kb) return std::nullopt;
  uint64_t total = *total_kb;
  // "max" where there is no bound.
  if (const auto bound = NumberAfter(ReadStart(fs, "/sys/fs/cgroup/memory.max"), "")) {
    total = std::min(total, *bound / 1024);
  }
  return total == 0 ? std::nullopt : std::optional(*resident_kb * 100 / total);
}

}  // namespace akidb::env
