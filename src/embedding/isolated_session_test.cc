// With real processes: session_worker_fixture.cc is their program. What needs the default model and
// ONNX Runtime is skipped where they are not installed.
#include "embedding/isolated_session.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "embedding/provider_chain.h"
#include "embedding/session_worker.h"
#include "embedding/session_worker_fixture.h"
#include "env/file_system.h"
#include "env/system_file.h"

namespace akidb::embedding {
namespace {

namespace files = std::filesystem;

constexpr uint32_t kWidth = 8;

uint64_t Seed() {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("AKIDB_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

// One item, whose ids they are.
TokenBatch BatchOf(std::vector<int64_t> ids) {
  TokenBatch batch;
  batch.items = 1;
  batch.tokens = ids.size();
  batch.mask.assign(ids.size(), 1);
  batch.lengths = {static_cast<uint32_t>(ids.size())};
  batch.ids = std::move(ids);
  return batch;
}

TokenBatch BatchOf(BadRun bad, int64_t argument = 0) {
  return BatchOf({static_cast<int64_t>(bad), argument});
}

TokenBatch RandomBatch(std::mt19937_64& random, size_t items_max, size_t tokens_max) {
  TokenBatch batch;
  batch.items = 1 + random() % items_max;
  batch.tokens = 1 + random() % tokens_max;
  for (size_t item = 0; item < batch.items; ++item) {
    batch.lengths.push_back(static_cast<uint32_t>(1 + random() % batch.tokens));
    for (size_t token = 0; token < batch.tokens; ++token) {
      const bool padded = token >= batch.lengths.back();
      batch.ids.push_back(padded ? 0 : static_cast<int64_t>(random() % 30'000));
      batch.mask.push_back(padded ? 0 : 1);
    }
  }
  return batch;
}

class IsolatedSessionTest : public testing::Test {
 protected:
  IsolatedSessionTest() {
    options_.worker = {AKIDB_TEST_SESSION_WORKER, {}};
    request_.model_id = kEchoes;
    request_.spec.width = kWidth;
  }

  std::unique_ptr<IsolatedSession> Open() {
    Result<std::unique_ptr<IsolatedSession>> session =
        IsolatedSession::Open(options_, request_, nullptr);
    EXPECT_TRUE(session.ok()) << session.status().ToString();
    return session.ok() ? *std::move(session) : nullptr;
  }
  Status OpenStatus() { return IsolatedSession::Open(options_, request_, nullptr).status(); }

  static Status Run(Session& session, const TokenBatch& batch) {
    RunControl control;
    return session.Run(batch, control, [](const HiddenStates&) { return OkStatus(); });
  }
  // Whether the worker gives what EchoOf says, read where it lies.
  Status Echo(Session& session, const TokenBatch& batch) const {
    RunControl control;
    return session.Run(batch, control, [&](const HiddenStates& states) {
      const size_t step = request_.spec.pooled_in_graph ? batch.tokens : 1;
      EXPECT_EQ(states.items, batch.items);
      EXPECT_EQ(states.tokens, batch.tokens / step);
      EXPECT_EQ(states.width, request_.spec.width);
      EXPECT_EQ(states.pooled, request_.spec.pooled_in_graph);
      size_t wrong = 0;
      for (size_t i = 0; i < states.values.size(); ++i) {
        const size_t at = i / states.width * step;
        const int64_t id = batch.ids[at] + batch.mask[at] + batch.lengths[at / batch.tokens];
        wrong += states.values[i] != EchoOf(id, at / step, i % states.width) ? 1 : 0;
      }
      EXPECT_EQ(wrong, 0u);
      EXPECT_EQ(states.values.size(), states.items * states.tokens * states.width);
      return OkStatus();
    });
  }
  // A run that ends the worker, whose every run tells the same from then on.
  void ExpectLost(const TokenBatch& batch, const std::string& told) {
    const std::unique_ptr<IsolatedSession> session = Open();
    ASSERT_NE(session, nullptr);
    ASSERT_TRUE(Echo(*session, BatchOf({5})).ok());
    RunControl in_flight;
    auto other = std::async(std::launch::async, [&] {
      return session->Run(BatchOf(BadRun::kHang), in_flight,
                          [](const HiddenStates&) { return OkStatus(); });
    });
    const Status status = Run(*session, batch);
    EXPECT_EQ(status.code(), ErrorCode::kUnavailable) << status.ToString();
    EXPECT_NE(status.message().find(told), std::string::npos) << status.ToString();
    EXPECT_EQ(other.get().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(Run(*session, BatchOf({5})).ToString(), status.ToString());
  }

  IsolationOptions options_;
  SessionRequest request_;
};

TEST_F(IsolatedSessionTest, GivesWhatTheSessionGives) {
  std::mt19937_64 random(Seed());
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Echo(*session, RandomBatch(random, 16, 64)).ok());
  }
}

TEST_F(IsolatedSessionTest, GivesVectorsWhereTheGraphPools) {
  std::mt19937_64 random(Seed());
  request_.spec.pooled_in_graph = true;
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Echo(*session, RandomBatch(random, 16, 64)).ok());
}

TEST_F(IsolatedSessionTest, TakesBatchesOfAllSizesInAnyOrder) {
  std::mt19937_64 random(Seed());
  request_.spec.width = 1024;
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  // 4 KiB, 32 MiB (more than is kept), and small again.
  for (size_t tokens : {1, 8192, 3, 300, 8192, 8000, 1}) {
    TokenBatch batch = BatchOf(std::vector<int64_t>(tokens, 7));
    ASSERT_TRUE(Echo(*session, batch).ok()) << tokens;
  }
  const TokenBatch none;
  EXPECT_EQ(Run(*session, none).code(), ErrorCode::kResourceExhausted);
}

TEST_F(IsolatedSessionTest, RunsSeveralBatchesAtATime) {
  const uint64_t seed = Seed();
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937_64 random(seed + i);
      for (int run = 0; run < 100; ++run) {
        EXPECT_TRUE(Echo(*session, RandomBatch(random, 8, 32)).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(IsolatedSessionTest, TellsWhatTheSessionSaid) {
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  for (int code = 1; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    const Status status = Run(*session, BatchOf(BadRun::kFail, code));
    EXPECT_EQ(status.code(), static_cast<ErrorCode>(code));
    EXPECT_EQ(status.message(), "as was asked");
  }
  EXPECT_TRUE(Echo(*session, BatchOf({1, 2, 3})).ok());
}

TEST_F(IsolatedSessionTest, TellsWhatTheUserOfTheStatesSaid) {
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  RunControl control;
  const Status status = session->Run(
      BatchOf({1}), control, [](const HiddenStates&) { return CorruptionError("not a number"); });
  EXPECT_EQ(status.message(), "not a number");
}

TEST_F(IsolatedSessionTest, RefusesOutputOfOtherSizesAndGoesOn) {
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  for (BadRun bad : {BadRun::kGiveTooLittle, BadRun::kGiveTooMuch}) {
    EXPECT_EQ(Run(*session, BatchOf(bad)).code(), ErrorCode::kCorruption);
  }
  EXPECT_TRUE(Echo(*session, BatchOf({1})).ok());
}

TEST_F(IsolatedSessionTest, ARunIsCancelled) {
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  RunControl before;
  before.Stop();
  const auto use = [](const HiddenStates&) { return OkStatus(); };
  EXPECT_EQ(session->Run(BatchOf(BadRun::kHang), before, use).code(), ErrorCode::kCancelled);
  for (int i = 0; i < 50; ++i) {
    RunControl control;
    auto run = std::async(std::launch::async,
                          [&] { return session->Run(BatchOf(BadRun::kHang), control, use); });
    control.Stop();
    EXPECT_EQ(run.get().code(), ErrorCode::kCancelled);
    // A late cancel of that run doesn't reach the next one on its lane.
    EXPECT_TRUE(Echo(*session, BatchOf({1, 2})).ok());
  }
}

TEST_F(IsolatedSessionTest, ARunThatDoesNotEndWhenCancelledEndsTheWorker) {
  options_.cancel_grace = std::chrono::milliseconds(50);
  for (BadRun bad : {BadRun::kHangForever, BadRun::kStopItself}) {
    const std::unique_ptr<IsolatedSession> session = Open();
    ASSERT_NE(session, nullptr);
    RunControl control;
    auto run = std::async(std::launch::async, [&] {
      return session->Run(BatchOf(bad), control, [](const HiddenStates&) { return OkStatus(); });
    });
    control.Stop();
    const Status status = run.get();
    EXPECT_EQ(status.code(), ErrorCode::kUnavailable);
    EXPECT_NE(status.message().find("50 ms after it was cancelled"), std::string::npos)
        << status.ToString();
    EXPECT_EQ(Run(*session, BatchOf({1})).ToString(), status.ToString());
  }
}

TEST_F(IsolatedSessionTest, ARunThatNobodyCancelsIsBoundedToo) {
  options_.run_time_max = std::chrono::milliseconds(50);
  ExpectLost(BatchOf(BadRun::kHangForever), "took longer than 50 ms");
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr const char* kSegfaultEnd = "was ended by";  // the sanitizer reports, and exits
#else
constexpr const char* kSegfaultEnd = "was ended by signal SIGSEGV (Segmentation fault)";
#endif

TEST_F(IsolatedSessionTest, ACrashEndsTheWorkerOnly) {
  ExpectLost(BatchOf(BadRun::kAbort), "was ended by signal SIGABRT (Aborted)");
  ExpectLost(BatchOf(BadRun::kSegfault), kSegfaultEnd);
  ExpectLost(BatchOf(BadRun::kThrow), "was ended by signal SIGABRT");
  ExpectLost(BatchOf(BadRun::kTakeAllMemory), "was ended by");
  ExpectLost(BatchOf(BadRun::kExit), "was ended by exit code 9");
}

TEST_F(IsolatedSessionTest, AWorkerThatLeavesItsLanesIsKilled) {
  ExpectLost(BatchOf(BadRun::kCloseLanes), "closed its sockets and went on");
}

TEST_F(IsolatedSessionTest, GarbageEndsTheWorkerOnly) {
  ExpectLost(BatchOf(BadRun::kReportAnother), "a message that no worker sends");
  const uint64_t seed = Seed();
  for (uint64_t i = 0; i < 20; ++i) {
    options_.run_time_max = std::chrono::seconds(2);  // garbage may look like nothing at all
    const std::unique_ptr<IsolatedSession> session = Open();
    ASSERT_NE(session, nullptr);
    const auto argument = static_cast<int64_t>((seed + i) % 1'000'000);
    // Three changes may leave a report as it was, or make another Status of it.
    const Status status = Run(*session, BatchOf(BadRun::kWriteGarbage, argument));
    if (status.code() != ErrorCode::kUnavailable) continue;
    EXPECT_EQ(Run(*session, BatchOf({1})).code(), ErrorCode::kUnavailable);
  }
}

TEST_F(IsolatedSessionTest, AKilledWorkerEndsEveryRun) {
  const uint64_t seed = Seed();
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  std::atomic<int> good{0};
  std::atomic<int> lost{0};
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937_64 random(seed + i);
      for (;;) {
        const Status status = Echo(*session, RandomBatch(random, 8, 32));
        if (status.ok()) {
          ++good;
          good.notify_all();
          continue;
        }
        EXPECT_EQ(status.code(), ErrorCode::kUnavailable) << status.ToString();
        EXPECT_NE(status.message().find("SIGKILL"), std::string::npos) << status.ToString();
        ++lost;
        return;
      }
    });
  }
  for (int seen = good; seen < 200; seen = good) good.wait(seen);
  ASSERT_EQ(::kill(session->worker_pid(), SIGKILL), 0);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lost, 8);
}

TEST_F(IsolatedSessionTest, TellsWhyTheSessionCouldNotBeMade) {
  request_.model_id = kIsRefused;
  EXPECT_EQ(OpenStatus().ToString(), "corruption: the model is refused");
  request_.model_id = kDiesWhenMade;
  EXPECT_EQ(OpenStatus().code(), ErrorCode::kUnavailable);
  EXPECT_NE(OpenStatus().message().find("SIGABRT"), std::string::npos);
  request_.model_id = kBabblesWhenMade;
  EXPECT_EQ(OpenStatus().code(), ErrorCode::kUnavailable);
  options_.open_time_max = std::chrono::milliseconds(50);
  request_.model_id = kHangsWhenMade;
  EXPECT_NE(OpenStatus().message().find("took too long"), std::string::npos);
  options_.worker.program = "/nonesuch/program";
  EXPECT_EQ(OpenStatus().code(), ErrorCode::kNotFound);
  options_.worker.program = "/bin/true";
  EXPECT_EQ(OpenStatus().code(), ErrorCode::kUnavailable);
}

TEST_F(IsolatedSessionTest, AWorkerThatHangsWhileItOpensIsKilledWhenTheLoadIsStopped) {
  request_.model_id = kHangsWhenMade;
  LoadProgress progress;
  progress.Begin();
  auto opening = std::async(std::launch::async, [&] {
    return IsolatedSession::Open(options_, request_, &progress).status();
  });
  progress.control().Stop();
  EXPECT_EQ(opening.get().code(), ErrorCode::kCancelled);
  // And before it began.
  EXPECT_EQ(IsolatedSession::Open(options_, request_, &progress).status().code(),
            ErrorCode::kCancelled);
  const GpuFacts facts = LookAtGpusIsolated(options_, &progress);
  EXPECT_NE(facts.cuda_problem.find("stopped"), std::string::npos) << facts.cuda_problem;
}

TEST_F(IsolatedSessionTest, TellsHowFarItIs) {
  LoadProgress progress;
  progress.Begin();
  ASSERT_TRUE(IsolatedSession::Open(options_, request_, &progress).ok());
  EXPECT_EQ(progress.state().phase, LoadPhase::kBuilding);
  EXPECT_EQ(progress.state().verified_bytes, 12'345u);
}

// The system would end the worker with the thread that started it.
TEST_F(IsolatedSessionTest, OutlivesTheThreadThatOpenedIt) {
  std::unique_ptr<IsolatedSession> session;
  std::thread([&] { session = Open(); }).join();
  ASSERT_NE(session, nullptr);
  EXPECT_TRUE(Echo(*session, BatchOf({1})).ok());
}

// A chain of one such session.
class IsolatedChainTest : public IsolatedSessionTest {
 protected:
  void Start(ProviderChainOptions options) {
    ProviderLink link;
    link.make = [this](LoadProgress*) -> Result<std::unique_ptr<Session>> {
      std::unique_ptr<IsolatedSession> session = Open();
      if (session) pid_ = session->worker_pid();
      return std::unique_ptr<Session>(std::move(session));
    };
    options.breaker.pause_first = std::chrono::milliseconds(0);
    options.prove = [this](Session& session) { return Echo(session, BatchOf({1})); };
    chain_ = ProviderChain::Start({link}, options, *log_, nullptr).value();
  }
  void WaitFor(LinkState state) {
    while (chain_->Providers()[0].state != state) std::this_thread::yield();
  }

  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::atomic<int> pid_{0};  // of the last worker
  std::unique_ptr<ProviderChain> chain_;
};

TEST_F(IsolatedChainTest, EndsWhileAWorkerHangsThatItMakesInTheBackground) {
  std::promise<void> begun;
  ProviderLink slow;
  slow.slow = true;
  slow.make = [&](LoadProgress* progress) -> Result<std::unique_ptr<Session>> {
    SessionRequest request = request_;
    request.model_id = kHangsWhenMade;
    begun.set_value();
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<Session> session,
                           IsolatedSession::Open(options_, request, progress));
    return session;
  };
  ProviderLink quick;
  quick.make = [this](LoadProgress*) { return Result<std::unique_ptr<Session>>(Open()); };
  ProviderChainOptions options;
  options.prove = [this](Session& session) { return Echo(session, BatchOf({1})); };
  chain_ = ProviderChain::Start({slow, quick}, options, *log_, nullptr).value();
  begun.get_future().wait();
  chain_.reset();
}

TEST_F(IsolatedChainTest, ARunIsServedAfterTheWorkerWasKilledWhileIdle) {
  Start({});
  const int before = pid_;
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  WaitFor(LinkState::kWaiting);
  EXPECT_NE(chain_->Providers()[0].reason.find("SIGKILL"), std::string::npos);
  EXPECT_TRUE(Echo(*chain_, BatchOf({1, 2})).ok());
  EXPECT_NE(pid_, before);
}

TEST_F(IsolatedChainTest, AWorkerThatIsKilledForARunIsReplacedAtOnce) {
  options_.cancel_grace = std::chrono::milliseconds(20);
  ProviderChainOptions options;
  options.run_timeout = std::chrono::milliseconds(500);
  Start(std::move(options));
  const Status status = Run(*chain_, BatchOf(BadRun::kHangForever));
  EXPECT_EQ(status.code(), ErrorCode::kUnavailable) << status.ToString();
  EXPECT_NE(status.message().find("after it was cancelled"), std::string::npos);
  WaitFor(LinkState::kReady);
  EXPECT_TRUE(Echo(*chain_, BatchOf({1, 2})).ok());
  EXPECT_EQ(chain_->Providers()[0].failures, 1u);
}

std::string ReadOf(int pid, const std::string& file) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  return env::ReadSystemFile(*fs, "/proc/" + std::to_string(pid) + "/" + file);
}

TEST_F(IsolatedSessionTest, TheWorkerGoesFirstWhereMemoryRunsOutAndLeavesNoCore) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &before), 0);
  const rlimit all = {before.rlim_max, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_CORE, &all), 0);
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_EQ(::setrlimit(RLIMIT_CORE, &before), 0);
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(ReadOf(session->worker_pid(), "comm"), "akidb-worker\n");
  EXPECT_EQ(ReadOf(session->worker_pid(), "oom_score_adj"), "500\n");
  const std::string limits = ReadOf(session->worker_pid(), "limits");
  EXPECT_NE(limits.find("Max core file size        0 "), std::string::npos) << limits;
}

TEST_F(IsolatedSessionTest, TheMachinesGpusAreLookedAtElsewhere) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const GpuFacts here = LookAtGpus(*fs);
  const GpuFacts facts = LookAtGpusIsolated(options_, nullptr);
  EXPECT_EQ(facts.cuda_problem, here.cuda_problem);
  EXPECT_EQ(facts.devices.size(), here.devices.size());
  options_.worker = {"/bin/false", {}};
  EXPECT_FALSE(LookAtGpusIsolated(options_, nullptr).cuda_problem.empty());
}

size_t OpenDescriptors() {
  const files::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(files::begin(all), files::end(all)));
}

TEST_F(IsolatedSessionTest, LeavesNothingBehind) {
  const size_t before = OpenDescriptors();
  for (BadRun bad : {BadRun::kAbort, BadRun::kFail}) {
    std::unique_ptr<IsolatedSession> session = Open();
    ASSERT_NE(session, nullptr);
    const int pid = session->worker_pid();
    EXPECT_FALSE(Run(*session, BatchOf(bad, 1)).ok());
    session = nullptr;
    EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

// Starts an owner of a worker; returns the worker's process, which becomes ours when it is
// orphaned.
int StartOwner(std::unique_ptr<env::WorkerProcess>& owner) {
  env::MessageSocket::Pair pair = env::MessageSocket::MakePair().value();
  owner = env::WorkerProcess::Start({AKIDB_TEST_SESSION_WORKER, {"own"}}, pair.second).value();
  pair.second.Close();
  std::vector<std::byte> buffer(env::MessageSocket::kMessageBytesMax);
  const Result<env::ReceivedMessage> received = pair.first.Receive(buffer, {});
  int pid = 0;
  if (received.ok() && received->bytes.size() == sizeof pid) {
    std::memcpy(&pid, received->bytes.data(), sizeof pid);
  }
  return pid;
}

TEST(SessionWorker, DoesNotOutliveItsOwner) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  for (bool hangs : {false, true}) {
    std::unique_ptr<env::WorkerProcess> owner;
    const int pid = StartOwner(owner);
    ASSERT_GT(pid, 0);
    // A worker that sees nothing any more is ended by the system.
    if (hangs) ASSERT_EQ(::kill(pid, SIGSTOP), 0);
    owner = nullptr;
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

// The default model and ONNX Runtime, where they are installed.
class InstalledModelTest : public IsolatedSessionTest {
 protected:
  void SetUp() override {
    const char* models = std::getenv("AKIDB_MODELS_DIR");
    const char* library = std::getenv("AKIDB_ORT_LIB");
    if (library != nullptr) {
      libraries_ = {library};
    } else if (files::exists(AKIDB_TEST_LIBRARY_DIR)) {
      for (const auto& entry : files::directory_iterator(AKIDB_TEST_LIBRARY_DIR)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("libonnxruntime.so")) libraries_.push_back(entry.path());
      }
    }
    const Manifest manifest = ParseManifest(BuiltInManifests()[0]).value();
    request_.model_id = manifest.id;
    request_.folder = (models != nullptr ? models : AKIDB_TEST_MODELS_DIR) + ("/" + manifest.id);
    request_.graph = manifest.graph.file;
    request_.spec.inputs = manifest.graph.inputs;
    request_.spec.output = manifest.graph.output;
    request_.spec.pooled_in_graph = manifest.graph.pooled;
    request_.spec.width = manifest.dims;
    options_.libraries = libraries_;
    if (libraries_.empty() || !files::exists(request_.folder + "/" + request_.graph.path)) {
      GTEST_SKIP() << "needs the default model and ONNX Runtime: run `akidb models pull`";
    }
  }
  static std::vector<float> StatesOf(Session& session, const TokenBatch& batch) {
    RunControl control;
    std::vector<float> values;
    const Status status = session.Run(batch, control, [&](const HiddenStates& states) {
      values.assign(states.values.begin(), states.values.end());
      return OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    return values;
  }

  std::vector<std::string> libraries_;
};

TEST_F(InstalledModelTest, GivesTheSameNumbersAsInThisProcess) {
  std::mt19937_64 random(Seed());
  LoadProgress progress;
  const std::unique_ptr<IsolatedSession> isolated = Open();
  Result<std::unique_ptr<Session>> session = OpenFromFiles({libraries_, request_}, progress);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  ASSERT_NE(isolated, nullptr);
  for (int i = 0; i < 5; ++i) {
    const TokenBatch batch = RandomBatch(random, 4, 32);
    EXPECT_EQ(StatesOf(*isolated, batch), StatesOf(**session, batch));
  }
}

TEST_F(InstalledModelTest, CancelsARun) {
  const std::unique_ptr<IsolatedSession> session = Open();
  ASSERT_NE(session, nullptr);
  RunControl control;
  const TokenBatch batch = [] {
    std::mt19937_64 random(1);
    return RandomBatch(random, 64, 256);
  }();
  auto run = std::async(std::launch::async, [&] {
    return session->Run(batch, control, [](const HiddenStates&) { return OkStatus(); });
  });
  control.Stop();
  EXPECT_EQ(run.get().code(), ErrorCode::kCancelled);
  EXPECT_FALSE(StatesOf(*session, BatchOf({101, 102})).empty());
}

TEST_F(InstalledModelTest, TellsWhatIsMissing) {
  options_.libraries = {"/nonesuch/libonnxruntime.so"};
  EXPECT_EQ(OpenStatus().code(), ErrorCode::kInvalidArgument);
  options_.libraries = libraries_;
  request_.graph.sha256 = std::string(64, '0');
  EXPECT_EQ(OpenStatus().code(), ErrorCode::kCorruption);
  request_.folder = "/nonesuch";
  EXPECT_EQ(OpenStatus().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace akidb::embedding
