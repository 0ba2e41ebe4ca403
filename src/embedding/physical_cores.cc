#include "embedding/physical_cores.h"

#include <algorithm>
#include <set>
#include <string>

#include <sched.h>

namespace akidb::embedding {

int PhysicalCores(env::FileSystem& fs) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  std::set<std::string> cores;  // by the list of hardware threads that share a core
  for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string name = std::to_string(cpu);
    Result<std::string> siblings = env::ReadWholeFile(
        fs, "/sys/devices/system/cpu/cpu" + name + "/topology/thread_siblings_list", 1 << 16);
    cores.insert(siblings.ok() ? *siblings : "cpu" + name);
  }
  return std::max(1, static_cast<int>(cores.size()));
}

}  // namespace akidb::embedding
