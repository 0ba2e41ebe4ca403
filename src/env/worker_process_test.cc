#include "env/worker_process.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env/thread_shortage_fixture.h"

namespace akidb::env {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kTimeMax{60};  // far more than a busy machine needs

class WorkerProcessTest : public testing::Test {
 protected:
  // Runs a line of the shell, which has the socket as its descriptor 3.
  std::unique_ptr<WorkerProcess> Run(const std::string& line) {
    MessageSocket::Pair pair = MessageSocket::MakePair().value();
    Result<std::unique_ptr<WorkerProcess>> worker =
        WorkerProcess::Start({"/bin/sh", {"-c", line}}, pair.second);
    EXPECT_TRUE(worker.ok()) << worker.status().ToString();
    socket_ = std::move(pair.first);
    return *std::move(worker);
  }
  std::string EndOf(const std::string& line) {
    return Run(line)->WaitForEnd(steady_clock::now() + kTimeMax).value_or("none");
  }
  // What a line prints on its descriptor 3.
  std::string Said(const std::string& line) {
    const std::unique_ptr<WorkerProcess> worker = Run(line);
    Result<ReceivedMessage> received = socket_.Receive(buffer_, {});
    EXPECT_TRUE(received.ok());
    return {reinterpret_cast<const char*>(received->bytes.data()), received->bytes.size()};
  }

  MessageSocket socket_ = MessageSocket(Descriptor());
  std::vector<std::byte> buffer_ = std::vector<std::byte>(MessageSocket::kMessageBytesMax);
};

TEST_F(WorkerProcessTest, TellsHowItEnded) {
  EXPECT_EQ(EndOf("exit 3"), "exit code 3");
  EXPECT_EQ(EndOf("kill -SEGV $$"), "signal SIGSEGV (Segmentation fault)");
}

TEST_F(WorkerProcessTest, KnowsAMissingProgram) {
  const MessageSocket::Pair pair = MessageSocket::MakePair().value();
  EXPECT_EQ(WorkerProcess::Start({"/nonesuch/program", {}}, pair.second).status().code(),
            ErrorCode::kNotFound);
}

// In a process group of its own, which is all that a mistake could end.
TEST_F(WorkerProcessTest, WithoutAThreadIsRefusedAndEndsNobody) {
  const auto start = [] {
    ::setpgid(0, 0);
    const MessageSocket::Pair pair = MessageSocket::MakePair().value();
    const ThreadShortage shortage(0);
    const ErrorCode code = WorkerProcess::Start({"/bin/true", {}}, pair.second).status().code();
    ::_exit(code == ErrorCode::kResourceExhausted ? 7 : 1);
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(7), "");
}

TEST_F(WorkerProcessTest, IsKilledAndReaped) {
  std::unique_ptr<WorkerProcess> worker = Run("read line <&3");
  const int pid = worker->pid();
  EXPECT_EQ(worker->WaitForEnd(steady_clock::now()), std::nullopt);
  EXPECT_EQ(::kill(pid, 0), 0);
  worker = nullptr;
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(WorkerProcessTest, GetsItsSocketAndNoOtherDescriptor) {
  // Open across exec, as a library may leave them.
  std::array<int, 2> leaked{};
  ASSERT_EQ(::pipe(leaked.data()), 0);
  EXPECT_EQ(Said("echo $(cd /proc/self/fd && echo *) >&3").substr(0, 7), "0 1 2 3");
  EXPECT_EQ(Said("test -e /proc/$$/fd/" + std::to_string(leaked[1]) +
                 " && echo leaked >&3 || echo closed >&3"),
            "closed\n");
  for (int fd : leaked) ::close(fd);
}

// Sets a variable of this process for a while.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Variable() {
    if (before_) {
      ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const std::string name_;
  std::optional<std::string> before_;
};

TEST_F(WorkerProcessTest, GetsNoSecretsOfTheEnvironment) {
  const Variable key("AKIDB_API_KEY", "secret");
  const Variable other("SOME_TOKEN", "secret");
  const Variable cuda("CUDA_VISIBLE_DEVICES", "1");
  const Variable home("HOME", "/var/lib/akidb");
  // As it was started, not as the shell shows it.
  const std::string environment =
      "\n" + Said("tr '\\0' '\\n' < /proc/$$/environ | sort | head -c 8000 >&3");
  EXPECT_EQ(environment.find("secret"), std::string::npos) << environment;
  EXPECT_NE(environment.find("\nCUDA_VISIBLE_DEVICES=1\n"), std::string::npos) << environment;
  EXPECT_NE(environment.find("\nHOME=/var/lib/akidb\n"), std::string::npos) << environment;
}

TEST_F(WorkerProcessTest, TheListOfVariablesIsClosed) {
  for (const char* passed :
       {"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LD_PRELOAD",
        "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "TRT_LOG", "TENSORRT_HOME",
        "ORT_LOG_LEVEL", "OMP_NUM_THREADS", "ASAN_OPTIONS", "TSAN_OPTIONS"}) {
    EXPECT_TRUE(IsForWorkers(passed)) << passed;
  }
  for (const char* kept : {"AKIDB_API_KEY", "AKIDB_ORT_LIB", "AKIDB_READ_ONLY_API_KEY",
                           "AWS_SECRET_ACCESS_KEY", "PATHS", "XPATH", "path", "HF_TOKEN", ""}) {
    EXPECT_FALSE(IsForWorkers(kept)) << kept;
  }
}

// So that Ctrl-C, and a service manager's SIGTERM to all, don't end it before its work is done.
TEST_F(WorkerProcessTest, IsNotEndedBySignalsThatAskAServerToStop) {
  EXPECT_EQ(EndOf("kill -INT $$; kill -TERM $$; kill -HUP $$; exit 5"), "exit code 5");
  EXPECT_EQ(Said("set -- $(cat /proc/$$/stat); test $5 = $$ && echo own >&3 || echo other >&3"),
            "own\n");
}

TEST_F(WorkerProcessTest, IsNoWorkerWhenItWasNotStartedAsOne) {
  // The test program has no such socket, unless its own parent is strange.
  EXPECT_EQ(EnterWorker().status().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace akidb::env
