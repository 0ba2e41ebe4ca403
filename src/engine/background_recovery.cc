#include "engine/background_recovery.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "base/check.h"
#include "engine/collection_log.h"
#include "storage/wal/closed_log.h"

namespace akidb::engine {
namespace {

// Requests come first.
constexpr int kRecoveryNice = 10;

}  // namespace

bool WasClosedCleanly(env::FileSystem& fs, const std::string& directory, const Uuid& uuid) {
  try {
    const Result<storage::Manifest> manifest = storage::ReadPublishedManifest(fs, directory, uuid);
    if (!manifest.ok() || !storage::CheckNamedFiles(fs, directory, *manifest).ok()) return false;
    const Result<bool> closed = storage::LogWasClosed(fs, LogOptionsOf(directory, *manifest));
    return closed.ok() && *closed;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

BackgroundRecovery::Outcome BackgroundRecovery::OutcomeOf(const Status& opened) {
  if (opened.ok()) return Outcome::kRecovered;
  const bool given_up =
      opened.code() == ErrorCode::kNotFound || opened.code() == ErrorCode::kCancelled;
  return given_up ? Outcome::kNothingToDo : Outcome::kTroubled;
}

void BackgroundRecovery::Begin(std::vector<std::string> names, int threads, Step step) {
  MutexLock lock(mutex_);
  if (stopping_ || report_.phase != RecoveryReport::Phase::kNotBegun) return;
  report_.phase = RecoveryReport::Phase::kRunning;
  report_.collections = names.size();
  begin_ = SteadyClock::now();
  threads = static_cast<int>(std::clamp<size_t>(names.size(), 1, static_cast<size_t>(threads)));
  try {
    threads_ = std::make_unique<Executor>(
        ExecutorOptions{.name = "recovery", .threads = threads, .nice = kRecoveryNice});
  } catch (const std::system_error& error) {
    // Whoever asks for a collection recovers it.
    log_.Write(LogLevel::kWarning, "recovery_not_begun", error.what());
    report_.phase = RecoveryReport::Phase::kDone;
    return;
  }
  const auto work = std::make_shared<Work>();  // shared among the threads
  work->running = threads;
  work->names = std::move(names);
  work->step = std::move(step);
  for (int i = 0; i < threads; ++i) {
    const Status submitted = threads_->Submit([this, work] { Run(*work); });
    AKIDB_CHECK(submitted.ok());  // its queue has room
  }
}

void BackgroundRecovery::Stop() {
  std::unique_ptr<Executor> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    threads = std::move(threads_);
  }
  if (threads) threads->Stop();
}

RecoveryReport BackgroundRecovery::report() const {
  MutexLock lock(mutex_);
  RecoveryReport report = report_;
  if (report.phase == RecoveryReport::Phase::kRunning) {
    report.seconds = MillisecondsSince(begin_) / 1000;
  }
  report.torn_logs = torn_tails_.logs;
  report.torn_records = torn_tails_.records;
  return report;
}

void BackgroundRecovery::Run(Work& work) {
  for (size_t i = work.next++; i < work.names.size(); i = work.next++) {
    if (stopping_) return;
    const Outcome outcome = work.step(work.names[i]);
    MutexLock lock(mutex_);
    ++report_.looked_at;
    if (outcome == Outcome::kRecovered) ++report_.recovered;
    if (outcome == Outcome::kTroubled) ++report_.troubled;
  }
  if (--work.running == 0) TellEnd();
}

void BackgroundRecovery::TellEnd() {
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
