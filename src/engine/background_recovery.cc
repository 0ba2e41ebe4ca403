#include "engine/background_recovery.h"

#include "base/check.h"
#include "engine/collection_log.h"
#include "storage/wal/closed_log.h"

namespace akidb::engine {
namespace {

// Requests come first; one that waits for a collection that is being opened waits for this thread.
constexpr int kRecoveryNice = 10;

}  // namespace

bool WasClosedCleanly(env::FileSystem& fs, const std::string& directory, const Uuid& uuid) {
  const Result<storage::Manifest> manifest = storage::ReadPublishedManifest(fs, directory, uuid);
  if (!manifest.ok() || !storage::CheckNamedFiles(fs, directory, *manifest).ok()) return false;
  const Result<bool> closed = storage::LogWasClosed(fs, LogOptionsOf(directory, *manifest));
  return closed.ok() && *closed;
}

void BackgroundRecovery::Begin(std::vector<std::string> names, Step step) {
  MutexLock lock(mutex_);
  if (stopping_ || report_.phase != RecoveryReport::Phase::kNotBegun) return;
  report_.phase = RecoveryReport::Phase::kRunning;
  report_.collections = names.size();
  begin_ = SteadyClock::now();
  thread_ = std::make_unique<Executor>(ExecutorOptions{.name = "recovery", .nice = kRecoveryNice});
  const Status submitted = thread_->Submit(
      [this, names = std::move(names), step = std::move(step)] { Run(names, step); });
  AKIDB_CHECK(submitted.ok());  // its queue is empty
}

void BackgroundRecovery::Stop() {
  std::unique_ptr<Executor> thread;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  if (thread) thread->Stop();
}

RecoveryReport BackgroundRecovery::report() const {
  MutexLock lock(mutex_);
  RecoveryReport report = report_;
  if (report.phase == RecoveryReport::Phase::kRunning) {
    report.seconds = MillisecondsSince(begin_) / 1000;
  }
  return report;
}

void BackgroundRecovery::Run(const std::vector<std::string>& names, const Step& step) {
  for (const std::string& name : names) {
    if (stopping_) return;
    const Outcome outcome = step(name);
    MutexLock lock(mutex_);
    ++report_.looked_at;
    if (outcome == Outcome::kRecovered) ++report_.recovered;
    if (outcome == Outcome::kTroubled) ++report_.troubled;
  }
  const RecoveryReport counts = report();
  log_.Write(LogLevel::kInfo, "recovery_ended",
             "collections that were not closed cleanly are recovered, but for those in trouble",
             {{"looked_at", counts.looked_at},
              {"recovered", counts.recovered},
              {"troubled", counts.troubled},
              {"dur_ms", counts.seconds * 1000}});
  MutexLock lock(mutex_);
  report_ = counts;
  report_.phase = RecoveryReport::Phase::kDone;
}

}  // namespace akidb::engine
