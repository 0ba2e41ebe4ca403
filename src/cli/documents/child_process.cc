#include "cli/documents/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env/descriptor.h"
#include "env/spawn_parameters.h"

namespace akidb::cli {
namespace {

constexpr size_t kErrorTextBytesMax = 4096;
constexpr std::chrono::milliseconds kStopLook{100};
constexpr std::chrono::milliseconds kStopAgain{1000};

using env::Descriptor;

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return IoError(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// With the signals that a fresh process expects.
Result<pid_t> Spawn(const ChildProcess& child, int out, int err) {
  const std::vector<std::string>& arguments = child.arguments;
  env::SpawnParameters parameters;
  if (child.stop) parameters.LeaveGroup();
  parameters.Duplicate(out, STDOUT_FILENO);
  parameters.Duplicate(err, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  parameters.SetSignals(none, defaults);
  pid_t pid = 0;
  const int error = parameters.Spawn(arguments[0], arguments, pid);
  if (error == ENOENT) return NotFoundError("no program " + arguments[0] + " in PATH");
  if (error != 0) return IoError("cannot run " + arguments[0] + ": " + std::strerror(error));
  return pid;
}

// Reads what is there; false at the end of the stream.
bool ReadSome(int fd, std::string& into) {
  std::array<char, 65536> buffer;
  ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) return false;
  into.append(buffer.data(), static_cast<size_t>(count));
  return true;
}

// With those that it has started, where it has a group of its own.
void Signal(const ChildProcess& child, pid_t pid, int signal) {
  ::kill(child.stop ? -pid : pid, signal);
}

// Reads both streams until they end.
Status Collect(const ChildProcess& child, pid_t pid, std::array<Descriptor*, 2> streams,
               ChildOutput& output) {
  auto deadline = std::chrono::steady_clock::now() + child.time_max;
  // Told again until it ends: a signal that comes just before a call that waits is lost to it.
  std::chrono::steady_clock::time_point tell_at{};
  while (streams[0]->get() >= 0 || streams[1]->get() >= 0) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return DeadlineExceededError(child.arguments[0] + " took more than " +
                                   std::to_string(child.time_max.count()) + " s");
    }
    if (child.stop && child.stop() && std::chrono::steady_clock::now() >= tell_at) {
      Signal(child, pid, SIGTERM);
      tell_at = std::chrono::steady_clock::now() + kStopAgain;
    }
    if (child.stop) left = std::min(left, kStopLook);
    // poll passes over negative descriptors.
    std::array<pollfd, 2> polled = {pollfd{streams[0]->get(), POLLIN, 0},
                                    pollfd{streams[1]->get(), POLLIN, 0}};
    int ready = ::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) {
      return IoError(std::string("cannot wait for output: ") + std::strerror(errno));
    }
    if (ready <= 0) continue;
    const size_t before = output.output.size();
    if (polled[0].revents != 0 && !ReadSome(polled[0].fd, output.output)) streams[0]->Close();
    if (child.on_output && output.output.size() > before) {
      child.on_output(std::string_view(output.output).substr(before));
    }
    if (polled[1].revents != 0 && !ReadSome(polled[1].fd, output.error_text)) streams[1]->Close();
    const size_t too_much =
        output.error_text.size() - std::min(output.error_text.size(), kErrorTextBytesMax);
    output.error_text.erase(0, too_much);
    if (output.output.size() > child.output_bytes_max) {
      return TooLargeError(child.arguments[0] + " printed more than " +
                           std::to_string(child.output_bytes_max) + " bytes");
    }
  }
  return OkStatus();
}

int Reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<ChildOutput> RunChildProcess(const ChildProcess& child) {
  AKIDB_ASSIGN_OR_RETURN(Pipe out, MakePipe());
  AKIDB_ASSIGN_OR_RETURN(Pipe err, MakePipe());
  AKIDB_ASSIGN_OR_RETURN(pid_t pid, Spawn(child, out.write.get(), err.write.get()));
  out.write.Close();
  err.write.Close();
  ChildOutput output;
  Status collected = Collect(child, pid, {&out.read, &err.read}, output);
  if (!collected.ok()) Signal(child, pid, SIGKILL);
  output.exit_code = Reap(pid);
  if (!collected.ok()) return collected;
  return output;
}

}  // namespace akidb::cli
