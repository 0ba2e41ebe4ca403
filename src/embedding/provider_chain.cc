#include "embedding/provider_chain.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.h"
#include "embedding/without_exceptions.h"

namespace akidb::embedding {
namespace {

// What another try can't mend. Files of a session that was in service before may be so again: they
// are away while another version is put there.
bool IsForGood(const Status& status, bool has_served) {
  if (status.code() == ErrorCode::kUnsupported) return true;
  return !has_served &&
         (status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kInvalidArgument);
}

// What a damaged engine can't be to blame for: it isn't read, or there is no room for it.
bool IsNotOfEngines(const Status& status) {
  return status.code() == ErrorCode::kUnsupported || status.code() == ErrorCode::kInvalidArgument ||
         status.code() == ErrorCode::kResourceExhausted || status.code() == ErrorCode::kIo ||
         status.code() == ErrorCode::kNotFound || status.code() == ErrorCode::kCancelled;
}

// Failures of a provider, whatever was asked of it. On the processor a batch alone can be too
// large, or take too long: a new session wouldn't do better.
bool IsItsOwn(Provider provider, const Status& status) {
  return status.code() == ErrorCode::kUnavailable ||
         (RunsOnGpu(provider) && (status.code() == ErrorCode::kResourceExhausted ||
                                  status.code() == ErrorCode::kDeadlineExceeded));
}

// Items `begin` to `begin + count`, padded as the whole is.
TokenBatch PartOf(const TokenBatch& batch, size_t begin, size_t count) {
  const auto from = static_cast<ptrdiff_t>(begin * batch.tokens);
  const auto to = static_cast<ptrdiff_t>((begin + count) * batch.tokens);
  TokenBatch part;
  part.items = count;
  part.tokens = batch.tokens;
  part.ids.assign(batch.ids.begin() + from, batch.ids.begin() + to);
  part.mask.assign(batch.mask.begin() + from, batch.mask.begin() + to);
  part.lengths.assign(batch.lengths.begin() + static_cast<ptrdiff_t>(begin),
                      batch.lengths.begin() + static_cast<ptrdiff_t>(begin + count));
  return part;
}

}  // namespace

// One link and what became of it.
struct ProviderChain::Slot {
  Slot(ProviderLink made_of, const CircuitBreaker::Options& options, uint64_t seed)
      : link(std::move(made_of)), breaker(options, seed) {}

  const ProviderLink link;
  // Of who makes its session.
  bool kept_deleted = false;
  bool make_again = false;  // the last try failed by what was kept, which is deleted
  LoadProgress making{};    // once the chain has started
  // The rest is guarded by the chain's mutex.
  LinkState state = LinkState::kWaiting;
  bool waited_for = false;  // while it is being made: there is none to serve meanwhile
  std::shared_ptr<Session> session;
  bool has_served = false;
  CircuitBreaker::Clock::time_point served_since;
  CircuitBreaker breaker;
  Status why;
  uint64_t failures = 0;
};

ProviderChain::ProviderChain(std::vector<ProviderLink> links, ProviderChainOptions options,
                             Logger& log)
    : options_(std::move(options)), log_(log), watch_(options_.run_timeout), slots_([&] {
        std::vector<std::unique_ptr<Slot>> slots;
        for (ProviderLink& link : links) {
          const uint64_t seed = options_.seed + slots.size();
          slots.push_back(std::make_unique<Slot>(std::move(link), options_.breaker, seed));
        }
        return slots;
      }()) {}

ProviderChain::~ProviderChain() {
  StopMaking();
  if (mender_.joinable()) mender_.join();
}

void ProviderChain::StopMaking() {
  MutexLock lock(mutex_);
  stopping_ = true;
  for (const std::unique_ptr<Slot>& slot : slots_) slot->making.control().Stop();
  changed_.NotifyAll();
}

void ProviderChain::GiveBack() {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    MutexLock lock(mutex_);
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (slot->session != nullptr) sessions.push_back(slot->session);
    }
  }
  for (const std::shared_ptr<Session>& session : sessions) session->GiveBack();
}

Result<std::unique_ptr<ProviderChain>> ProviderChain::Start(std::vector<ProviderLink> links,
                                                            ProviderChainOptions options,
                                                            Logger& log, LoadProgress* progress) {
  AKIDB_CHECK(!links.empty());
  std::unique_ptr<ProviderChain> chain(
      new ProviderChain(std::move(links), std::move(options), log));
  AKIDB_RETURN_IF_ERROR(chain->StartFirst(progress));
  return chain;
}

Status ProviderChain::StartFirst(LoadProgress* asked) {
  LoadProgress unasked;
  LoadProgress& progress = asked != nullptr ? *asked : unasked;
  Status failure;
  bool started = false;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    const bool is_last = slot == slots_.back();
    if (slot->link.slow && !is_last) {
      MutexLock lock(mutex_);
      slot->state = LinkState::kBuilding;
      continue;
    }
    Result<std::shared_ptr<Session>> made = Make(*slot, progress);
    MutexLock lock(mutex_);
    failure = Install(*slot, std::move(made));
    started = failure.ok();
    if (started) break;
    AKIDB_RETURN_IF_ERROR(progress.Check());
  }
  // Only those that take long are left: now they are waited for.
  for (const std::unique_ptr<Slot>& slot : slots_) {
    while (!started && slot->state == LinkState::kBuilding) {
      Result<std::shared_ptr<Session>> made = Make(*slot, progress);
      MutexLock lock(mutex_);
      const Status status = Install(*slot, std::move(made));
      started = status.ok();
      AKIDB_RETURN_IF_ERROR(progress.Check());
      if (slot == slots_.back()) failure = status;
    }
  }
  FreeDropped();
  MutexLock lock(mutex_);
  if (NextToMend() != nullptr && started) StartMending();
  return started ? OkStatus() : failure;
}

// Runs as long as a run may take, and as the load is wanted.
class ProviderChain::TimedSession final : public Session {
 public:
  TimedSession(ProviderChain& chain, Session& session, LoadProgress& progress)
      : chain_(chain), session_(session), progress_(progress) {}
  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    progress_.control().Attach([&control] { control.Stop(); });
    const Attached attached{progress_};
    return chain_.RunOnce(session_, {batch, control, use});
  }

 private:
  struct Attached {
    LoadProgress& progress;
    ~Attached() { progress.control().Detach(); }
  };

  ProviderChain& chain_;
  Session& session_;
  LoadProgress& progress_;
};

Result<std::shared_ptr<Session>> ProviderChain::Make(Slot& slot, LoadProgress& progress) {
  Result<std::shared_ptr<Session>> made =
      WithoutExceptions([&] { return MakeAndProve(slot, progress); });
  // Whatever a stopped one ended by says nothing of its engines.
  if (!made.ok()) AKIDB_RETURN_IF_ERROR(progress.Check());
  slot.make_again = !made.ok() && DeleteKept(slot, made.status());
  return made;
}

Result<std::shared_ptr<Session>> ProviderChain::MakeAndProve(const Slot& slot,
                                                             LoadProgress& progress) {
  AKIDB_RETURN_IF_ERROR(progress.Check());
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, slot.link.make(&progress));
  AKIDB_RETURN_IF_ERROR(progress.Check());
  progress.Enter(LoadPhase::kProving);
  TimedSession timed(*this, *session, progress);
  AKIDB_RETURN_IF_ERROR(options_.prove(timed));
  return std::shared_ptr<Session>(std::move(session));
}

std::shared_ptr<Session> ProviderChain::Build(Slot& slot) {
  try {
    Result<std::shared_ptr<Session>> made = Make(slot, slot.making);
    MutexLock lock(mutex_);
    // Lost while it was made: that stands, and who waited has been told.
    if (slot.state != LinkState::kBuilding) return nullptr;
    std::shared_ptr<Session> session = made.ok() ? *made : nullptr;
    (void)Install(slot, std::move(made));
    return session;
  } catch (const std::exception&) {
    // There isn't even room to say so. It must not stay in the making.
    MutexLock lock(mutex_);
    slot.waited_for = false;
    changed_.NotifyAll();
    if (slot.state == LinkState::kBuilding) {
      slot.state = LinkState::kOpen;
      slot.breaker.Trip(CircuitBreaker::Clock::now());
    }
    return nullptr;
  }
}

bool ProviderChain::DeleteKept(Slot& slot, const Status& why) {
  if (!slot.link.delete_kept || slot.kept_deleted || IsNotOfEngines(why)) return false;
  slot.kept_deleted = true;
  Result<bool> deleted = WithoutExceptions([&] { return slot.link.delete_kept(); });
  if (deleted.ok() && !*deleted) return false;
  const std::string provider(NamesOf(slot.link.provider).runtime);
  const std::string end = deleted.ok() ? "" : ", which failed: " + deleted.status().ToString();
  log_.Write(LogLevel::kWarning, "provider_engines_deleted",
             "its kept engines may be damaged and are deleted" + end +
                 "; the session failed with " + std::string(why.message()),
             {{"model", options_.model_id}, {"provider", provider}});
  // A GPU that is lost to this process can't show whether it was that.
  const bool is_lost = why.code() == ErrorCode::kUnavailable && slot.link.shares_fate;
  return deleted.ok() && !is_lost;
}

Status ProviderChain::Install(Slot& slot, Result<std::shared_ptr<Session>> made) {
  slot.waited_for = false;
  changed_.NotifyAll();
  if (made.ok()) {
    Serve(slot, std::move(made).value());
    return OkStatus();
  }
  Judge(slot, made.status());
  return made.status();
}

void ProviderChain::Serve(Slot& slot, std::shared_ptr<Session> session) {
  slot.session = std::move(session);
  slot.has_served = true;
  slot.served_since = CircuitBreaker::Clock::now();
  slot.state = LinkState::kReady;
  slot.why = OkStatus();
  slot.breaker.HalfOpen();
  log_.Write(LogLevel::kInfo, "provider_ready", "a session has proved itself",
             {{"model", options_.model_id},
              {"provider", std::string(NamesOf(slot.link.provider).runtime)}});
  // What served in its place would only take memory.
  const auto own = std::find_if(slots_.begin(), slots_.end(),
                                [&](const auto& other) { return other.get() == &slot; });
  for (auto other = own + 1; other != slots_.end(); ++other) {
    if ((*other)->state != LinkState::kReady) continue;
    Drop(**other);
    (*other)->state = LinkState::kWaiting;
  }
}

void ProviderChain::Judge(Slot& slot, const Status& failure) {
  const bool for_good = IsForGood(failure, slot.has_served);
  slot.why = failure;
  if (slot.make_again) {
    slot.state = LinkState::kBuilding;
  } else if (for_good) {
    slot.state = LinkState::kRefused;
  } else {
    slot.state = LinkState::kOpen;
    slot.breaker.Trip(CircuitBreaker::Clock::now());
  }
  // That a provider isn't there is nothing to warn of, unless its device is.
  const bool failed = failure.code() != ErrorCode::kUnsupported || slot.link.expected;
  slot.failures += failed ? 1 : 0;
  log_.Write(failed ? LogLevel::kWarning : LogLevel::kInfo, "provider_refused", failure.message(),
             {{"model", options_.model_id},
              {"provider", std::string(NamesOf(slot.link.provider).runtime)}});
  if (failure.code() == ErrorCode::kUnavailable && slot.link.shares_fate) LoseShared(failure);
}

std::shared_ptr<Session> ProviderChain::Take(Slot& slot) {
  {
    MutexLock lock(mutex_);
    if (!mending_ && NextToMend() != nullptr) StartMending();
    while (slot.state == LinkState::kBuilding && slot.waited_for) changed_.Wait(mutex_);
    if (slot.state == LinkState::kReady) {
      const Status lost = slot.session->Lost();
      if (lost.ok()) return slot.session;
      Replace(slot, lost);
    }
    if (slot.state != LinkState::kWaiting) return nullptr;
    slot.state = LinkState::kBuilding;
    slot.waited_for = true;
  }
  // Not the slot's: a better one may be in service by now, and the slot be empty again.
  std::shared_ptr<Session> session = Build(slot);
  {
    MutexLock lock(mutex_);
    if (NextToMend() != nullptr) StartMending();
  }
  FreeDropped();
  return session;
}

void ProviderChain::Replace(Slot& slot, const Status& lost) {
  ++slot.failures;
  const CircuitBreaker::Clock::time_point now = CircuitBreaker::Clock::now();
  const bool lived = now - slot.served_since >= slot.breaker.pause();
  if (!slot.link.shares_fate && lived && !AnotherMayServe(slot)) {
    TakeOut(slot, lost);
    slot.state = LinkState::kWaiting;
    return;
  }
  slot.breaker.Trip(now);
  Open(slot, lost);
  if (slot.link.shares_fate) LoseShared(lost);
}

bool ProviderChain::AnotherMayServe(const Slot& slot) const {
  const auto own = std::find_if(slots_.begin(), slots_.end(),
                                [&](const auto& other) { return other.get() == &slot; });
  return std::any_of(own + 1, slots_.end(), [](const std::unique_ptr<Slot>& other) {
    return other->state != LinkState::kOpen && other->state != LinkState::kRefused;
  });
}

Status ProviderChain::Run(const TokenBatch& batch, RunControl& control, const Use& use) {
  std::vector<Failure> failures;
  Status last;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    std::shared_ptr<Session> session = Take(*slot);
    if (session == nullptr) continue;
    last = RunOn(*slot, *session, {batch, control, use});
    if (last.code() == ErrorCode::kCancelled) return last;
    if (last.ok()) {
      Succeeded(*slot, session, failures);
      return last;
    }
    if (IsItsOwn(slot->link.provider, last)) {
      Failed({*slot, std::move(session), last});
    } else {
      failures.push_back({*slot, std::move(session), last});
    }
  }
  if (last.ok()) return NobodyCan();
  // What fails everywhere may be the batch's fault, and counts for nobody.
  if (last.code() != ErrorCode::kDeadlineExceeded) return last;
  return UnavailableError(std::string(last.message()));
}

// At most, of one run.
size_t ProviderChain::ItemsOf(const ProviderLink& link, const TokenBatch& batch) {
  size_t items = batch.items;
  if (link.items_max > 0) items = std::min(items, link.items_max);
  if (link.tokens_max > 0) {
    items = std::min(items, std::max<size_t>(1, link.tokens_max / batch.tokens));
  }
  return items;
}

Status ProviderChain::RunOn(const Slot& slot, Session& session, const Work& work) {
  const size_t whole = work.batch.items;
  const size_t items = ItemsOf(slot.link, work.batch);
  Status status = items == whole ? RunOnce(session, work) : RunInParts(session, work, items);
  if (status.code() != ErrorCode::kResourceExhausted || items < 2) return status;
  return RunInParts(session, work, (items + 1) / 2);
}

Status ProviderChain::RunOnce(Session& session, const Work& work) {
  if (options_.run_timeout.count() == 0) return session.Run(work.batch, work.control, work.use);
  // Of its own, so that a run that took too long is told from one that nobody wants any more.
  RunControl own;
  work.control.Attach([&own] { own.Stop(); });
  Status status;
  bool timed_out = false;
  {
    RunWatch::Guard guard(watch_, own);
    status = session.Run(work.batch, own, work.use);
    timed_out = guard.timed_out();
  }
  work.control.Detach();
  if (status.ok()) return status;
  if (work.control.stopped()) return CancelledError("the inference was stopped");
  // Where its process had to be killed, that is more than a run that took too long.
  if (!timed_out || status.code() == ErrorCode::kUnavailable) return status;
  return DeadlineExceededError("a run took longer than " +
                               std::to_string(options_.run_timeout.count()) + " ms");
}

Status ProviderChain::RunInParts(Session& session, const Work& work, size_t items_max) {
  const TokenBatch& batch = work.batch;
  std::vector<float> values;
  HiddenStates whole;
  const Use keep = [&](const HiddenStates& states) {
    values.insert(values.end(), states.values.begin(), states.values.end());
    whole = states;
    return OkStatus();
  };
  for (size_t begin = 0; begin < batch.items; begin += items_max) {
    const TokenBatch part = PartOf(batch, begin, std::min(items_max, batch.items - begin));
    AKIDB_RETURN_IF_ERROR(RunOnce(session, {part, work.control, keep}));
  }
  whole.items = batch.items;
  whole.values = values;
  return work.use(whole);
}

void ProviderChain::Succeeded(Slot& slot, const std::shared_ptr<Session>& session,
                              const std::vector<Failure>& before) {
  {
    MutexLock lock(mutex_);
    if (slot.session == session) slot.breaker.Succeed();
    for (const Failure& failure : before) {
      ++failure.slot.failures;
      // Another thread may have seen the same before, and a new session be there.
      if (failure.slot.session != failure.session) continue;
      failure.slot.breaker.Fail(CircuitBreaker::Clock::now());
      if (failure.slot.breaker.is_open()) Open(failure.slot, failure.status);
    }
    if (slot.session == session && BetterIsReady(slot, before)) {
      Drop(slot);
      slot.state = LinkState::kWaiting;
    }
  }
  FreeDropped();
}

bool ProviderChain::BetterIsReady(const Slot& slot, const std::vector<Failure>& before) const {
  const auto own = std::find_if(slots_.begin(), slots_.end(),
                                [&](const auto& other) { return other.get() == &slot; });
  return std::any_of(slots_.begin(), own, [&](const std::unique_ptr<Slot>& better) {
    const bool failed = std::any_of(before.begin(), before.end(), [&](const Failure& failure) {
      return failure.session == better->session;
    });
    return better->state == LinkState::kReady && !failed;
  });
}

void ProviderChain::Failed(const Failure& failure) {
  {
    MutexLock lock(mutex_);
    Slot& slot = failure.slot;
    ++slot.failures;
    if (slot.session == failure.session) {
      slot.breaker.Trip(CircuitBreaker::Clock::now());
      Open(slot, failure.status);
    }
    if (failure.status.code() == ErrorCode::kUnavailable && slot.link.shares_fate) {
      LoseShared(failure.status);
    }
  }
  FreeDropped();
}

void ProviderChain::LoseShared(const Status& why) {
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (!slot->link.shares_fate) continue;
    slot->state = LinkState::kRefused;
    slot->why = why.WithContext("lost until a restart");
    Drop(*slot);
  }
  changed_.NotifyAll();
}

void ProviderChain::Drop(Slot& slot) {
  if (slot.session) dropped_.push_back(std::move(slot.session));
  slot.session = nullptr;
}

void ProviderChain::FreeDropped() {
  std::vector<std::shared_ptr<Session>> dropped;
  MutexLock lock(mutex_);
  dropped.swap(dropped_);
  // The lock ends before the list does.
}

void ProviderChain::Open(Slot& slot, const Status& why) {
  slot.state = LinkState::kOpen;
  TakeOut(slot, why);
  StartMending();
}

void ProviderChain::TakeOut(Slot& slot, const Status& why) {
  slot.why = why;
  Drop(slot);
  log_.Write(LogLevel::kError, "provider_failed", why.message(),
             {{"model", options_.model_id},
              {"provider", std::string(NamesOf(slot.link.provider).runtime)}});
}

Status ProviderChain::NobodyCan() const {
  std::string reasons;
  for (const ProviderState& state : Providers()) {
    reasons += "; " + std::string(NamesOf(state.provider).runtime) + " is " +
               std::string(NameOf(state.state)) + (state.reason.empty() ? "" : ": " + state.reason);
  }
  return UnavailableError("no provider can run model " + options_.model_id + " now" + reasons);
}

std::vector<ProviderState> ProviderChain::Providers() const {
  MutexLock lock(mutex_);
  std::vector<ProviderState> states;
  bool served = false;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    ProviderState& state = states.emplace_back();
    state.provider = slot->link.provider;
    state.variant = slot->link.variant;
    state.state = slot->state;
    state.reason = std::string(slot->why.message());
    const Status lost = slot->session ? slot->session->Lost() : OkStatus();
    if (!lost.ok()) {
      state.state = LinkState::kWaiting;  // for the next run, which misses it
      state.reason = std::string(lost.message());
    }
    state.failures = slot->failures;
    state.serves = !served && state.state == LinkState::kReady;
    served = served || state.serves;
    if (slot->session != nullptr) state.nodes = slot->session->Nodes();
    if (slot->state != LinkState::kOpen) continue;
    const std::chrono::duration<double> left =
        slot->breaker.retry_at() - CircuitBreaker::Clock::now();
    state.retry_in_s = std::max(0.0, left.count());
  }
  return states;
}

uint64_t ProviderChain::MemoryBytes() const {
  MutexLock lock(mutex_);
  uint64_t bytes = 0;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot->session != nullptr) bytes += slot->session->MemoryBytes();
  }
  return bytes;
}

bool ProviderChain::Refused() const {
  MutexLock lock(mutex_);
  return std::all_of(slots_.begin(), slots_.end(), [](const std::unique_ptr<Slot>& slot) {
    return slot->state == LinkState::kRefused;
  });
}

void ProviderChain::StartMending() {
  changed_.NotifyAll();
  if (mending_ || stopping_) return;
  mending_ = true;
  // The last one has nothing left to do but to end.
  if (mender_.joinable()) mender_.join();
  try {
    mender_ = std::thread([this] { Mend(); });
  } catch (const std::exception&) {
    mending_ = false;  // the next run tries again
  }
}

// A slot that is to be built at once, or else the open one whose time comes first.
ProviderChain::Slot* ProviderChain::NextToMend() const {
  Slot* next = nullptr;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot->state == LinkState::kBuilding && !slot->waited_for) return slot.get();
    if (slot->state != LinkState::kOpen) continue;
    if (next == nullptr || slot->breaker.retry_at() < next->breaker.retry_at()) next = slot.get();
  }
  return next;
}

void ProviderChain::Mend() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    Slot* slot = NextToMend();
    if (slot == nullptr) break;
    if (slot->state == LinkState::kOpen) {
      if (CircuitBreaker::Clock::now() < slot->breaker.retry_at()) {
        changed_.WaitUntil(mutex_, slot->breaker.retry_at());
        continue;
      }
      slot->state = LinkState::kBuilding;
    }
    mutex_.unlock();
    (void)Build(*slot);
    FreeDropped();
    mutex_.lock();
  }
  mending_ = false;
}

}  // namespace akidb::embedding
