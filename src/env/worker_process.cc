#include "env/worker_process.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <utility>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env/posix_calls.h"
#include "env/spawn_parameters.h"

namespace akidb::env {
namespace {

constexpr const char* kWorkerName = "akidb-worker";  // at most 15 bytes
constexpr int kWorkerSocket = 3;                     // the first after the standard ones
// Of -1000 to 1000 (proc(5)): well before the process that the data belong to.
constexpr std::string_view kOutOfMemoryScore = "500";

constexpr std::array<std::string_view, 8> kVariables = {
    "PATH", "HOME", "TMPDIR", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "LD_PRELOAD"};
constexpr std::array<std::string_view, 11> kPrefixes = {"LC_",   "CUDA_",    "CUDNN_", "CUBLAS_",
                                                        "TRT",   "TENSORRT", "ORT_",   "OMP_",
                                                        "GOMP_", "NVIDIA_",  "TEGRA_"};
constexpr std::string_view kSanitizerSuffix = "SAN_OPTIONS";

std::vector<std::string> WorkerEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (IsForWorkers(text.substr(0, text.find('=')))) variables.emplace_back(text);
  }
  return variables;
}

int Spawn(const WorkerCommand& command, const Descriptor& socket, int& pid) {
  SpawnParameters parameters;
  // Our standard output is read by programs.
  parameters.Duplicate(STDERR_FILENO, STDOUT_FILENO);
  parameters.Duplicate(socket.get(), kWorkerSocket);
  parameters.CloseFrom(kWorkerSocket + 1);
  sigset_t blocked;
  sigemptyset(&blocked);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&blocked, signal);
  sigset_t all;
  sigfillset(&all);
  parameters.SetSignals(blocked, all);
  parameters.LeaveGroup();
  parameters.SetEnvironment(WorkerEnvironment());
  std::vector<std::string> arguments = command.arguments;
  arguments.insert(arguments.begin(), command.name.empty() ? command.program : command.name);
  return parameters.Spawn(command.program, arguments, pid);
}

std::string Describe(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return "exit code " + std::to_string(info.si_status);
  const char* name = sigabbrev_np(info.si_status);
  const char* text = sigdescr_np(info.si_status);
  std::string end = "signal ";
  end.append(name != nullptr ? "SIG" + std::string(name) : std::to_string(info.si_status));
  if (text != nullptr) end.append(" (").append(text).append(")");
  return end;
}

// Waits, and leaves it to be reaped.
std::string WaitUntilEnded(int pid) {
  siginfo_t info = {};
  const int failed =
      Retry([&] { return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT); });
  // So where SIGCHLD is ignored: the system reaps by itself.
  return failed != 0 ? "an unknown cause" : Describe(info);
}

}  // namespace

bool IsForWorkers(std::string_view variable) {
  return std::find(kVariables.begin(), kVariables.end(), variable) != kVariables.end() ||
         std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return variable.starts_with(prefix); }) ||
         variable.ends_with(kSanitizerSuffix);
}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const WorkerCommand& command,
                                                            const MessageSocket& socket) {
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess());
  try {
    worker->guard_ = std::thread([&, self = worker.get()] { self->Guard(command, socket); });
  } catch (const std::system_error& error) {
    return ResourceExhaustedError("can't run " + command.program +
                                  " without a thread: " + error.what());
  }
  int error = 0;
  {
    MutexLock lock(worker->mutex_);
    while (!worker->spawned_) worker->changed_.Wait(worker->mutex_);
    error = *worker->spawned_;
  }
  if (error == 0) return worker;
  const Status status = ErrnoStatus("can't run", command.program, error);
  if (error != EAGAIN && error != ENOMEM) return status;
  return ResourceExhaustedError(std::string(status.message()));
}

// The references are good until `spawned_` is set.
void WorkerProcess::Guard(const WorkerCommand& command, const MessageSocket& socket) {
  int pid = 0;
  const int error = Spawn(command, socket.descriptor(), pid);
  {
    MutexLock lock(mutex_);
    pid_ = pid;
    spawned_ = error;
    if (error != 0) end_ = "it was not started";
    changed_.NotifyAll();
  }
  if (error != 0) return;
  std::string end = WaitUntilEnded(pid);
  MutexLock lock(mutex_);
  // Under the lock, as its number may belong to another process from here on.
  (void)Retry([&] { return ::waitpid(pid, nullptr, 0); });
  end_ = std::move(end);
  changed_.NotifyAll();
}

WorkerProcess::~WorkerProcess() {
  Kill();
  if (guard_.joinable()) guard_.join();
}

void WorkerProcess::Kill() {
  MutexLock lock(mutex_);
  // There is none before it was started: 0 is every process of our own group.
  if (pid_ > 0 && !end_) ::kill(pid_, SIGKILL);
}

bool WorkerProcess::ended() {
  MutexLock lock(mutex_);
  return end_.has_value();
}

std::optional<std::string> WorkerProcess::WaitForEnd(
    std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (!end_) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  return end_;
}

Result<MessageSocket> EnterWorker() {
  int type = 0;
  socklen_t bytes = sizeof type;
  if (::getsockopt(kWorkerSocket, SOL_SOCKET, SO_TYPE, &type, &bytes) != 0 ||
      type != SOCK_SEQPACKET || ::fcntl(kWorkerSocket, F_SETFD, FD_CLOEXEC) != 0) {
    return InvalidArgumentError("this program is started by another one, not by hand");
  }
  // A parent that has ended before shows as the socket's end.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, kWorkerName);  // else "exe", where that is the program
  rlimit core = {};
  if (::getrlimit(RLIMIT_CORE, &core) == 0) {
    core.rlim_cur = 0;
    (void)::setrlimit(RLIMIT_CORE, &core);
  }
  // A hint; some sandboxes don't allow it.
  Result<Descriptor> score = OpenDescriptor("/proc/self/oom_score_adj", O_WRONLY);
  if (score.ok()) {
    (void)!::write(score->get(), kOutOfMemoryScore.data(), kOutOfMemoryScore.size());
  }
  return MessageSocket(Descriptor(kWorkerSocket));
}

}  // namespace akidb::env
