// Recovers what was not closed cleanly, some collections at a time, before somebody asks for it.
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
#include "engine/collection.h"
#include "engine/collection_state.h"
#include "env/file_system.h"
#include "types/uuid.h"

namespace akidb::engine {

// Whether the collection in the folder was closed, and can be left alone until somebody asks: its
// manifest counts and names files that are there, and its log ends with a closing mark behind what
// the manifest vouches for. Some small reads; keeps nothing and changes nothing. False wherever
// something is wrong, the disk included: opening tells what.
bool WasClosedCleanly(env::FileSystem& fs, const std::string& directory, const Uuid& uuid);

// Threads of low priority that go over a list of names once, together. Thread-safe.
class BackgroundRecovery {
 public:
  enum class Outcome : unsigned char { kNothingToDo, kRecovered, kTroubled };
  // Looks at one, which may have gone meanwhile, and recovers it if need be. On one of the threads.
  using Step = std::function<Outcome(const std::string& name)>;

  // Of a step that has opened the collection, or tried to.
  static Outcome OutcomeOf(const Status& opened);

  // Both outlive the object; what others count in `torn_tails` is part of the report.
  BackgroundRecovery(Logger& log, const TornTails& torn_tails)
      : log_(log), torn_tails_(torn_tails) {}
  ~BackgroundRecovery() { Stop(); }
  BackgroundRecovery(const BackgroundRecovery&) = delete;
  BackgroundRecovery& operator=(const BackgroundRecovery&) = delete;

  // The first call alone does something, and none after Stop. Where no thread can be had it is done
  // at once, and nothing is recovered.
  void Begin(std::vector<std::string> names, int threads, Step step);
  // Waits for the steps that run; none comes after them.
  void Stop();
  // Whether Stop has been called: a long step may ask in between.
  bool stopping() const { return stopping_; }

  RecoveryReport report() const;

 private:
  // What the threads share.
  struct Work {
    std::vector<std::string> names;
    Step step;
    std::atomic<size_t> next{0};  // of names
    std::atomic<int> running{0};  // threads that have not found its end
  };

  void Run(Work& work);
  void TellEnd();

  Logger& log_;
  const TornTails& torn_tails_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  RecoveryReport report_ AKIDB_GUARDED_BY(mutex_);  // `seconds` once it has ended
  SteadyClock::time_point begin_ AKIDB_GUARDED_BY(mutex_);
  std::unique_ptr<Executor> threads_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::engine
