#include "cli/selftest/machine.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>
#include <utility>

#include "embedding/physical_cores.h"
#include "env/memory_use.h"
#include "env/system_file.h"
#include "simd/kernels.h"

namespace akidb::cli {
namespace {

// Of the kernel's asm/cputype.h, for Arm's own designs (implementer 0x41).
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kArmParts = {{
    {"0xd0b", "Cortex-A76"},
    {"0xd0c", "Neoverse-N1"},
    {"0xd40", "Neoverse-V1"},
    {"0xd42", "Cortex-A78AE"},
    {"0xd49", "Neoverse-N2"},
    {"0xd4f", "Neoverse-V2"},
    {"0xd83", "Neoverse-V3AE"},
    {"0xd84", "Neoverse-V3"},
    {"0xd8e", "Neoverse-N3"},
}};
constexpr int kCachesMax = 16;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank(" \t\r\n\0", 5);
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// What stands behind "label :" in the first line that begins so; empty if none does.
std::string_view ValueOf(std::string_view text, std::string_view label) {
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == text.npos) end = text.size();
    const std::string_view line = text.substr(at, end - at);
    const size_t colon = line.find(':');
    if (colon != line.npos && Trimmed(line.substr(0, colon)) == label) {
      return Trimmed(line.substr(colon + 1));
    }
    at = end + 1;
  }
  return "";
}

uint64_t LargestCache(env::FileSystem& fs) {
  uint64_t largest = 0;
  for (int i = 0; i < kCachesMax; ++i) {
    const std::string size = env::ReadSystemFile(
        fs, "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/size");
    if (size.empty()) break;
    largest = std::max(largest, CacheBytes(size));
  }
  return largest;
}

}  // namespace

std::string ProcessorName(std::string_view cpuinfo) {
  if (std::string_view name = ValueOf(cpuinfo, "model name"); !name.empty()) {
    return std::string(name);
  }
  const std::string_view implementer = ValueOf(cpuinfo, "CPU implementer");
  const std::string_view part = ValueOf(cpuinfo, "CPU part");
  if (part.empty()) return "";
  if (implementer == "0x41") {
    for (const auto& [number, name] : kArmParts) {
      if (number == part) return "Arm " + std::string(name);
    }
  }
  return "Arm, implementer " + std::string(implementer) + ", part " + std::string(part);
}

uint64_t CacheBytes(std::string_view size) {
  size = Trimmed(size);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), number);
  if (error != std::errc()) return 0;
  const std::string_view unit(end, static_cast<size_t>(size.data() + size.size() - end));
  if (unit == "K") return number << 10;
  if (unit == "M") return number << 20;
  return unit.empty() ? number : 0;
}

// "# R36 (release), REVISION: 4.3, GCID: …".
std::string JetsonLinux(std::string_view release) {
  const size_t at = release.find('R');
  if (!release.starts_with('#') || at == release.npos) return "";
  const std::string_view line = release.substr(at, release.find('\n', at) - at);
  std::string text(line.substr(0, line.find_first_of(" ,")));
  constexpr std::string_view kRevision = "REVISION:";
  if (const size_t revision = line.find(kRevision); revision != line.npos) {
    const std::string_view rest = line.substr(revision + kRevision.size());
    text.append(", revision ").append(Trimmed(rest.substr(0, rest.find(','))));
  }
  return text;
}

MachineFacts LookAtMachine(env::FileSystem& fs) {
  MachineFacts facts;
  facts.processor.name = ProcessorName(env::ReadSystemFile(fs, "/proc/cpuinfo"));
  facts.processor.board = Trimmed(env::ReadSystemFile(fs, "/proc/device-tree/model"));
  facts.processor.simd = simd::BestKernels().name;
  facts.processor.logical = std::max(1u, std::thread::hardware_concurrency());
  facts.processor.physical = static_cast<uint32_t>(embedding::PhysicalCores(fs));
  facts.processor.largest_cache_bytes = LargestCache(fs);
  if (const auto memory = env::ReadMachineMemory(fs)) {
    facts.memory_bytes = memory->total_bytes;
    facts.available_bytes = memory->available_bytes;
  }
  static_cast<embedding::GpuFacts&>(facts.gpu) = embedding::LookAtGpus(fs);
  facts.gpu.jetson_linux = JetsonLinux(env::ReadSystemFile(fs, "/etc/nv_tegra_release"));
  facts.gpu.power_mode = Trimmed(env::ReadSystemFile(fs, "/var/lib/nvpmodel/status"));
  return facts;
}

}  // namespace akidb::cli
