// A session that is several: one for each execution provider, of which the first one that works
// runs.
//
// A session serves only after it has proved itself; made is not healthy. One whose provider fails
// where another succeeds, runs out of memory, is lost or doesn't end in time is taken out of
// service; the next in the chain runs, and in the background it is made anew and proved, with
// pauses that double (circuit_breaker.h). One that is lost while nobody runs it is missed by the
// next run, which is served all the same: by the next in the chain, or by a new session that the
// run waits for, unless the lost one had lived no longer than such a pause. A provider that takes
// long to start is started in the background while the next one serves, and takes over when it has
// proved itself. There is never a change to another model.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "base/status.h"
#include "embedding/circuit_breaker.h"
#include "embedding/load_progress.h"
#include "embedding/provider_state.h"
#include "embedding/run_watch.h"
#include "embedding/session.h"

namespace akidb::embedding {

struct ProviderLink {
  Provider provider = Provider::kCpu;
  std::string variant;  // of the model; for reports
  // Slow, and called by one thread at a time; `progress` may be null. kUnsupported is for good, and
  // kCorruption and kInvalidArgument are where no session was in service before; after another
  // error it is tried again.
  std::function<Result<std::unique_ptr<Session>>(LoadProgress* progress)> make;
  // Deletes what earlier sessions have kept for the next ones (engines), as it may be damaged;
  // false: there is nothing. Called once at most, when a session can't be made or proved. May be
  // empty.
  std::function<Result<bool>()> delete_kept = nullptr;
  bool slow = false;         // takes minutes: not waited for where another can serve
  size_t items_max = 0;      // of a run: larger batches are cut; 0: any
  size_t tokens_max = 0;     // likewise, padding included; one text may have more
  bool expected = false;     // that it isn't there is a failure
  bool shares_fate = false;  // when it is lost, so are all links of that kind, until a restart
};

struct ProviderChainOptions {
  std::string model_id;                     // for messages
  std::function<Status(Session&)> prove;    // that a session does what it should
  std::chrono::milliseconds run_timeout{};  // of one run; 0: none
  CircuitBreaker::Options breaker;
  uint64_t seed = 0;  // of the pauses' random part
};

// Thread-safe.
class ProviderChain final : public Session {
 public:
  // In the order of preference, at least one. Returns when one is ready, the others being tried
  // later or in the background. The error of the last one where none can be; kCancelled:
  // `progress`, which may be null, was stopped. `log` outlives it.
  static Result<std::unique_ptr<ProviderChain>> Start(std::vector<ProviderLink> links,
                                                      ProviderChainOptions options, Logger& log,
                                                      LoadProgress* progress);
  // Gives up what is being made, and waits for its end.
  ~ProviderChain() override;

  // No session is made any more; one that a worker process makes is given up (LoadProgress).
  void StopMaking() override AKIDB_EXCLUDES(mutex_);
  void GiveBack() override AKIDB_EXCLUDES(mutex_);

  // Session::Run; kUnavailable, too, when no provider can run at the moment.
  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override;

  uint64_t MemoryBytes() const override AKIDB_EXCLUDES(mutex_);
  std::vector<ProviderState> Providers() const override;
  // Whether every link is.
  bool Refused() const override AKIDB_EXCLUDES(mutex_);

 private:
  struct Slot;
  // Of a session, which may be another than the slot's by now.
  struct Failure {
    Slot& slot;
    std::shared_ptr<Session> session;
    Status status;
  };

  ProviderChain(std::vector<ProviderLink> links, ProviderChainOptions options, Logger& log);

  Status StartFirst(LoadProgress* progress) AKIDB_EXCLUDES(mutex_);
  // Makes a session and proves it, without the lock; deletes what was kept where that fails.
  Result<std::shared_ptr<Session>> Make(Slot& slot, LoadProgress& progress);
  Result<std::shared_ptr<Session>> MakeAndProve(const Slot& slot, LoadProgress& progress);
  // Makes a session of a slot that is being built, and installs it; null: it can't be made. Throws
  // nothing: this runs in a thread of its own, too.
  std::shared_ptr<Session> Build(Slot& slot) AKIDB_EXCLUDES(mutex_);
  // Whether it is worth another try without what was kept.
  bool DeleteKept(Slot& slot, const Status& why);
  // What became of that: puts it into service, or tells when to try again. Returns its error.
  Status Install(Slot& slot, Result<std::shared_ptr<Session>> made) AKIDB_REQUIRES(mutex_);
  void Serve(Slot& slot, std::shared_ptr<Session> session) AKIDB_REQUIRES(mutex_);
  void Judge(Slot& slot, const Status& failure) AKIDB_REQUIRES(mutex_);
  // The slot's session, made now if nobody needed it so far; null: it can't serve now.
  std::shared_ptr<Session> Take(Slot& slot) AKIDB_EXCLUDES(mutex_);
  // Takes a session that was lost while nobody ran it out of service.
  void Replace(Slot& slot, const Status& lost) AKIDB_REQUIRES(mutex_);
  // Whether a link behind the slot's may run what that can't.
  bool AnotherMayServe(const Slot& slot) const AKIDB_REQUIRES(mutex_);
  static size_t ItemsOf(const ProviderLink& link, const TokenBatch& batch);
  // What Run is asked for.
  struct Work {
    const TokenBatch& batch;
    RunControl& control;
    const Use& use;
  };
  class TimedSession;
  Status RunOn(const Slot& slot, Session& session, const Work& work);
  Status RunOnce(Session& session, const Work& work);
  // As runs of at most `items_max` each, and one call of `use`.
  Status RunInParts(Session& session, const Work& work, size_t items_max);
  void Succeeded(Slot& slot, const std::shared_ptr<Session>& session,
                 const std::vector<Failure>& before) AKIDB_EXCLUDES(mutex_);
  // Whether a link before the slot's came into service while the slot ran in its place: one that
  // isn't among those that failed `before` it.
  bool BetterIsReady(const Slot& slot, const std::vector<Failure>& before) const
      AKIDB_REQUIRES(mutex_);
  // By its own fault.
  void Failed(const Failure& failure) AKIDB_EXCLUDES(mutex_);
  // The device is gone, and with it every session on it.
  void LoseShared(const Status& why) AKIDB_REQUIRES(mutex_);
  // Takes a session out of service; it is destroyed by FreeDropped.
  void Drop(Slot& slot) AKIDB_REQUIRES(mutex_);
  void FreeDropped() AKIDB_EXCLUDES(mutex_);
  // Drops it and says why; the state is the caller's.
  void TakeOut(Slot& slot, const Status& why) AKIDB_REQUIRES(mutex_);
  void Open(Slot& slot, const Status& why) AKIDB_REQUIRES(mutex_);
  Status NobodyCan() const AKIDB_EXCLUDES(mutex_);
  void StartMending() AKIDB_REQUIRES(mutex_);
  void Mend() AKIDB_EXCLUDES(mutex_);
  Slot* NextToMend() const AKIDB_REQUIRES(mutex_);

  const ProviderChainOptions options_;
  Logger& log_;
  RunWatch watch_;
  const std::vector<std::unique_ptr<Slot>> slots_;  // their states are guarded by mutex_

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::shared_ptr<Session>> dropped_ AKIDB_GUARDED_BY(mutex_);
  bool stopping_ AKIDB_GUARDED_BY(mutex_) = false;
  bool mending_ AKIDB_GUARDED_BY(mutex_) = false;
  std::thread mender_;
};

}  // namespace akidb::embedding
