// What a worker process keeps of its runs when it rests.
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "embedding/isolated_session.h"
#include "embedding/session_worker_fixture.h"

namespace akidb::embedding {
namespace {

using std::chrono::steady_clock;

uint64_t ResidentBytes(int pid) {
  uint64_t size = 0;
  uint64_t pages = 0;
  std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> size >> pages;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::unique_ptr<IsolatedSession> OpenEcho() {
  IsolationOptions options;
  options.worker = {AKIDB_TEST_SESSION_WORKER, {}};
  SessionRequest request;
  request.model_id = kEchoes;
  request.spec.width = 1;
  return IsolatedSession::Open(options, request, nullptr).value();
}

TEST(IsolatedSessionRestTest, AWorkerGivesBackWhatItsRunsHaveLeft) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's malloc gives nothing back";
#endif
  const std::unique_ptr<IsolatedSession> session = OpenEcho();
  constexpr uint64_t kMost = uint64_t{48} << 20;
  const uint64_t before = ResidentBytes(session->worker_pid());
  RunControl control;
  const Status ran = session->Run({1, 1, {static_cast<int64_t>(BadRun::kLeaveMemory)}, {1}, {1}},
                                  control, [](const HiddenStates&) { return OkStatus(); });
  ASSERT_TRUE(ran.ok()) << ran.ToString();
  ASSERT_GT(ResidentBytes(session->worker_pid()), before + kMost);
  session->GiveBack();
  const auto deadline = steady_clock::now() + std::chrono::seconds(60);
  while (ResidentBytes(session->worker_pid()) > before + kMost && steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_LT(ResidentBytes(session->worker_pid()), before + kMost);
}

TEST(IsolatedSessionRestTest, TellsWhatTheWorkersSessionTakes) {
  const std::unique_ptr<IsolatedSession> session = OpenEcho();
  EXPECT_EQ(session->MemoryBytes(), kEchoBytes);
  RunControl control;
  for (uint64_t runs = 1; runs < 4; ++runs) {
    ASSERT_TRUE(
        session->Run({1, 1, {5}, {1}, {1}}, control, [](const HiddenStates&) { return OkStatus(); })
            .ok());
    EXPECT_EQ(session->MemoryBytes(), kEchoBytes + runs);
  }
}

// Whatever the order in which the reports of several lanes are read.
TEST(IsolatedSessionRestTest, TellsWhatTheSessionTookBehindTheLastRun) {
  const std::unique_ptr<IsolatedSession> session = OpenEcho();
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kRuns = 50;
  uint64_t runs = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::jthread> threads;
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (uint64_t run = 0; run < kRuns; ++run) {
          RunControl control;
          EXPECT_TRUE(session
                          ->Run({1, 1, {5}, {1}, {1}}, control,
                                [](const HiddenStates&) { return OkStatus(); })
                          .ok());
        }
      });
    }
    threads.clear();
    runs += kThreads * kRuns;
    ASSERT_EQ(session->MemoryBytes(), kEchoBytes + runs);
  }
}

}  // namespace
}  // namespace akidb::embedding
