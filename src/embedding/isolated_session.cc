#include "embedding/isolated_session.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <variant>

#include "env/shared_memory.h"

namespace akidb::embedding {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = env::ReceivedMessage::Kind;

// How long a process may take to be reaped once its sockets are closed.
constexpr std::chrono::seconds kEndTimeMax{2};
// Memory of a lane is taken in powers of two from here on, so that it is seldom made anew; pages
// that nobody touches take no room.
constexpr size_t kLaneBytesMin = size_t{1} << 20;
// More than that isn't kept for the next run.
constexpr size_t kLaneBytesKept = size_t{16} << 20;

// Of asking the libraries which GPUs there are.
constexpr std::chrono::seconds kLookTimeMax{60};

constexpr const char* kStrangeMessage = "it sent a message that no worker sends";

// Raises a signal when a load is stopped.
class StopSignal {
 public:
  // `progress` may be null.
  static Result<std::unique_ptr<StopSignal>> Create(LoadProgress* progress) {
    AKIDB_ASSIGN_OR_RETURN(env::WakeSignal signal, env::WakeSignal::Create());
    return std::unique_ptr<StopSignal>(new StopSignal(std::move(signal), progress));
  }
  ~StopSignal() {
    if (progress_ != nullptr) progress_->control().Detach();
  }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  const env::WakeSignal& signal() const { return signal_; }

 private:
  StopSignal(env::WakeSignal signal, LoadProgress* progress)
      : signal_(std::move(signal)), progress_(progress) {
    if (progress_ != nullptr) progress_->control().Attach([this] { signal_.Raise(); });
  }

  const env::WakeSignal signal_;
  LoadProgress* const progress_;
};

Result<GpuFacts> Look(const IsolationOptions& options, LoadProgress* progress) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<StopSignal> stop, StopSignal::Create(progress));
  AKIDB_ASSIGN_OR_RETURN(env::MessageSocket::Pair control, env::MessageSocket::MakePair());
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::WorkerProcess> process,
                         env::WorkerProcess::Start(options.worker, control.second));
  control.second.Close();
  AKIDB_RETURN_IF_ERROR(control.first.Send(EncodeMessage(LookRequest{})));
  std::vector<std::byte> buffer(env::MessageSocket::kMessageBytesMax);
  AKIDB_ASSIGN_OR_RETURN(const env::ReceivedMessage received,
                         control.first.Receive(buffer, {.deadline = Clock::now() + kLookTimeMax,
                                                        .wake = &stop->signal()}));
  if (received.kind == Kind::kWoken) return CancelledError("the load was stopped");
  if (received.kind == Kind::kTimedOut) return UnavailableError("its libraries don't answer");
  if (received.kind == Kind::kEnded) {
    const auto end = process->WaitForEnd(Clock::now() + kEndTimeMax);
    return UnavailableError("its libraries were asked, and ended the process by " +
                            end.value_or("an unknown cause"));
  }
  std::optional<SessionMessage> message = DecodeMessage(received.bytes);
  auto* report = message ? std::get_if<LookReport>(&*message) : nullptr;
  if (report == nullptr) return UnavailableError(kStrangeMessage);
  return std::move(report->gpu);
}

}  // namespace

GpuFacts LookAtGpusIsolated(const IsolationOptions& options, LoadProgress* progress) {
  Result<GpuFacts> looked = Look(options, progress);
  if (looked.ok()) return *std::move(looked);
  GpuFacts none;
  none.cuda_problem = std::string(looked.status().message());
  return none;
}

struct IsolatedSession::Lane {
  Lane(uint32_t lane_number, env::MessageSocket lane_socket, env::WakeSignal signal)
      : number(lane_number), socket(std::move(lane_socket)), cancelled(std::move(signal)) {}

  const uint32_t number;
  const env::MessageSocket socket;
  const env::WakeSignal cancelled;
  std::optional<env::SharedMemory> memory;
  uint64_t run = 0;  // the last one
  std::vector<std::byte> buffer = std::vector<std::byte>(env::MessageSocket::kMessageBytesMax);
};

IsolatedSession::IsolatedSession(const IsolationOptions& options, const SessionRequest& request,
                                 env::MessageSocket control)
    : model_id_(request.model_id),
      spec_(request.spec),
      cancel_grace_(options.cancel_grace),
      run_time_max_(options.run_time_max),
      control_(std::move(control)) {}

IsolatedSession::~IsolatedSession() = default;

Result<std::unique_ptr<IsolatedSession>> IsolatedSession::Open(const IsolationOptions& options,
                                                               const SessionRequest& request,
                                                               LoadProgress* progress) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<StopSignal> stop, StopSignal::Create(progress));
  AKIDB_ASSIGN_OR_RETURN(env::MessageSocket::Pair control, env::MessageSocket::MakePair());
  std::unique_ptr<IsolatedSession> session(
      new IsolatedSession(options, request, std::move(control.first)));
  AKIDB_ASSIGN_OR_RETURN(session->process_,
                         env::WorkerProcess::Start(options.worker, control.second));
  control.second.Close();
  const Status sent =
      session->control_.Send(EncodeMessage(OpenRequest{options.libraries, request}));
  if (sent.code() == ErrorCode::kUnavailable) return session->Ended();
  AKIDB_RETURN_IF_ERROR(sent);
  AKIDB_RETURN_IF_ERROR(session->WaitUntilOpen(
      {.deadline = Clock::now() + options.open_time_max, .wake = &stop->signal()}, progress));
  return session;
}

Status IsolatedSession::WaitUntilOpen(const env::ReceiveOptions& receive, LoadProgress* progress) {
  LoadReport before;
  for (;;) {
    // Also of a worker that never stops sending.
    if (progress != nullptr) AKIDB_RETURN_IF_ERROR(progress->Check());
    if (Clock::now() >= receive.deadline) return Lose("it took too long to make the session");
    AKIDB_ASSIGN_OR_RETURN(const SessionMessage message, ReceiveWhileOpening(receive));
    if (const auto* open = std::get_if<OpenReport>(&message)) {
      nodes_ = open->nodes;
      MutexLock lock(mutex_);
      memory_bytes_ = open->memory_bytes;
      return open->status;
    }
    const auto* load = std::get_if<LoadReport>(&message);
    if (load == nullptr) return Lose(kStrangeMessage);
    if (progress != nullptr) {
      if (load->phase != before.phase) progress->Enter(load->phase);
      progress->AddVerified(load->verified_bytes - before.verified_bytes);
    }
    before = *load;
  }
}

Result<SessionMessage> IsolatedSession::ReceiveWhileOpening(const env::ReceiveOptions& receive) {
  std::vector<std::byte> buffer(env::MessageSocket::kMessageBytesMax);
  Result<env::ReceivedMessage> received = control_.Receive(buffer, receive);
  if (!received.ok()) return Lose(std::string(received.status().message()));
  switch (received->kind) {
    case Kind::kEnded:
      return Ended();
    case Kind::kWoken:
      // The session is destroyed, and kills it.
      return CancelledError("the load was stopped");
    case Kind::kTimedOut:
      return Lose("it took too long to make the session");
    case Kind::kMessage:
      break;
  }
  std::optional<SessionMessage> message = DecodeMessage(received->bytes);
  if (!message) return Lose(kStrangeMessage);
  return *std::move(message);
}

Status IsolatedSession::Run(const TokenBatch& batch, RunControl& control, const Use& use) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Lane> lane, TakeLane());
  Status status = RunOn(*lane, batch, control, use);
  PutBack(std::move(lane));
  return status;
}

// Where it fails, the next run shows it.
void IsolatedSession::GiveBack() { (void)control_.Send(EncodeMessage(ReturnMemory{})).ok(); }

Result<std::unique_ptr<IsolatedSession::Lane>> IsolatedSession::TakeLane() {
  uint32_t number = 0;
  {
    MutexLock lock(mutex_);
    AKIDB_RETURN_IF_ERROR(lost_);
    if (!idle_lanes_.empty()) {
      std::unique_ptr<Lane> lane = std::move(idle_lanes_.back());
      idle_lanes_.pop_back();
      return lane;
    }
    number = ++lanes_made_;
  }
  AKIDB_ASSIGN_OR_RETURN(env::MessageSocket::Pair ends, env::MessageSocket::MakePair());
  AKIDB_ASSIGN_OR_RETURN(env::WakeSignal signal, env::WakeSignal::Create());
  const Status sent = control_.Send(EncodeMessage(OpenLane{number}), {&ends.second.descriptor()});
  if (sent.code() == ErrorCode::kUnavailable) return Ended();
  if (!sent.ok()) return Lose(std::string(sent.message()));
  return std::make_unique<Lane>(number, std::move(ends.first), std::move(signal));
}

void IsolatedSession::PutBack(std::unique_ptr<Lane> lane) {
  if (lane->memory && lane->memory->bytes().size() > kLaneBytesKept) {
    lane->memory.reset();
    // Where it fails, the next run shows it.
    (void)lane->socket.Send(EncodeMessage(ReleaseMemory{})).ok();
  }
  MutexLock lock(mutex_);
  idle_lanes_.push_back(std::move(lane));
}

Status IsolatedSession::RunOn(Lane& lane, const TokenBatch& batch, RunControl& control,
                              const Use& use) {
  const std::optional<LaneLayout> layout = LaneLayout::Of(spec_, batch.items, batch.tokens);
  if (!layout) {
    return ResourceExhaustedError("a batch of " + std::to_string(batch.items) + " x " +
                                  std::to_string(batch.tokens) +
                                  " tokens is too large for a worker process");
  }
  lane.cancelled.Clear();
  AKIDB_RETURN_IF_ERROR(Send(lane, *layout, batch));
  const std::vector<std::byte> cancel = EncodeMessage(CancelRun{lane.number, lane.run});
  control.Attach([&] {
    // Where it fails, the worker is lost or hangs, and the run ends all the same.
    (void)control_.Send(cancel).ok();
    lane.cancelled.Raise();
  });
  Status status = AwaitReport(lane);
  control.Detach();
  AKIDB_RETURN_IF_ERROR(status);
  return use({layout->States(lane.memory->bytes()), batch.items, layout->states_tokens(),
              spec_.width, spec_.pooled_in_graph});
}

Status IsolatedSession::Send(Lane& lane, const LaneLayout& layout, const TokenBatch& batch) {
  const bool too_small = !lane.memory || lane.memory->bytes().size() < layout.bytes();
  if (too_small) {
    lane.memory.reset();
    AKIDB_ASSIGN_OR_RETURN(lane.memory, env::SharedMemory::Create(std::max(
                                            std::bit_ceil(layout.bytes()), kLaneBytesMin)));
  }
  layout.Write(batch, lane.memory->bytes());
  const std::vector<std::byte> message =
      EncodeMessage(RunRequest{++lane.run, batch.items, batch.tokens});
  const Status sent = too_small ? lane.socket.Send(message, {&lane.memory->descriptor()})
                                : lane.socket.Send(message);
  if (sent.ok()) return sent;
  return sent.code() == ErrorCode::kUnavailable ? Ended() : Lose(std::string(sent.message()));
}

Status IsolatedSession::AwaitReport(Lane& lane) {
  env::ReceiveOptions options{.deadline = Clock::now() + run_time_max_, .wake = &lane.cancelled};
  for (;;) {
    Result<env::ReceivedMessage> received = lane.socket.Receive(lane.buffer, options);
    if (!received.ok()) return Lose(std::string(received.status().message()));
    switch (received->kind) {
      case Kind::kEnded:
        return Ended();
      case Kind::kTimedOut:
        return Lose(options.wake == nullptr
                        ? "a run went on " + std::to_string(cancel_grace_.count()) +
                              " ms after it was cancelled"
                        : "a run took longer than " + std::to_string(run_time_max_.count()) +
                              " ms");
      case Kind::kWoken:
        options = {.deadline = Clock::now() + cancel_grace_};
        continue;
      case Kind::kMessage:
        break;
    }
    std::optional<SessionMessage> message = DecodeMessage(received->bytes);
    auto* report = message ? std::get_if<RunReport>(&*message) : nullptr;
    if (report == nullptr || report->run != lane.run) return Lose(kStrangeMessage);
    Note(*report);
    return std::move(report->status);
  }
}

void IsolatedSession::Note(const RunReport& report) {
  MutexLock lock(mutex_);
  if (report.number < last_report_) return;
  last_report_ = report.number;
  memory_bytes_ = report.memory_bytes;
}

uint64_t IsolatedSession::MemoryBytes() const {
  MutexLock lock(mutex_);
  return memory_bytes_;
}

Status IsolatedSession::Lost() {
  {
    MutexLock lock(mutex_);
    if (!lost_.ok()) return lost_;
  }
  return process_->ended() ? Ended() : OkStatus();
}

Status IsolatedSession::Lose(const std::string& why) {
  MutexLock lock(mutex_);
  if (lost_.ok()) {
    lost_ = UnavailableError("the process of model " + model_id_ + " was killed: " + why);
  }
  process_->Kill();  // under the lock: who sees its end must see whose doing it was
  return lost_;
}

Status IsolatedSession::Ended() {
  {
    MutexLock lock(mutex_);
    if (!lost_.ok()) return lost_;
  }
  const std::optional<std::string> end = process_->WaitForEnd(Clock::now() + kEndTimeMax);
  if (!end) return Lose("it closed its sockets and went on");
  MutexLock lock(mutex_);
  if (lost_.ok()) {
    lost_ = UnavailableError("the process of model " + model_id_ + " was ended by " + *end);
  }
  return lost_;
}

}  // namespace akidb::embedding
