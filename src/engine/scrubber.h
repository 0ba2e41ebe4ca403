// Reads sealed files again, slowly, and compares them with the hashes that manifests give; closed
// logs and the system log's checkpoint, too, which have checksums of their own. So damage of the
// medium is found before the day when somebody needs what it has eaten.
// docs/ops/scrub.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "env/clock.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "types/uuid.h"

namespace akidb::storage {
struct Manifest;
}  // namespace akidb::storage

namespace akidb::engine {

struct ScrubOptions {
  uint64_t bytes_per_second = uint64_t{8} << 20;  // at most; above 0
  // From the end of a round to the next one, and from Run to the first one; 0: there is none.
  std::chrono::seconds interval{std::chrono::hours(24 * 7)};
};

struct ScrubDamage {
  std::string collection;  // its UUID, which names its folder; "system": the system log's folder
  std::string what;        // file and reason
};

struct ScrubReport {
  static constexpr size_t kDamagesMax = 100;

  bool running = false;
  uint64_t rounds = 0;  // that came to their end
  uint64_t files = 0;   // read, of all rounds; a log is one
  uint64_t bytes = 0;
  int64_t last_round_micros = 0;     // when the last one ended, since the Unix epoch; 0: none has
  uint64_t damaged = 0;              // files, as the last round to its end found
  std::vector<ScrubDamage> damages;  // the first kDamagesMax of them
  uint64_t unread = 0;               // files that the last round could not read, for other reasons
};

// Run and RunRound belong to one thread; all else is thread-safe.
class Scrubber {
 public:
  // Outlives the object.
  struct Environment {
    env::FileSystem& fs;
    env::Clock& clock;
    Logger& log;
  };
  Scrubber(const Environment& environment, const std::string& data_folder,
           const ScrubOptions& options);

  // Rounds until Stop.
  void Run();
  void Stop();

  // Waits, and tells whether to go on.
  using Pause = std::function<bool(std::chrono::microseconds)>;
  // One round. A collection or file that goes meanwhile is none of its business.
  void RunRound(const Pause& pause);

  ScrubReport report() const;

 private:
  bool PauseFor(std::chrono::microseconds time) AKIDB_EXCLUDES(mutex_);
  // These: false to stop.
  bool ScrubCheckpoint(const Pause& pause);
  bool ScrubCollection(const Uuid& uuid, const Pause& pause);
  bool ScrubFile(const Uuid& uuid, const storage::FileRef& file, const Pause& pause);
  // Of a collection that isn't open: an open one has been read, and is being written to.
  bool ScrubLog(const Uuid& uuid, const storage::Manifest& manifest, const Pause& pause);
  // Whether nobody has opened the log since, or cut it: then it is told what is wrong with it.
  bool IsStillClosed(const Uuid& uuid, const storage::Manifest& manifest) const;
  // Counts a file, unless it was stopped within it.
  bool Ended() AKIDB_EXCLUDES(mutex_);
  // Counts the bytes, and waits as long as they take at the rate that is allowed.
  bool Took(uint64_t bytes, const Pause& pause) AKIDB_EXCLUDES(mutex_);
  std::string DirectoryOf(const Uuid& uuid) const;
  // As the file is now; nothing when it was told to stop.
  Result<std::string> Compare(const std::string& path, const storage::FileRef& file,
                              const Pause& pause);
  // Whether a manifest still names it.
  bool IsNamed(const Uuid& uuid, const storage::FileRef& file) const;
  void Found(const std::string& collection, std::string what);
  // Damage, or why it can't be read. `failure` is not ok.
  void Failed(const std::string& collection, const Status& failure);

  env::FileSystem& fs_;
  env::Clock& clock_;
  Logger& log_;
  const std::string system_folder_;
  const std::string folder_;  // holds one folder for each collection
  const ScrubOptions options_;
  mutable Mutex mutex_;
  CondVar stopping_;
  bool stop_ AKIDB_GUARDED_BY(mutex_) = false;
  ScrubReport report_ AKIDB_GUARDED_BY(mutex_);
  // Of the running round; whoever asks sees the one before until it ends.
  uint64_t damaged_ = 0;
  std::vector<ScrubDamage> damages_;
  uint64_t unread_ = 0;
};

}  // namespace akidb::engine
