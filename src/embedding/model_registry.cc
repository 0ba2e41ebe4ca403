#include "embedding/model_registry.h"

#include <algorithm>
#include <exception>
#include <new>
#include <thread>

#include <pthread.h>

namespace akidb::embedding {
namespace {

using std::chrono::steady_clock;

// A cancelled context tells nobody, so who waits looks at it this often: of many each looks more
// rarely, so that all together wake no more than this many would.
constexpr std::chrono::milliseconds kCancelPoll{10};
constexpr size_t kOftenPolled = 16;

// Between loads of a model that each made nothing better.
constexpr steady_clock::duration kRetryPauseMax = std::chrono::minutes(5);

Status TooManyWait(const std::string& so) {
  return ResourceExhaustedError("too many requests wait for models" + so);
}

}  // namespace

struct ModelRegistry::Slot {
  size_t index = 0;
  RegistryOptions::Model model;
  LoadProgress progress{};
  Stage stage = Stage::kUnloaded;
  std::unique_ptr<Pipeline> pipeline{};  // while ready or draining
  uint64_t measured = 0;  // bytes that it took when it rested, of this load or the last
  size_t requests = 0;
  uint64_t last_use = 0;
  uint64_t retired = 0;                     // times that its pipeline was destroyed
  size_t wanted = 0;                        // requests that wait until it is loaded
  steady_clock::time_point wanted_until{};  // by the last of them, while there is none
  uint64_t loads = 0;                       // that have ended
  Status failure{};                         // of the last one, unless it was stopped
  // What those that waited for the last one are told. Ok, too, where an unload has stopped it: they
  // load it anew.
  Status outcome{};
  std::thread loader{};
  bool too_large = false;                 // what was loaded last; of the loader
  steady_clock::time_point ended_at{};    // the last load
  steady_clock::time_point stopped_at{};  // likewise, by who doesn't wait for ever
  // Where it was loaded anew in vain, until one has served for as long: before the next such load.
  steady_clock::duration pause{};

  bool HasPaused(steady_clock::duration least = {}) const {
    return steady_clock::now() - ended_at >= std::max(least, pause);
  }
  void Lengthen(steady_clock::duration first) {
    pause = std::min(std::max(first, 2 * pause), kRetryPauseMax);
  }
  void StopLoad() {
    if (!progress.Check().ok()) return;
    stopped_at = steady_clock::now();
    progress.control().Stop();
  }
};

// Under the registry's lock.
class ModelRegistry::Wanting {
 public:
  Wanting(ModelRegistry& registry, Slot& slot) : registry_(registry), slot_(slot) {
    ++slot_.wanted;
  }
  ~Wanting() {
    if (--slot_.wanted > 0) return;
    slot_.wanted_until = steady_clock::now();
    registry_.TellThatLessIsUsed();
  }
  Wanting(const Wanting&) = delete;
  Wanting& operator=(const Wanting&) = delete;

 private:
  ModelRegistry& registry_;
  Slot& slot_;
};

ModelRegistry::ModelRegistry(RegistryOptions options, ModelSource& source, Logger& log)
    : models_max_(std::max<size_t>(1, options.models_max)),
      bytes_max_(options.bytes_max),
      retry_pause_(options.retry_pause),
      unwanted_max_(options.unwanted_max),
      stop_max_(options.stop_max),
      source_(source),
      log_(log) {
  for (RegistryOptions::Model& model : options.models) {
    auto slot = std::make_unique<Slot>();
    slot->index = slots_.size();
    slot->model = std::move(model);
    slots_.push_back(std::move(slot));
  }
}

ModelRegistry::~ModelRegistry() {
  StopLoading();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (slot->pipeline) slot->pipeline->Stop();
    }
    while (IsBusy()) changed_.Wait(mutex_);
  }
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot->loader.joinable()) slot->loader.join();
  }
}

void ModelRegistry::StopLoading() {
  MutexLock lock(mutex_);
  loads_end_ = true;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot->stage == Stage::kLoading) slot->progress.control().Stop();
    if (slot->pipeline) slot->pipeline->StopMaking();
  }
  changed_.NotifyAll();
}

bool ModelRegistry::IsBusy() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const std::unique_ptr<Slot>& slot) {
    return slot->requests > 0 || slot->wanted > 0 ||
           (slot->stage != Stage::kUnloaded && slot->stage != Stage::kReady);
  });
}

Result<ModelRegistry::Lease> ModelRegistry::Use(const RequestContext& context, size_t model) {
  return Acquire(context, *slots_[model], /*retry_at_once=*/false);
}

Status ModelRegistry::Load(const RequestContext& context, size_t model) {
  return Acquire(context, *slots_[model], /*retry_at_once=*/true).status();
}

Result<ModelRegistry::Lease> ModelRegistry::Acquire(const RequestContext& context, Slot& slot,
                                                    bool retry_at_once) {
  BlockingSection away;
  MutexLock lock(mutex_);
  const Wanting wanting(*this, slot);
  while (true) {
    if (stopping_) return UnavailableError("the models are being unloaded");
    if (slot.stage == Stage::kReady) {
      if (!IsToBeLoadedAnew(slot, retry_at_once)) break;
      AKIDB_RETURN_IF_ERROR(Leave(away));
      if (!retry_at_once) slot.Lengthen(retry_pause_);
      Drain(slot, "none of its providers can run it; it is loaded anew");
    }
    if (slot.stage == Stage::kUnloaded) {
      const bool just_failed = !slot.failure.ok() && !slot.HasPaused(retry_pause_);
      if (just_failed && !retry_at_once) return slot.failure;
      AKIDB_RETURN_IF_ERROR(Leave(away));
      AKIDB_RETURN_IF_ERROR(BeginLoad(context, slot));
    }
    AKIDB_RETURN_IF_ERROR(Leave(away));
    const bool is_load = slot.stage == Stage::kWaiting || slot.stage == Stage::kLoading;
    // Whose load was waited for has its outcome, too.
    if (is_load) retry_at_once = false;
    const uint64_t before = slot.loads;
    while (slot.loads == before && slot.stage != Stage::kReady && slot.stage != Stage::kUnloaded) {
      if (Status status = WaitForChange(context); !status.ok()) {
        return is_load ? status.WithContext("while model " + slot.model.id + " was loaded")
                       : status;
      }
    }
    if (slot.loads != before && !slot.outcome.ok()) return slot.outcome;
  }
  ++slot.requests;
  slot.last_use = ++uses_;
  return Lease(*this, slot, *slot.pipeline);
}

// Where another load was in vain a moment ago its requests are told why nothing can run it.
bool ModelRegistry::IsToBeLoadedAnew(Slot& slot, bool at_once) {
  const bool refused = slot.pipeline->Refused();
  if (!refused && slot.HasPaused()) slot.pause = {};
  return at_once ? refused || !slot.pipeline->Serves() : refused && slot.HasPaused();
}

void ModelRegistry::Release(Slot& slot) {
  MutexLock lock(mutex_);
  --slot.requests;
  if (slot.requests > 0) return;
  if (slot.stage == Stage::kDraining) {
    Retire(slot);
  } else {
    slot.measured = slot.pipeline->MemoryBytes();
    TellThatLessIsUsed();
  }
}

void ModelRegistry::MakeRoomForMeasured(Slot& slot) {
  slot.measured = slot.pipeline->MemoryBytes();
  while (bytes_max_ > 0) {
    const Amount held =
        AmountOf([this](const Slot& other) { return IsHeld(other) && !EndsSoon(other); });
    Slot* victim = held.bytes > bytes_max_ ? LeastRecentlyUsed() : nullptr;
    if (victim == nullptr || victim == &slot) return;
    MakeWay(*victim, slot);
  }
}

// Those that wait for a load aren't woken by each use of another model.
void ModelRegistry::TellThatLessIsUsed() {
  if (making_room_ > 0 || stopping_) changed_.NotifyAll();
}

Status ModelRegistry::BeginLoad(const RequestContext& context, Slot& slot) {
  slot.progress.Begin();
  slot.stage = Stage::kWaiting;
  if (Status room = MakeRoom(context, slot); !room.ok()) {
    slot.stage = Stage::kUnloaded;
    ++counted_.refused_loads;
    changed_.NotifyAll();
    return room;
  }
  slot.stage = Stage::kLoading;
  // It has ended, but for its last steps behind the lock.
  if (slot.loader.joinable()) slot.loader.join();
  try {
    slot.loader = std::thread([this, &slot] { LoadInto(slot); });
    ::pthread_setname_np(slot.loader.native_handle(), "model load");
  } catch (const std::exception& exception) {
    slot.stage = Stage::kUnloaded;
    changed_.NotifyAll();
    return ResourceExhaustedError("model " + slot.model.id +
                                  " can't be loaded without a thread: " + exception.what());
  }
  return OkStatus();
}

void ModelRegistry::LoadInto(Slot& slot) {
  Result<std::unique_ptr<Pipeline>> pipeline = LoadLogged(slot);
  MutexLock lock(mutex_);
  slot.outcome = pipeline.status();
  if (slot.outcome.code() == ErrorCode::kCancelled && !slot.progress.control().stopped()) {
    // Else it would be tried again at once, and for ever.
    slot.outcome = UnavailableError(std::string(slot.outcome.message()));
  }
  slot.failure = slot.outcome;
  if (slot.outcome.code() == ErrorCode::kCancelled) {
    slot.failure = slot.outcome = OkStatus();
    if (loads_end_) slot.outcome = UnavailableError("the server is about to stop");
  }
  const bool in_vain = slot.too_large || slot.pause.count() > 0;
  if (!slot.failure.ok() && in_vain) slot.Lengthen(retry_pause_);
  slot.ended_at = steady_clock::now();
  if (pipeline.ok()) {
    slot.pipeline = std::move(pipeline).value();
    // Unlocks, which nothing behind the next stage may: another load of it waits for this thread.
    MakeRoomForMeasured(slot);
  }
  slot.stage = slot.pipeline ? Stage::kReady : Stage::kUnloaded;
  if (slot.pipeline) ++counted_.loads;
  if (!slot.failure.ok()) ++counted_.failed_loads;
  ++slot.loads;
  changed_.NotifyAll();
}

Result<std::unique_ptr<Pipeline>> ModelRegistry::LoadLogged(Slot& slot) {
  Result<std::unique_ptr<Pipeline>> pipeline = InternalError("not loaded");
  try {
    pipeline = source_.LoadModel(slot.index, slot.progress);
  } catch (const std::bad_alloc&) {
    // It would leave the model at this stage for good.
    pipeline = UnavailableError("out of memory while model " + slot.model.id + " was loaded");
  } catch (const std::exception& exception) {
    pipeline =
        UnavailableError("while model " + slot.model.id + " was loaded: " + exception.what());
  }
  const uint64_t bytes = pipeline.ok() ? (*pipeline)->MemoryBytes() : 0;
  slot.too_large = bytes_max_ > 0 && bytes > bytes_max_ && !slot.model.pinned;
  if (slot.too_large) {
    pipeline = UnavailableError("model " + slot.model.id + " takes " + std::to_string(bytes) +
                                " bytes, more than the " + std::to_string(bytes_max_) +
                                " of models_bytes_max; raise models_bytes_max");
    source_.Forget(slot.index);
  }
  const double ms = slot.progress.state().seconds * 1000;
  const bool was_stopped =
      pipeline.status().code() == ErrorCode::kCancelled && slot.progress.control().stopped();
  if (was_stopped) {
    log_.Write(LogLevel::kInfo, "model_load_stopped", "nobody wants it any more",
               {{"model", slot.model.id}, {"dur_ms", ms}});
  } else if (pipeline.ok()) {
    log_.Write(LogLevel::kInfo, "model_loaded", "the model is ready",
               {{"model", slot.model.id}, {"dur_ms", ms}});
  } else {
    log_.Write(LogLevel::kWarning, "model_load_failed", pipeline.status().message(),
               {{"model", slot.model.id}, {"dur_ms", ms}});
  }
  return pipeline;
}

Status ModelRegistry::MakeRoom(const RequestContext& context, const Slot& slot) {
  while (true) {
    if (stopping_ || loads_end_) return UnavailableError("the models are being unloaded");
    if (FitsBeside(AmountOf([](const Slot& other) { return IsHeld(other); }), slot)) {
      return OkStatus();
    }
    // Nothing is taken away where that doesn't help.
    const Amount stays = AmountOf(
        [this](const Slot& other) { return IsHeld(other) && !IsGoing(other) && !MayGo(other); });
    if (!FitsBeside(stays, slot)) return NoRoom(slot);
    const Amount later =
        AmountOf([this](const Slot& other) { return IsHeld(other) && !EndsSoon(other); });
    Slot* victim = FitsBeside(later, slot) ? nullptr : LeastRecentlyUsed();
    if (victim != nullptr) {
      MakeWay(*victim, slot);
    } else {
      ++making_room_;
      const Status waited = WaitForChange(context);
      --making_room_;
      AKIDB_RETURN_IF_ERROR(waited);
    }
  }
}

void ModelRegistry::MakeWay(Slot& slot, const Slot& other) {
  const bool is_load = slot.stage == Stage::kLoading;
  log_.Write(LogLevel::kInfo, "model_evicted",
             is_load ? "its load, which nobody waits for, makes room for another"
                     : "it made room for another",
             {{"model", slot.model.id}, {"for", other.model.id}});
  if (is_load) {
    slot.StopLoad();
  } else {
    ++counted_.evictions;
    Retire(slot);
  }
}

Status ModelRegistry::NoRoom(const Slot& slot) const {
  std::string bounds = "at most " + std::to_string(models_max_) + " models are loaded at a time";
  if (bytes_max_ > 0) bounds += ", of " + std::to_string(bytes_max_) + " bytes together";
  const std::string what = "model " + slot.model.id + " (" + std::to_string(BytesOf(slot)) +
                           " bytes) can't be loaded: " + bounds;
  if (!FitsBeside({}, slot)) return UnavailableError(what + "; raise models_bytes_max");
  std::string pinned;
  std::string used;
  for (const std::unique_ptr<Slot>& other : slots_) {
    if (!IsHeld(*other) || MayGo(*other) || IsGoing(*other)) continue;
    std::string& names = other->model.pinned ? pinned : used;
    names += (names.empty() ? "" : ", ") + other->model.id;
  }
  const bool by_pins = !FitsBeside(
      AmountOf([](const Slot& other) { return IsHeld(other) && other.model.pinned; }), slot);
  if (by_pins) return UnavailableError(what + ", and pinned ones (" + pinned + ") leave no room");
  return ResourceExhaustedError(what + ", and others (" + used +
                                ") are in use; try again in a second");
}

void ModelRegistry::Retire(Slot& slot) {
  slot.stage = Stage::kDraining;
  std::unique_ptr<Pipeline> pipeline = std::move(slot.pipeline);
  mutex_.unlock();
  pipeline.reset();
  source_.Forget(slot.index);
  mutex_.lock();
  slot.stage = Stage::kUnloaded;
  ++slot.retired;
  changed_.NotifyAll();
}

void ModelRegistry::Drain(Slot& slot, std::string_view why) {
  slot.stage = Stage::kDraining;
  log_.Write(LogLevel::kInfo, "model_unloading", why, {{"model", slot.model.id}});
  if (slot.requests == 0) Retire(slot);
}

Status ModelRegistry::Unload(const RequestContext& context, size_t model) {
  Slot& slot = *slots_[model];
  if (slot.model.pinned) {
    return InvalidArgumentError("model " + slot.model.id +
                                " is pinned: take it out of the setting pinned_models first");
  }
  BlockingSection away;
  MutexLock lock(mutex_);
  if (slot.stage == Stage::kUnloaded) return OkStatus();
  // In its place it would hold up those that it waits for.
  const bool may_wait = away.Enter();
  const uint64_t loads = slot.loads;
  const auto is_coming = [&] {
    return slot.stage == Stage::kWaiting || slot.stage == Stage::kLoading;
  };
  while (is_coming() && slot.loads == loads) {
    if (slot.stage == Stage::kLoading) slot.StopLoad();
    if (!may_wait) return TooManyWait("; try again in a second");
    AKIDB_RETURN_IF_ERROR(WaitForChange(context));
  }
  // Another load is for those that came meanwhile, and may have ended already.
  const bool is_another = is_coming() || slot.loads > loads + 1;
  if (slot.stage == Stage::kUnloaded || is_another) return OkStatus();
  const uint64_t before = slot.retired;
  if (slot.stage == Stage::kReady) {
    ++counted_.unloads;
    Drain(slot, "it was asked to");
  }
  while (slot.retired == before) {
    if (!may_wait) return TooManyWait("; model " + slot.model.id + " goes with its last request");
    if (Status status = WaitForChange(context); !status.ok()) {
      return status.WithContext("model " + slot.model.id + " is unloaded when its last request, " +
                                "of " + std::to_string(slot.requests) + ", ends");
    }
  }
  return OkStatus();
}

bool ModelRegistry::IsHeld(const Slot& slot) {
  return slot.stage != Stage::kUnloaded && slot.stage != Stage::kWaiting;
}

uint64_t ModelRegistry::BytesOf(const Slot& slot) {
  return std::max(slot.model.bytes, slot.measured);
}

bool ModelRegistry::MayGo(const Slot& slot) const {
  if (slot.model.pinned || slot.requests > 0 || slot.wanted > 0) return false;
  if (slot.stage == Stage::kReady) return true;
  return slot.stage == Stage::kLoading && !IsGoing(slot) &&
         steady_clock::now() - slot.wanted_until >= unwanted_max_;
}

bool ModelRegistry::IsGoing(const Slot& slot) {
  return slot.stage == Stage::kDraining ||
         (slot.stage == Stage::kLoading && !slot.progress.Check().ok());
}

bool ModelRegistry::EndsSoon(const Slot& slot) const {
  if (!IsGoing(slot) || slot.requests > 0) return false;
  return slot.stage == Stage::kDraining || steady_clock::now() - slot.stopped_at < stop_max_;
}

ModelRegistry::Slot* ModelRegistry::LeastRecentlyUsed() const {
  Slot* found = nullptr;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (MayGo(*slot) && (found == nullptr || slot->last_use < found->last_use)) found = slot.get();
  }
  return found;
}

template <typename Kind>
ModelRegistry::Amount ModelRegistry::AmountOf(Kind kind) const {
  Amount amount;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (!kind(*slot)) continue;
    ++amount.models;
    amount.bytes += BytesOf(*slot);
  }
  return amount;
}

bool ModelRegistry::FitsBeside(const Amount& others, const Slot& slot) const {
  if (others.models >= models_max_) return false;
  // A load measures anew, so that what was measured before doesn't keep it away for good.
  const uint64_t bytes = std::max(slot.model.bytes, std::min(slot.measured, bytes_max_));
  return bytes_max_ == 0 || others.bytes + bytes <= bytes_max_;
}

Status ModelRegistry::WaitForChange(const RequestContext& context) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  const steady_clock::duration poll = kCancelPoll * std::max<size_t>(1, ++waiting_ / kOftenPolled);
  changed_.WaitUntil(mutex_, std::min(context.deadline(), steady_clock::now() + poll));
  --waiting_;
  return OkStatus();
}

Status ModelRegistry::Leave(BlockingSection& away) {
  return away.Enter() ? OkStatus() : TooManyWait("; try again in a second");
}

ModelRegistry::State ModelRegistry::state(size_t model) const {
  const Slot& slot = *slots_[model];
  MutexLock lock(mutex_);
  State state;
  state.bytes = BytesOf(slot);
  state.requests = slot.requests;
  if (!slot.failure.ok()) {
    const std::chrono::duration<double> since = steady_clock::now() - slot.ended_at;
    state.failed_seconds_ago = since.count();
  }
  switch (slot.stage) {
    case Stage::kUnloaded:
      state.failure = slot.failure;
      if (!slot.failure.ok()) state.state = ModelState::kFailed;
      break;
    case Stage::kWaiting:
    case Stage::kLoading:
      state.state = ModelState::kLoading;
      state.loading = slot.progress.state();
      break;
    case Stage::kReady:
      state.state = ModelState::kReady;
      state.providers = slot.pipeline->Providers();
      state.queued = slot.pipeline->queued();
      state.run_times = slot.pipeline->RunTimes();
      break;
    case Stage::kDraining:
      state.state = ModelState::kDraining;
      break;
  }
  return state;
}

ModelStatistics ModelRegistry::statistics() const {
  MutexLock lock(mutex_);
  ModelStatistics statistics = counted_;
  const Amount held = AmountOf([](const Slot& slot) {
    return slot.stage == Stage::kReady || slot.stage == Stage::kDraining;
  });
  statistics.models = held.models;
  statistics.bytes = held.bytes;
  return statistics;
}

}  // namespace akidb::embedding
