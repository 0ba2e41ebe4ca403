// A program that works for this process alone, spoken to over one socket. It never outlives this
// process, is not reached by the signals of a terminal, and leaves no zombie.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "env/message_socket.h"

namespace akidb::env {

struct WorkerCommand {
  std::string program;  // a path with a slash; others are looked up in PATH
  std::vector<std::string> arguments;
  std::string name = "";  // that people see; empty: the program
};

// The program that runs now, even if its file has been replaced.
inline constexpr const char* kOwnProgram = "/proc/self/exe";

// Whether a worker gets a variable of our environment: what finds programs and libraries, and what
// those of GPUs, ONNX Runtime, OpenMP and sanitizers read. Settings of AkiDB, API keys among them,
// stay here: a worker gets what it needs over its socket.
bool IsForWorkers(std::string_view variable);

// Thread-safe.
class WorkerProcess {
 public:
  // `socket` is what the program gets; it has no other descriptor but for the standard ones: it
  // reads nothing, and writes where our standard error goes. Of our environment it has what
  // IsForWorkers lets through. kNotFound: no such program; kResourceExhausted, kIo.
  static Result<std::unique_ptr<WorkerProcess>> Start(const WorkerCommand& command,
                                                      const MessageSocket& socket);
  // Kills it.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int pid() const { return pid_; }
  void Kill() AKIDB_EXCLUDES(mutex_);
  bool ended() AKIDB_EXCLUDES(mutex_);
  // How it ended, "signal SIGSEGV (Segmentation fault)" or "exit code 3"; nothing when it goes on
  // at the deadline.
  std::optional<std::string> WaitForEnd(std::chrono::steady_clock::time_point deadline)
      AKIDB_EXCLUDES(mutex_);

 private:
  WorkerProcess() = default;
  void Guard(const WorkerCommand& command, const MessageSocket& socket) AKIDB_EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::optional<int> spawned_ AKIDB_GUARDED_BY(mutex_);      // an error of errno(3); 0: it runs
  std::optional<std::string> end_ AKIDB_GUARDED_BY(mutex_);  // once it is reaped
  int pid_ = 0;
  // Starts it and lives as long: the system ends a worker with the thread that started it.
  std::thread guard_;
};

// Called first by a program that is a worker: ties it to the process that started it, and makes it
// the first to be chosen where memory runs out. It leaves no core file: one for each crash would
// fill the disk that the data are on. SIGINT, SIGTERM and SIGHUP are blocked: the
// socket's end is what ends a worker. kInvalidArgument: it was not started by WorkerProcess.
Result<MessageSocket> EnterWorker();

}  // namespace akidb::env
