#include "embedding/session_worker.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "embedding/gpu_facts.h"
#include "embedding/onnx_runtime.h"
#include "embedding/runtime_error.h"
#include "env/file_system.h"
#include "env/memory_use.h"
#include "env/shared_memory.h"

namespace akidb::embedding {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = env::ReceivedMessage::Kind;

constexpr std::chrono::milliseconds kReportInterval{100};  // while the session is made

Status StrangeMessage() { return CorruptionError("a message that no IsolatedSession sends"); }

// A library that isn't there, or is another one, will be so the next time. What it ran out of
// while it was opened or started may be there by then.
Status LibraryRefused(const Status& status) {
  const bool is_for_good =
      status.code() == ErrorCode::kNotFound || status.code() == ErrorCode::kUnsupported;
  if (!is_for_good) return status;
  Status told = RuntimeError(std::string(status.message()));
  if (told.code() == ErrorCode::kResourceExhausted) return told;
  return InvalidArgumentError(std::string(status.message()));
}

// The session that all lanes run.
class SharedSession {
 public:
  explicit SharedSession(std::unique_ptr<Session> session) : session_(std::move(session)) {}

  Session& operator*() const { return *session_; }

  // What it takes now: of two reports the one with the higher number was made later.
  RunReport Report(uint64_t run, Status status) AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return {run, std::move(status), session_->MemoryBytes(), ++reports_};
  }

 private:
  const std::unique_ptr<Session> session_;
  Mutex mutex_;
  uint64_t reports_ AKIDB_GUARDED_BY(mutex_) = 0;
};

// Serves the runs of one lane, one after another, in a thread of its own.
class WorkerLane {
 public:
  WorkerLane(SharedSession& session, const SessionSpec& spec, env::Descriptor socket)
      : session_(session), spec_(spec), socket_(std::move(socket)), thread_([this] { Serve(); }) {}
  // The other side has closed it, or the process ends.
  ~WorkerLane() { thread_.join(); }

  void Cancel(uint64_t run) AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    cancelled_ = std::max(cancelled_, run);
    if (control_ != nullptr && run_ <= cancelled_) control_->Stop();
  }

 private:
  // Ends with the socket; what is wrong with the other side it will find out itself.
  void Serve() {
    std::vector<std::byte> buffer(env::MessageSocket::kMessageBytesMax);
    for (;;) {
      Result<env::ReceivedMessage> received = socket_.Receive(buffer, {.take_descriptors = true});
      if (!received.ok() || received->kind != Kind::kMessage) return;
      if (!Handle(*received).ok()) return socket_.Close();
    }
  }

  Status Handle(env::ReceivedMessage& received) {
    const std::optional<SessionMessage> message = DecodeMessage(received.bytes);
    if (!message) return StrangeMessage();
    if (std::holds_alternative<ReleaseMemory>(*message)) {
      memory_.reset();
      return OkStatus();
    }
    const auto* request = std::get_if<RunRequest>(&*message);
    if (request == nullptr) return StrangeMessage();
    if (!received.descriptors.empty()) {
      memory_.reset();
      AKIDB_ASSIGN_OR_RETURN(memory_,
                             env::SharedMemory::Open(std::move(received.descriptors.front())));
    }
    const std::optional<LaneLayout> layout = LaneLayout::Of(spec_, request->items, request->tokens);
    if (!layout || !memory_ || memory_->bytes().size() < layout->bytes()) return StrangeMessage();
    Status status = Run(request->run, *layout);
    return socket_.Send(EncodeMessage(session_.Report(request->run, std::move(status))));
  }

  Status Run(uint64_t run, const LaneLayout& layout) AKIDB_EXCLUDES(mutex_) {
    RunControl control;
    {
      MutexLock lock(mutex_);
      run_ = run;
      control_ = &control;
      if (run_ <= cancelled_) control.Stop();
    }
    const TokenBatch batch = layout.Read(memory_->bytes());
    Status status = (*session_).Run(batch, control, [&](const HiddenStates& states) {
      return HandOver(states, batch, layout);
    });
    MutexLock lock(mutex_);
    control_ = nullptr;
    return status;
  }

  Status HandOver(const HiddenStates& states, const TokenBatch& batch,
                  const LaneLayout& layout) const {
    const std::span<float> out = layout.States(memory_->bytes());
    if (states.items != batch.items || states.tokens != layout.states_tokens() ||
        states.width != spec_.width || states.values.size() != out.size()) {
      return CorruptionError("the session gave " + std::to_string(states.items) + " x " +
                             std::to_string(states.tokens) + " x " + std::to_string(states.width) +
                             " numbers instead of " + std::to_string(batch.items) + " x " +
                             std::to_string(layout.states_tokens()) + " x " +
                             std::to_string(spec_.width));
    }
    std::memcpy(out.data(), states.values.data(), states.values.size_bytes());
    return OkStatus();
  }

  SharedSession& session_;
  const SessionSpec& spec_;
  env::MessageSocket socket_;
  std::optional<env::SharedMemory> memory_;

  Mutex mutex_;
  RunControl* control_ AKIDB_GUARDED_BY(mutex_) = nullptr;  // of the run that goes on
  uint64_t run_ AKIDB_GUARDED_BY(mutex_) = 0;
  uint64_t cancelled_ AKIDB_GUARDED_BY(mutex_) = 0;  // this run and those before
  std::thread thread_;                               // last: it uses the others
};

class SessionServer {
 public:
  SessionServer(env::MessageSocket control, const SessionOpener& make, env::WakeSignal made)
      : control_(std::move(control)), make_(make), made_(std::move(made)) {}

  // Until the other side is gone, or is no IsolatedSession.
  Status Serve() {
    AKIDB_ASSIGN_OR_RETURN(const env::ReceivedMessage first, control_.Receive(buffer_, {}));
    if (first.kind == Kind::kEnded) return OkStatus();
    const std::optional<SessionMessage> message = DecodeMessage(first.bytes);
    if (message && std::holds_alternative<LookRequest>(*message)) {
      return control_.Send(EncodeMessage(LookReport{LookAtGpus(*env::MakePosixFileSystem())}));
    }
    const auto* request = message ? std::get_if<OpenRequest>(&*message) : nullptr;
    if (request == nullptr) return StrangeMessage();
    AKIDB_RETURN_IF_ERROR(MakeSession(*request));
    for (;;) {
      AKIDB_ASSIGN_OR_RETURN(env::ReceivedMessage received,
                             control_.Receive(buffer_, {.take_descriptors = true}));
      if (received.kind == Kind::kEnded) return OkStatus();
      AKIDB_RETURN_IF_ERROR(Handle(received, request->session.spec));
    }
  }

 private:
  // In a thread of its own, so that the other side's end is seen however long it takes.
  Status MakeSession(const OpenRequest& request) {
    LoadProgress progress;
    progress.Begin();
    std::optional<Result<std::unique_ptr<Session>>> result;
    std::thread maker([&] {
      result = make_(request, progress);
      made_.Raise();
    });
    LoadReport before;
    Kind kind = Kind::kTimedOut;
    while (kind == Kind::kTimedOut) {
      const Result<env::ReceivedMessage> received =
          control_.Receive(buffer_, {.deadline = Clock::now() + kReportInterval, .wake = &made_});
      kind = received.ok() ? received->kind : Kind::kEnded;
      const LoadState state = progress.state();
      if (state.phase == before.phase && state.verified_bytes == before.verified_bytes) continue;
      before = {state.phase, state.verified_bytes};
      (void)control_.Send(EncodeMessage(before)).ok();  // the next one tells more
    }
    if (kind == Kind::kEnded) std::_Exit(EXIT_SUCCESS);  // without waiting for the library
    if (kind == Kind::kMessage) std::_Exit(EXIT_FAILURE);
    maker.join();
    // Making a session takes more than the session: malloc keeps the rest otherwise.
    env::ReturnFreeMemory();
    OpenReport report{result->status(), {}, 0};
    if (result->ok()) {
      report.nodes = (**result)->Nodes();
      report.memory_bytes = (**result)->MemoryBytes();
    }
    AKIDB_RETURN_IF_ERROR(control_.Send(EncodeMessage(report)));
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, *std::move(result));
    session_.emplace(std::move(session));
    return OkStatus();
  }

  Status Handle(env::ReceivedMessage& received, const SessionSpec& spec) {
    const std::optional<SessionMessage> message = DecodeMessage(received.bytes);
    if (!message) return StrangeMessage();
    if (const auto* cancel = std::get_if<CancelRun>(&*message)) {
      const auto lane = lanes_.find(cancel->lane);
      if (lane != lanes_.end()) lane->second->Cancel(cancel->run);
      return OkStatus();
    }
    if (std::holds_alternative<ReturnMemory>(*message)) {
      env::ReturnFreeMemory();
      return OkStatus();
    }
    const auto* open = std::get_if<OpenLane>(&*message);
    if (open == nullptr || received.descriptors.empty()) return StrangeMessage();
    lanes_[open->lane] =
        std::make_unique<WorkerLane>(*session_, spec, std::move(received.descriptors.front()));
    return OkStatus();
  }

  const env::MessageSocket control_;
  const SessionOpener& make_;
  const env::WakeSignal made_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(env::MessageSocket::kMessageBytesMax);
  std::optional<SharedSession> session_;
  std::map<uint32_t, std::unique_ptr<WorkerLane>> lanes_;
};

}  // namespace

Result<std::unique_ptr<Session>> OpenFromFiles(const OpenRequest& request, LoadProgress& progress) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  Result<std::shared_ptr<OnnxRuntime>> runtime = LoadOnnxRuntime(request.libraries);
  if (!runtime.ok()) return LibraryRefused(runtime.status());
  return OpenSession(*fs, **runtime, request.session, &progress);
}

void ServeSession(env::MessageSocket control, const SessionOpener& make) {
  Result<env::WakeSignal> made = env::WakeSignal::Create();
  if (!made.ok()) std::_Exit(EXIT_FAILURE);
  SessionServer server(std::move(control), make, *std::move(made));
  // Without destructors: lanes may still run what never ends.
  std::_Exit(server.Serve().ok() ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace akidb::embedding
