// The worker program of isolated_session_test.cc. With the argument `own` it is the owner of
// another worker instead, whose process it tells.
#include "embedding/session_worker_fixture.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embedding/isolated_session.h"
#include "embedding/session_worker.h"
#include "env/shared_memory.h"
#include "env/worker_process.h"

namespace akidb::embedding {
namespace {

constexpr int kControlSocket = 3;     // as WorkerProcess makes it
constexpr int kDescriptorsEnd = 256;  // more than it ever has open

[[noreturn]] void WaitForever() {
  std::promise<void> never;
  never.get_future().wait();
  std::abort();
}

void Segfault() {
  std::span<std::byte> unmapped;
  {
    const env::SharedMemory memory = env::SharedMemory::Create(4096).value();
    unmapped = memory.bytes();
  }
  std::memset(unmapped.data(), 1, unmapped.size());
}

template <typename Use>
void ForEachSocket(Use use) {
  for (int fd = STDERR_FILENO + 1; fd < kDescriptorsEnd; ++fd) {
    int type = 0;
    socklen_t bytes = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0) use(fd);
  }
}

void WriteGarbage(uint64_t seed) {
  std::mt19937_64 random(seed);
  // Sometimes one that begins as a message does.
  std::vector<std::byte> bytes = EncodeMessage(RunReport{random() % 4, {}, 0});
  if (random() % 2 == 0) bytes.resize(1 + random() % 100);
  for (int changes = 0; changes < 3; ++changes) {
    bytes[random() % bytes.size()] = static_cast<std::byte>(random());
  }
  ForEachSocket([&](int fd) { (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
}

void LeaveMemory() {
  constexpr size_t kBlockBytes = size_t{32} << 10;
  std::vector<std::unique_ptr<std::byte[]>> blocks;
  for (size_t i = 0; i < (size_t{64} << 20) / kBlockBytes; ++i) {
    blocks.push_back(std::make_unique<std::byte[]>(kBlockBytes));
  }
  static std::unique_ptr<std::byte[]> kept;
  kept = std::move(blocks.back());
}

Status HangUntilCancelled(RunControl& control) {
  std::promise<void> stopped;
  control.Attach([&] { stopped.set_value(); });
  stopped.get_future().wait();
  control.Detach();
  return CancelledError("the inference was stopped");
}

class FixtureSession final : public Session {
 public:
  explicit FixtureSession(const SessionSpec& spec) : spec_(spec) {}

  uint64_t MemoryBytes() const override { return memory_bytes_; }

  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    ++memory_bytes_;
    const int64_t argument = batch.ids.size() > 1 ? batch.ids[1] : 0;
    switch (static_cast<BadRun>(batch.ids[0])) {
      case BadRun::kAbort:
        std::abort();
      case BadRun::kSegfault:
        Segfault();
        break;
      case BadRun::kThrow:
        throw std::runtime_error("a library threw");
      case BadRun::kTakeAllMemory:
        return Give(std::vector<float>(size_t{1} << 60), batch, use);
      case BadRun::kExit:
        std::_Exit(9);
      case BadRun::kCloseLanes:
        ForEachSocket([](int fd) {
          if (fd != kControlSocket) ::shutdown(fd, SHUT_RDWR);
        });
        WaitForever();
      case BadRun::kHang:
        return HangUntilCancelled(control);
      case BadRun::kHangForever:
        WaitForever();
      case BadRun::kGiveTooLittle:
        return Give(std::vector<float>(1), batch, use);
      case BadRun::kGiveTooMuch:
        return Give(std::vector<float>(size_t{1} << 24), batch, use);
      case BadRun::kWriteGarbage:
        WriteGarbage(static_cast<uint64_t>(argument));
        WaitForever();
      case BadRun::kFail:
        return Status(static_cast<ErrorCode>(argument), "as was asked");
      case BadRun::kReportAnother: {
        const std::vector<std::byte> report = EncodeMessage(RunReport{1u << 20, {}, 0});
        ForEachSocket([&](int fd) { (void)!::send(fd, report.data(), report.size(), 0); });
        WaitForever();
      }
      case BadRun::kStopItself:
        ::raise(SIGSTOP);
        break;
      case BadRun::kLeaveMemory:
        LeaveMemory();
        break;
    }
    return Echo(batch, use);
  }

 private:
  Status Give(const std::vector<float>& values, const TokenBatch& batch, const Use& use) const {
    const size_t tokens = spec_.pooled_in_graph ? 1 : batch.tokens;
    return use({values, batch.items, tokens, spec_.width, spec_.pooled_in_graph});
  }

  Status Echo(const TokenBatch& batch, const Use& use) const {
    const size_t step = spec_.pooled_in_graph ? batch.tokens : 1;
    std::vector<float> values;
    values.reserve(batch.ids.size() / step * spec_.width);
    for (size_t at = 0; at < batch.ids.size(); at += step) {
      for (size_t column = 0; column < spec_.width; ++column) {
        values.push_back(EchoOf(batch.ids[at] + batch.mask[at] + batch.lengths[at / batch.tokens],
                                at / step, column));
      }
    }
    return Give(values, batch, use);
  }

  const SessionSpec spec_;
  std::atomic<uint64_t> memory_bytes_{kEchoBytes};
};

Result<std::unique_ptr<Session>> MakeSession(const OpenRequest& request, LoadProgress& progress) {
  const std::string& id = request.session.model_id;
  if (id == kDiesWhenMade) std::abort();
  if (id == kHangsWhenMade) WaitForever();
  if (id == kIsRefused) return CorruptionError("the model is refused");
  if (id == kBabblesWhenMade) {
    WriteGarbage(1);
    WaitForever();
  }
  if (id != kEchoes) return OpenFromFiles(request, progress);
  progress.Enter(LoadPhase::kVerifying);
  progress.AddVerified(12'345);
  progress.Enter(LoadPhase::kBuilding);
  return std::make_unique<FixtureSession>(request.session.spec);
}

// Tells the worker's process over `socket`, and waits to be killed.
int Own(const env::MessageSocket& socket, const char* program) {
  SessionRequest request;
  request.model_id = kEchoes;
  request.spec.width = 1;
  Result<std::unique_ptr<IsolatedSession>> session =
      IsolatedSession::Open({.worker = {program, {}}, .libraries = {}}, request, nullptr);
  if (!session.ok()) return EXIT_FAILURE;
  const int pid = (*session)->worker_pid();
  if (!socket.Send(std::as_bytes(std::span(&pid, 1))).ok()) return EXIT_FAILURE;
  WaitForever();
}

int Main(int argc, char** argv) {
  Result<env::MessageSocket> socket = env::EnterWorker();
  if (!socket.ok()) {
    std::fprintf(stderr, "%s\n", socket.status().ToString().c_str());
    return EXIT_FAILURE;
  }
  if (argc > 1 && std::string_view(argv[1]) == "own") return Own(*socket, argv[0]);
  ServeSession(*std::move(socket), MakeSession);
}

}  // namespace
}  // namespace akidb::embedding

int main(int argc, char** argv) { return akidb::embedding::Main(argc, argv); }
