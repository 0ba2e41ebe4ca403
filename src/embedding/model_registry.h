// Which models are loaded: each from its first use on, as many as the bounds allow, the least
// recently used one leaving when another needs its room.
//
// A model that is in use is never taken away, nor one that is pinned: where only such are left, the
// load is refused and the bounds hold. A load that several ask for at once happens once, and is
// stopped for another where nobody has waited for it for a while. The
// registry doesn't know what a model is or how it is made: that is its source's business. It holds
// no lock while a model is loaded, used or destroyed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/blocking_section.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/request_context.h"
#include "base/status.h"
#include "embedding/embedder.h"
#include "embedding/load_progress.h"
#include "embedding/pipeline.h"

namespace akidb::embedding {

// Where models come from. Thread-safe; called without a lock, of one model by one thread at a time.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  virtual Result<std::unique_ptr<Pipeline>> LoadModel(size_t model, LoadProgress& progress) = 0;
  // The model's pipeline is gone, and with it what was kept for it.
  virtual void Forget(size_t model) = 0;
};

struct RegistryOptions {
  struct Model {
    std::string id;
    uint64_t bytes = 0;  // that it takes while it is loaded; more where more is measured
    bool pinned = false;
  };
  std::vector<Model> models;  // meant by their index
  size_t models_max = 3;      // loaded at a time, pinned ones among them; at least 1
  // Of all that are loaded; 0: as many as models_max allows. Where a model takes more than was
  // known before it was loaded, others that nobody uses leave for it, or for the next load; one
  // that isn't pinned and is beyond this by itself fails to load.
  uint64_t bytes_max = 0;
  std::chrono::steady_clock::duration retry_pause = std::chrono::seconds(1);
  // A load that nobody has waited for so long gives way to another: it may hang.
  std::chrono::steady_clock::duration unwanted_max = std::chrono::seconds(10);
  // Its end is waited for so long before a model that serves goes in its place.
  std::chrono::steady_clock::duration stop_max = std::chrono::seconds(10);
};

// Thread-safe.
class ModelRegistry {
 private:
  struct Slot;

 public:
  // `source` and `log` outlive it.
  ModelRegistry(RegistryOptions options, ModelSource& source, Logger& log);
  // What still goes on ends with kUnavailable; waits until it has.
  ~ModelRegistry();
  ModelRegistry(const ModelRegistry&) = delete;
  ModelRegistry& operator=(const ModelRegistry&) = delete;

  // Keeps a model loaded for as long as it lives.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : registry_(std::exchange(other.registry_, nullptr)),
          slot_(other.slot_),
          pipeline_(other.pipeline_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (registry_ != nullptr) registry_->Release(*slot_);
    }
    Pipeline& pipeline() const { return *pipeline_; }

   private:
    friend class ModelRegistry;
    Lease(ModelRegistry& registry, Slot& slot, Pipeline& pipeline)
        : registry_(&registry), slot_(&slot), pipeline_(&pipeline) {}
    ModelRegistry* registry_;
    Slot* slot_;
    Pipeline* pipeline_;
  };

  // Loads the model where it isn't. Why loading failed is said again until `retry_pause` is over;
  // then it is tried anew, as is one whose providers are all refused; where that doesn't help, or
  // it is beyond bytes_max, with pauses that double up to 5 minutes. kResourceExhausted: there is
  // no room beside models that are in use; kUnavailable: nor would there be without these, or this
  // is being destroyed; kDeadlineExceeded, kCancelled: while the load was waited for, which goes on
  // for others. Waiting is a BlockingSection; kResourceExhausted, too, where that can't be entered.
  Result<Lease> Use(const RequestContext& context, size_t model);

  // Loads it now, even if that failed a moment ago, and anew where no provider serves.
  Status Load(const RequestContext& context, size_t model);

  // Takes it away; requests that use it end well, and it goes with the last of them, while new ones
  // wait and load it anew. A load is stopped. Returns when it is gone, and at once where it wasn't
  // loaded. kInvalidArgument: it is pinned; kDeadlineExceeded, kCancelled: it is still in use, and
  // will go; kResourceExhausted: likewise, and too many requests wait for this one to.
  Status Unload(const RequestContext& context, size_t model);

  // The program is about to end: loads are stopped, and none begins any more (kUnavailable).
  void StopLoading() AKIDB_EXCLUDES(mutex_);

  struct State {
    // kInstalled: not loaded; kFailed: the last load failed; never kAbsent.
    ModelState state = ModelState::kInstalled;
    Status failure;
    std::optional<double> failed_seconds_ago;  // of the last load, while none has succeeded since
    std::optional<LoadState> loading;
    uint64_t bytes = 0;                    // that it counts for
    size_t requests = 0;                   // that use it
    std::vector<ProviderState> providers;  // of a loaded one, as the rest
    size_t queued = 0;                     // texts that wait to be run
    std::vector<RunTime> run_times;
  };
  State state(size_t model) const;

  ModelStatistics statistics() const;

 private:
  class Wanting;
  enum class Stage : uint8_t { kUnloaded, kWaiting, kLoading, kReady, kDraining };

  // A number of models and what they take.
  struct Amount {
    size_t models = 0;
    uint64_t bytes = 0;
  };

  Result<Lease> Acquire(const RequestContext& context, Slot& slot, bool retry_at_once);
  // Has it leave, at once or with its last request.
  void Drain(Slot& slot, std::string_view why) AKIDB_REQUIRES(mutex_);
  void Release(Slot& slot) AKIDB_EXCLUDES(mutex_);
  // Whether no provider can run it any more, and a load may help.
  static bool IsToBeLoadedAnew(Slot& slot, bool at_once);
  // Others that nobody uses leave where it takes more than was known.
  void MakeRoomForMeasured(Slot& slot) AKIDB_REQUIRES(mutex_);
  void TellThatLessIsUsed() AKIDB_REQUIRES(mutex_);
  // Makes room, and has a thread of its own load it.
  Status BeginLoad(const RequestContext& context, Slot& slot) AKIDB_REQUIRES(mutex_);
  void LoadInto(Slot& slot) AKIDB_EXCLUDES(mutex_);
  Result<std::unique_ptr<Pipeline>> LoadLogged(Slot& slot) AKIDB_EXCLUDES(mutex_);
  Status MakeRoom(const RequestContext& context, const Slot& slot) AKIDB_REQUIRES(mutex_);
  Status NoRoom(const Slot& slot) const AKIDB_REQUIRES(mutex_);
  // Destroys its pipeline, without the lock.
  void Retire(Slot& slot) AKIDB_REQUIRES(mutex_);
  Slot* LeastRecentlyUsed() const AKIDB_REQUIRES(mutex_);
  // Whether it may make room for others.
  bool MayGo(const Slot& slot) const;
  // Whether it leaves, or its load is stopped.
  static bool IsGoing(const Slot& slot);
  // Likewise, and nothing but its own end is waited for.
  bool EndsSoon(const Slot& slot) const;
  // Takes it away, or has its load stopped.
  void MakeWay(Slot& slot, const Slot& other) AKIDB_REQUIRES(mutex_);
  bool IsBusy() const AKIDB_REQUIRES(mutex_);
  bool FitsBeside(const Amount& others, const Slot& slot) const;
  // Of all models that are loaded, and of those for which `kind` holds.
  template <typename Kind>
  Amount AmountOf(Kind kind) const AKIDB_REQUIRES(mutex_);
  static bool IsHeld(const Slot& slot);
  static uint64_t BytesOf(const Slot& slot);
  Status WaitForChange(const RequestContext& context) AKIDB_REQUIRES(mutex_);
  // Before a wait or a load; `away` is of a scope around the lock's.
  static Status Leave(BlockingSection& away);

  const size_t models_max_;
  const uint64_t bytes_max_;
  const std::chrono::steady_clock::duration retry_pause_;
  const std::chrono::steady_clock::duration unwanted_max_;
  const std::chrono::steady_clock::duration stop_max_;
  ModelSource& source_;
  Logger& log_;
  std::vector<std::unique_ptr<Slot>> slots_;  // fixed; their states are guarded by mutex_

  mutable Mutex mutex_;
  CondVar changed_;  // a slot is at another stage, or its last request has ended
  bool stopping_ AKIDB_GUARDED_BY(mutex_) = false;
  bool loads_end_ AKIDB_GUARDED_BY(mutex_) = false;
  uint64_t uses_ AKIDB_GUARDED_BY(mutex_) = 0;
  size_t waiting_ AKIDB_GUARDED_BY(mutex_) = 0;      // in WaitForChange
  size_t making_room_ AKIDB_GUARDED_BY(mutex_) = 0;  // of them, for less to be used
  ModelStatistics counted_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::embedding
