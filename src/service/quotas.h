// Limits of the memory and of the disk that this server uses, beyond which it takes no writes but
// deletions of points: docs/api/README.md, "Quotas". Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/status.h"
#include "env/file_system.h"
#include "service/quota_config_json.h"

namespace akidb::service {

// In percent; nothing where the system doesn't say.
struct QuotaUsage {
  std::optional<uint64_t> memory;
  std::optional<uint64_t> disk;
};
// Nothing for what isn't limited, or can't be measured.
struct QuotasExceeded {
  std::optional<bool> memory;
  std::optional<bool> disk;
};

class Quotas {
 public:
  // What is used of something in percent.
  using Meter = std::function<std::optional<uint64_t>()>;
  struct Meters {
    Meter memory;
    Meter disk;
    // Gives free memory that the process still holds back to the system; may be empty. Called when
    // too much is used, once a second at most.
    std::function<void()> return_memory = nullptr;
  };

  // Those kept in the file `path`; none are set where it is missing. kCorruption: a file that isn't
  // understood must not count as none. `fs` outlives the object.
  static Result<std::unique_ptr<Quotas>> Open(env::FileSystem& fs, std::string path, Meters meters);

  QuotaConfig config() const;
  QuotaUsage usage() const;
  QuotasExceeded exceeded();
  // Durable before it counts. What was exceeded is forgotten.
  Status Set(const QuotaConfig& config);
  // kStorageFull while a limit is exceeded: from where it is reached until use has fallen below it
  // by the margin, 5 percent if none is set. `but_memory`: something else limits that.
  Status Check(bool but_memory);

 private:
  // One of the two resources.
  struct Limit {
    std::string_view subject;    // "Disk usage"
    std::string_view whole;      // "total capacity"
    std::string_view remedy;     // "disk usage"
    std::string_view parameter;  // in the configuration
  };
  static const Limit kMemory;
  static const Limit kDisk;

  Quotas(env::FileSystem& fs, std::string path, Meters meters, const QuotaConfig& config)
      : fs_(fs), path_(std::move(path)), meters_(std::move(meters)), config_(config) {}

  // What is used, less what could be returned if that is beyond the limit.
  std::optional<uint64_t> MemoryUsed(uint64_t limit) AKIDB_EXCLUDES(mutex_);
  // Whether it is exceeded, by what is used now.
  bool Judge(uint64_t used, uint64_t limit, bool& tripped) const AKIDB_REQUIRES(mutex_);
  Status CheckLimit(const Limit& limit, const std::optional<uint64_t>& used) AKIDB_REQUIRES(mutex_);
  uint64_t ReleasedBelow(uint64_t limit) const AKIDB_REQUIRES(mutex_);

  env::FileSystem& fs_;
  const std::string path_;
  const Meters meters_;
  mutable Mutex mutex_;
  QuotaConfig config_ AKIDB_GUARDED_BY(mutex_);
  bool memory_tripped_ AKIDB_GUARDED_BY(mutex_) = false;
  bool disk_tripped_ AKIDB_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point next_return_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::service
