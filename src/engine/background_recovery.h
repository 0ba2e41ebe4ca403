// Recovers what was not closed cleanly, one collection after the other, before somebody asks for
// it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/elapsed.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/mutex.h"
#include "engine/collection_state.h"
#include "env/file_system.h"
#include "types/uuid.h"

namespace akidb::engine {

// Whether the collection in the folder was closed, and can be left alone until somebody asks: its
// manifest counts and names files that are there, and its log ends with a closing mark behind what
// the manifest vouches for. Some small reads; keeps nothing and changes nothing. False wherever
// something is wrong, the disk included: opening tells what.
bool WasClosedCleanly(env::FileSystem& fs, const std::string& directory, const Uuid& uuid);

// A thread of low priority that goes over a list of names once. Thread-safe.
class BackgroundRecovery {
 public:
  enum class Outcome : unsigned char { kNothingToDo, kRecovered, kTroubled };
  // Looks at one, which may have gone meanwhile, and recovers it if need be. On the thread.
  using Step = std::function<Outcome(const std::string& name)>;

  explicit BackgroundRecovery(Logger& log) : log_(log) {}
  ~BackgroundRecovery() { Stop(); }
  BackgroundRecovery(const BackgroundRecovery&) = delete;
  BackgroundRecovery& operator=(const BackgroundRecovery&) = delete;

  // The first call alone does something, and none after Stop.
  void Begin(std::vector<std::string> names, Step step);
  // Waits for the step that runs; none comes after it.
  void Stop();
  // Whether Stop has been called: a long step may ask in between.
  bool stopping() const { return stopping_; }

  RecoveryReport report() const;

 private:
  void Run(const std::vector<std::string>& names, const Step& step);

  Logger& log_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  RecoveryReport report_ AKIDB_GUARDED_BY(mutex_);  // `seconds` once it has ended
  SteadyClock::time_point begin_ AKIDB_GUARDED_BY(mutex_);
  std::unique_ptr<Executor> thread_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::engine
