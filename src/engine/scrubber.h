// Reads sealed files again, slowly, and compares them with the hashes that manifests give, so that
// damage of the medium is found before the day when somebody needs what it has eaten.
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

namespace akidb::engine {

struct ScrubOptions {
  uint64_t bytes_per_second = uint64_t{8} << 20;  // at most; above 0
  // From the end of a round to the next one, and from Run to the first one; 0: there is none.
  std::chrono::seconds interval{std::chrono::hours(24 * 7)};
};

struct ScrubDamage {
  std::string collection;  // its UUID, which names its folder
  std::string what;        // file and reason
};

struct ScrubReport {
  static constexpr size_t kDamagesMax = 100;

  bool running = false;
  uint64_t rounds = 0;  // that came to their end
  uint64_t files = 0;   // read, of all rounds
  uint64_t bytes = 0;
  int64_t last_round_micros = 0;     // when the last one ended, since the Unix epoch; 0: none has
  uint64_t damaged = 0;              // files, as the last round to its end found
  std::vector<ScrubDamage> damages;  // the first kDamagesMax of them
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
  // `folder` holds one folder for each collection.
  Scrubber(const Environment& environment, std::string folder, const ScrubOptions& options)
      : fs_(environment.fs),
        clock_(environment.clock),
        log_(environment.log),
        folder_(std::move(folder)),
        options_(options) {}

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
  bool ScrubCollection(const Uuid& uuid, const Pause& pause);
  // False: stop.
  bool ScrubFile(const Uuid& uuid, const storage::FileRef& file, const Pause& pause);
  // As the file is now; nothing when it was told to stop.
  Result<std::string> Compare(const std::string& path, const storage::FileRef& file,
                              const Pause& pause);
  // Whether a manifest still names it.
  bool IsNamed(const Uuid& uuid, const storage::FileRef& file) const;
  void Found(const Uuid& uuid, std::string what);

  env::FileSystem& fs_;
  env::Clock& clock_;
  Logger& log_;
  const std::string folder_;
  const ScrubOptions options_;
  mutable Mutex mutex_;
  CondVar stopping_;
  bool stop_ AKIDB_GUARDED_BY(mutex_) = false;
  ScrubReport report_ AKIDB_GUARDED_BY(mutex_);
  // Of the running round; whoever asks sees the one before until it ends.
  uint64_t damaged_ = 0;
  std::vector<ScrubDamage> damages_;
};

}  // namespace akidb::engine
