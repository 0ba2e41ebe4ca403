#include "env/process_usage.h"

#include <fstream>
#include <string>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

namespace akidb::env {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

ProcessUsage ReadProcessUsage() {
  ProcessUsage usage;
  uint64_t pages = 0;
  uint64_t resident = 0;
  if (std::ifstream statm("/proc/self/statm"); statm >> pages >> resident) {
    usage.resident_bytes = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:" && status >> usage.peak_resident_bytes) usage.peak_resident_bytes *= 1024;
    if (word == "Threads:" && status >> usage.threads) break;
  }
  const struct mallinfo2 heap = mallinfo2();
  usage.allocated_bytes = heap.uordblks + heap.hblkhd;
  rusage times{};
  if (getrusage(RUSAGE_SELF, &times) == 0) {
    usage.cpu_seconds = Seconds(times.ru_utime) + Seconds(times.ru_stime);
  }
  return usage;
}

// "5" resets the mark (proc(5), clear_refs).
bool ForgetPeakResident() {
  std::ofstream clear_refs("/proc/self/clear_refs");
  return static_cast<bool>(clear_refs << "5" << std::flush);
}

}  // namespace akidb::env
