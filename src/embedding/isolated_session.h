// A session in a process of its own: what a provider's library does there, crashing, hanging or
// taking all memory, doesn't reach this process, which never opens that library.
//
// The worker process (session_worker.h) checks and maps the model's files itself. Batches and
// hidden states lie in shared memory, and sockets carry what is said about them (session_wire.h).
// Each run that goes on at a time has a lane: a socket and a piece of memory, kept for the next
// run. So the thread that runs a batch is woken by the worker's thread itself, with no other one
// between.
//
// Nothing that the worker sends is believed: sizes are those that were asked for, the memory was
// made here and can't shrink, and a message that no worker sends ends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "embedding/gpu_facts.h"
#include "embedding/load_progress.h"
#include "embedding/model_session.h"
#include "embedding/session.h"
#include "embedding/session_wire.h"
#include "env/message_socket.h"
#include "env/worker_process.h"

namespace akidb::embedding {

// The command of the program `akidb` that calls ServeSession.
inline constexpr const char* kSessionWorkerCommand = "session-worker";

struct IsolationOptions {
  env::WorkerCommand worker = {env::kOwnProgram, {kSessionWorkerCommand}, "akidb"};
  std::vector<std::string> libraries;  // of ONNX Runtime, to be tried in this order
  // How long a run may go on when it was cancelled; then the worker is killed.
  std::chrono::milliseconds cancel_grace{5'000};
  // Far beyond any honest need; who hangs is killed. Building an engine for a GPU takes minutes;
  // no request waits for an hour.
  std::chrono::milliseconds open_time_max = std::chrono::minutes(30);
  std::chrono::milliseconds run_time_max = std::chrono::hours(1);
};

// LookAtGpus in a worker that ends with it, as it opens the driver's and TensorRT's libraries.
// Where that fails, facts.cuda_problem tells why.
// `progress` may be null: nobody stops it.
GpuFacts LookAtGpusIsolated(const IsolationOptions& options, LoadProgress* progress);

// Thread-safe. A session that has lost its worker stays so: another one is to be made.
class IsolatedSession final : public Session {
 public:
  // Starts a worker and has it make the session. Errors of OpenSession; kUnavailable: the worker
  // ended or hung meanwhile; kIo, kNotFound, kResourceExhausted: it can't be started; kCancelled:
  // it was stopped by `progress`, which may be null, and the worker killed.
  static Result<std::unique_ptr<IsolatedSession>> Open(const IsolationOptions& options,
                                                       const SessionRequest& request,
                                                       LoadProgress* progress);
  // Kills the worker and waits until it is gone. Every run must have ended.
  ~IsolatedSession() override;

  // Session::Run. kUnavailable: the worker is lost, the message tells how it ended.
  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override;

  void GiveBack() override;
  uint64_t MemoryBytes() const override AKIDB_EXCLUDES(mutex_);
  std::vector<NodeCount> Nodes() const override { return nodes_; }
  Status Lost() override AKIDB_EXCLUDES(mutex_);

  int worker_pid() const { return process_->pid(); }

 private:
  struct Lane;

  IsolatedSession(const IsolationOptions& options, const SessionRequest& request,
                  env::MessageSocket control);

  Status WaitUntilOpen(const env::ReceiveOptions& receive, LoadProgress* progress);
  Result<SessionMessage> ReceiveWhileOpening(const env::ReceiveOptions& receive);
  Result<std::unique_ptr<Lane>> TakeLane() AKIDB_EXCLUDES(mutex_);
  void PutBack(std::unique_ptr<Lane> lane) AKIDB_EXCLUDES(mutex_);
  Status RunOn(Lane& lane, const TokenBatch& batch, RunControl& control, const Use& use);
  Status Send(Lane& lane, const LaneLayout& layout, const TokenBatch& batch);
  Status AwaitReport(Lane& lane);
  // Lanes may read their reports in another order than they were made in.
  void Note(const RunReport& report) AKIDB_EXCLUDES(mutex_);
  // What every later run is answered with. Lose kills the worker, for its own words; Ended tells of
  // one that has ended by itself.
  Status Lose(const std::string& why) AKIDB_EXCLUDES(mutex_);
  Status Ended() AKIDB_EXCLUDES(mutex_);

  const std::string model_id_;
  const SessionSpec spec_;
  const std::chrono::milliseconds cancel_grace_;
  const std::chrono::milliseconds run_time_max_;
  const env::MessageSocket control_;
  std::unique_ptr<env::WorkerProcess> process_;
  std::vector<NodeCount> nodes_;  // set when it opens

  mutable Mutex mutex_;
  uint64_t memory_bytes_ AKIDB_GUARDED_BY(mutex_) = 0;  // as the worker said last
  uint64_t last_report_ AKIDB_GUARDED_BY(mutex_) = 0;
  Status lost_ AKIDB_GUARDED_BY(mutex_);  // ok while the worker lives
  uint32_t lanes_made_ AKIDB_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Lane>> idle_lanes_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::embedding
