#include "embedding/provider_chain.h"

#include <atomic>
#include <future>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kProof = -1;  // the id that a session is proved by

// What one provider does, told by the test from outside. Thread-safe.
class FakeProvider {
 public:
  // What runs return from now on; ok: vectors of `number`.
  void Answer(Status status) {
    MutexLock lock(mutex_);
    answer_ = std::move(status);
    changed_.NotifyAll();
  }
  void FailToStart(Status status) {
    MutexLock lock(mutex_);
    start_ = std::move(status);
  }
  void FailProof(Status status) {
    MutexLock lock(mutex_);
    proof_ = std::move(status);
  }
  // Batches of more items run out of memory.
  void SetItemsThatFit(size_t items) {
    MutexLock lock(mutex_);
    items_that_fit_ = items;
  }
  void SetHanging(bool hanging) {
    MutexLock lock(mutex_);
    hanging_ = hanging;
    changed_.NotifyAll();
  }
  // Making a session waits until this is called with false.
  void SetHeld(bool held) {
    MutexLock lock(mutex_);
    held_ = held;
    changed_.NotifyAll();
  }

  Result<std::unique_ptr<Session>> Make();
  Status Run(const TokenBatch& batch, RunControl& control, const Session::Use& use) {
    {
      MutexLock lock(mutex_);
      if (batch.ids[0] == kProof && !hanging_) return proof_;
      items_.push_back(batch.items);
      changed_.NotifyAll();
      if (hanging_) {
        mutex_.unlock();
        control.Attach([this] {
          MutexLock stop(mutex_);
          hanging_ = false;
          changed_.NotifyAll();
        });
        mutex_.lock();
        while (hanging_) changed_.Wait(mutex_);
        mutex_.unlock();
        control.Detach();
        mutex_.lock();
        return CancelledError("stopped");
      }
      if (batch.items > items_that_fit_) return ResourceExhaustedError("out of memory");
      if (!answer_.ok()) return answer_;
    }
    std::vector<float> values;
    for (size_t i = 0; i < batch.items; ++i) {
      values.insert(values.end(), {static_cast<float>(batch.ids[i * batch.tokens]), number});
    }
    return use({values, batch.items, 1, 2, true});
  }

  std::vector<size_t> items() const {
    MutexLock lock(mutex_);
    return items_;
  }
  size_t made() const {
    MutexLock lock(mutex_);
    return made_;
  }
  void WaitForRuns(size_t count) {
    MutexLock lock(mutex_);
    while (items_.size() < count) changed_.Wait(mutex_);
  }
  void WaitForMade(size_t count) {
    MutexLock lock(mutex_);
    while (made_ < count) changed_.Wait(mutex_);
  }

  float number = 0;

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  Status answer_;
  Status start_;
  Status proof_;
  size_t items_that_fit_ = std::numeric_limits<size_t>::max();
  bool hanging_ = false;
  bool held_ = false;
  std::vector<size_t> items_;  // of each run
  size_t made_ = 0;
};

class FakeSession final : public Session {
 public:
  explicit FakeSession(FakeProvider& provider) : provider_(provider) {}
  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    return provider_.Run(batch, control, use);
  }
  FakeProvider& provider() const { return provider_; }

 private:
  FakeProvider& provider_;
};

Result<std::unique_ptr<Session>> FakeProvider::Make() {
  MutexLock lock(mutex_);
  ++made_;
  changed_.NotifyAll();
  while (held_) changed_.Wait(mutex_);
  if (!start_.ok()) return start_;
  return std::unique_ptr<Session>(std::make_unique<FakeSession>(*this));
}

class ProviderChainTest : public testing::Test {
 protected:
  ProviderChainTest() {
    gpu_.number = 1;
    cpu_.number = 2;
    options_.model_id = "fake";
    options_.prove = Prove;
    // No test waits for a pause to end, unless it says so.
    options_.breaker.pause_first = std::chrono::hours(1);
    options_.breaker.pause_max = std::chrono::hours(1);
    gpu_link_ = LinkOf(Provider::kCuda, gpu_);
    gpu_link_.shares_fate = true;
  }

  static ProviderLink LinkOf(Provider provider, FakeProvider& fake) {
    ProviderLink link;
    link.provider = provider;
    link.make = [&fake](LoadProgress*) { return fake.Make(); };
    return link;
  }

  static Status Prove(Session& session) {
    RunControl control;
    return session.Run({1, 1, {kProof}, {1}, {1}}, control,
                       [](const HiddenStates&) { return OkStatus(); });
  }

  Status Start() {
    std::vector<ProviderLink> links = {gpu_link_, LinkOf(Provider::kCpu, cpu_)};
    return StartWith(std::move(links));
  }
  Status StartWith(std::vector<ProviderLink> links) {
    Result<std::unique_ptr<ProviderChain>> chain =
        ProviderChain::Start(std::move(links), options_, *log_, nullptr);
    if (!chain.ok()) return chain.status();
    chain_ = std::move(chain).value();
    return OkStatus();
  }

  // The first components must be the ids; who ran is told by the second ones.
  Result<float> Run(size_t items = 1) {
    TokenBatch batch;
    batch.items = items;
    batch.tokens = 3;
    for (size_t i = 0; i < items; ++i) {
      batch.ids.insert(batch.ids.end(), {static_cast<int64_t>(i), 5, 6});
      batch.lengths.push_back(3);
    }
    batch.mask.assign(batch.ids.size(), 1);
    float ran = 0;
    AKIDB_RETURN_IF_ERROR(chain_->Run(batch, control_, [&](const HiddenStates& states) {
      EXPECT_EQ(states.items, items);
      for (size_t i = 0; i < items; ++i) {
        EXPECT_EQ(states.values[2 * i], static_cast<float>(i));
        EXPECT_EQ(states.values[2 * i + 1], states.values[1]);
      }
      ran = states.values[1];
      return use_;
    }));
    return ran;
  }
  float MustRun(size_t items = 1) {
    Result<float> ran = Run(items);
    EXPECT_TRUE(ran.ok()) << ran.status().message();
    return ran.ok() ? *ran : 0;
  }
  std::vector<LinkState> States() const {
    std::vector<LinkState> states;
    for (const ProviderState& state : chain_->Providers()) states.push_back(state.state);
    return states;
  }
  // Until the provider's session is in service.
  void WaitUntilReady(size_t link) {
    while (chain_->Providers()[link].state != LinkState::kReady) std::this_thread::yield();
  }

  FakeProvider gpu_;
  FakeProvider cpu_;
  ProviderLink gpu_link_;
  ProviderChainOptions options_;
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  RunControl control_;
  Status use_;
  std::unique_ptr<ProviderChain> chain_;
};

TEST_F(ProviderChainTest, ThePreferredOneServesAndTheOthersAreNotMade) {
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(), 1);
  EXPECT_EQ(cpu_.made(), 0u);
  EXPECT_THAT(States(), ElementsAre(LinkState::kReady, LinkState::kWaiting));
  EXPECT_TRUE(chain_->Providers()[0].serves);
}

TEST_F(ProviderChainTest, OneThatIsNotThereIsPassedOverForGood) {
  gpu_.FailToStart(UnsupportedError("no such provider"));
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(), 2);
  EXPECT_THAT(States(), ElementsAre(LinkState::kRefused, LinkState::kReady));
  EXPECT_EQ(chain_->Providers()[0].reason, "no such provider");
  EXPECT_EQ(gpu_.made(), 1u);
}

TEST_F(ProviderChainTest, OneThatDoesNotProveItselfNeverServes) {
  gpu_.FailProof(CorruptionError("golden text 0 has a cosine of 0.5"));
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(), 2);
  EXPECT_THAT(gpu_.items(), ElementsAre());
  EXPECT_THAT(States(), ElementsAre(LinkState::kRefused, LinkState::kReady));
}

TEST_F(ProviderChainTest, TheLastErrorIsToldWhereNoneCanStart) {
  gpu_.FailToStart(UnsupportedError("no such provider"));
  cpu_.FailToStart(CorruptionError("not a model"));
  EXPECT_EQ(Start().code(), ErrorCode::kCorruption);
}

TEST_F(ProviderChainTest, ABatchThatDoesNotFitIsHalvedOnce) {
  ASSERT_TRUE(Start().ok());
  gpu_.SetItemsThatFit(3);
  EXPECT_EQ(MustRun(5), 1);
  EXPECT_THAT(gpu_.items(), ElementsAre(5, 3, 2));
  EXPECT_THAT(States(), ElementsAre(LinkState::kReady, LinkState::kWaiting));
}

TEST_F(ProviderChainTest, OutOfMemoryAfterThatGoesToTheNextOne) {
  ASSERT_TRUE(Start().ok());
  gpu_.SetItemsThatFit(2);
  EXPECT_EQ(MustRun(8), 2);
  EXPECT_THAT(gpu_.items(), ElementsAre(8, 4));
  EXPECT_THAT(States(), ElementsAre(LinkState::kOpen, LinkState::kReady));
  EXPECT_EQ(chain_->Providers()[0].failures, 1u);
  EXPECT_GT(chain_->Providers()[0].retry_in_s, 0);
  // It isn't asked again before its time.
  EXPECT_EQ(MustRun(1), 2);
  EXPECT_THAT(gpu_.items(), ElementsAre(8, 4));
}

TEST_F(ProviderChainTest, TheProcessorStaysInServiceWhenABatchIsTooLargeForIt) {
  ASSERT_TRUE(StartWith({LinkOf(Provider::kCpu, cpu_)}).ok());
  cpu_.SetItemsThatFit(1);
  EXPECT_EQ(Run(8).status().code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(MustRun(1), 2);
  EXPECT_EQ(cpu_.made(), 1u);
}

TEST_F(ProviderChainTest, ALostGpuIsLostToEverySessionOnItUntilARestart) {
  options_.breaker.pause_first = milliseconds(0);
  FakeProvider other;
  ProviderLink other_link = LinkOf(Provider::kTensorRt, other);
  other_link.shares_fate = true;
  ASSERT_TRUE(StartWith({other_link, gpu_link_, LinkOf(Provider::kCpu, cpu_)}).ok());
  other.Answer(UnavailableError("CUDA failure 700: illegal memory access"));
  EXPECT_EQ(MustRun(), 2);
  EXPECT_THAT(States(), ElementsAre(LinkState::kRefused, LinkState::kRefused, LinkState::kReady));
  EXPECT_THAT(chain_->Providers()[1].reason, HasSubstr("until a restart"));
  EXPECT_EQ(gpu_.made(), 0u);
}

TEST_F(ProviderChainTest, OneThatIsLostByItselfIsMadeAnew) {
  options_.breaker.pause_first = milliseconds(0);
  gpu_link_.shares_fate = false;
  ASSERT_TRUE(Start().ok());
  gpu_.Answer(UnavailableError("the process has ended"));
  EXPECT_EQ(MustRun(), 2);
  gpu_.Answer(OkStatus());
  WaitUntilReady(0);
  EXPECT_EQ(MustRun(), 1);
  // What served in its place has gone.
  EXPECT_THAT(States(), ElementsAre(LinkState::kReady, LinkState::kWaiting));
}

TEST_F(ProviderChainTest, WithoutAnotherOneItIsUnavailableUntilItIsMadeAnew) {
  options_.breaker.pause_first = milliseconds(1);
  ASSERT_TRUE(StartWith({LinkOf(Provider::kCpu, cpu_)}).ok());
  cpu_.SetHeld(true);
  cpu_.Answer(UnavailableError("the process has ended"));
  EXPECT_EQ(Run().status().code(), ErrorCode::kUnavailable);
  cpu_.WaitForMade(2);
  const Status nobody = Run().status();
  EXPECT_EQ(nobody.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(std::string(nobody.message()), HasSubstr("CPUExecutionProvider is building"));
  cpu_.Answer(OkStatus());
  cpu_.SetHeld(false);
  WaitUntilReady(0);
  EXPECT_EQ(MustRun(), 2);
}

TEST_F(ProviderChainTest, FailuresCountOnlyWhereAnotherOneSucceeds) {
  options_.breaker.failures_to_open = 3;
  ASSERT_TRUE(Start().ok());
  // One that is new goes at its first failure.
  EXPECT_EQ(MustRun(), 1);
  gpu_.Answer(InternalError("bad"));
  cpu_.Answer(InternalError("bad, too"));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Run().status().message(), "bad, too");
  EXPECT_THAT(States(), ElementsAre(LinkState::kReady, LinkState::kReady));
  cpu_.Answer(OkStatus());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(MustRun(), 2);
  EXPECT_EQ(States()[0], LinkState::kReady);
  EXPECT_EQ(MustRun(), 2);
  EXPECT_EQ(States()[0], LinkState::kOpen);
}

TEST_F(ProviderChainTest, ASuccessBetweenFailuresKeepsItInService) {
  options_.breaker.failures_to_open = 3;
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(), 1);
  for (int round = 0; round < 5; ++round) {
    gpu_.Answer(InternalError("now and then"));
    for (int i = 0; i < 2; ++i) EXPECT_EQ(MustRun(), 2);
    gpu_.Answer(OkStatus());
    EXPECT_EQ(MustRun(), 1);
  }
  EXPECT_EQ(chain_->Providers()[0].failures, 10u);
}

TEST_F(ProviderChainTest, AVectorThatIsNoneFailsTheProvider) {
  ASSERT_TRUE(Start().ok());
  int uses = 0;
  TokenBatch batch{1, 1, {7}, {1}, {1}};
  const Status status = chain_->Run(batch, control_, [&](const HiddenStates& states) {
    // As Normalize says of a NaN.
    return ++uses == 1 ? InternalError("no direction")
                       : (states.values[1] == 2 ? OkStatus() : InternalError("who?"));
  });
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(chain_->Providers()[0].failures, 1u);
}

TEST_F(ProviderChainTest, ARunThatTakesTooLongIsStoppedAndGoesToTheNextOne) {
  options_.run_timeout = milliseconds(20);
  ASSERT_TRUE(Start().ok());
  gpu_.SetHanging(true);
  EXPECT_EQ(MustRun(), 2);
  EXPECT_EQ(States()[0], LinkState::kOpen);
  EXPECT_THAT(chain_->Providers()[0].reason, HasSubstr("longer than 20 ms"));
}

TEST_F(ProviderChainTest, AProofThatTakesTooLongIsStopped) {
  options_.run_timeout = milliseconds(20);
  gpu_.SetHanging(true);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(), 2);
  EXPECT_THAT(States(), ElementsAre(LinkState::kOpen, LinkState::kReady));
  EXPECT_TRUE(IsDegraded(chain_->Providers()));
}

TEST_F(ProviderChainTest, OneThatIsExpectedAndNotThereDegradesIt) {
  gpu_.FailToStart(UnsupportedError("libcudnn.so.9: cannot open"));
  ASSERT_TRUE(Start().ok());
  EXPECT_FALSE(IsDegraded(chain_->Providers()));
  gpu_link_.expected = true;
  ASSERT_TRUE(Start().ok());
  EXPECT_TRUE(IsDegraded(chain_->Providers()));
}

TEST_F(ProviderChainTest, WhatTakesLongIsWaitedForWhereNothingElseStarts) {
  gpu_link_.slow = true;
  cpu_.FailToStart(ResourceExhaustedError("too large"));
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(), 1);
}

TEST_F(ProviderChainTest, ARunThatNobodyWantsIsCancelledAndCountsForNobody) {
  options_.run_timeout = std::chrono::hours(1);
  ASSERT_TRUE(Start().ok());
  gpu_.SetHanging(true);
  std::future<Status> run = std::async(std::launch::async, [&] { return Run().status(); });
  gpu_.WaitForRuns(1);
  control_.Stop();
  EXPECT_EQ(run.get().code(), ErrorCode::kCancelled);
  EXPECT_EQ(States()[0], LinkState::kReady);
  EXPECT_EQ(chain_->Providers()[0].failures, 0u);
  EXPECT_EQ(cpu_.made(), 0u);
}

TEST_F(ProviderChainTest, WhatTakesLongToStartTakesOverWhenItHasProvedItself) {
  gpu_link_.slow = true;
  gpu_.SetHeld(true);
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(States(), ElementsAre(LinkState::kBuilding, LinkState::kReady));
  EXPECT_EQ(MustRun(), 2);
  gpu_.SetHeld(false);
  WaitUntilReady(0);
  EXPECT_EQ(MustRun(), 1);
  EXPECT_EQ(States()[1], LinkState::kWaiting);
}

TEST_F(ProviderChainTest, TheOnlyOneIsWaitedForHoweverLongItTakes) {
  gpu_link_.slow = true;
  ASSERT_TRUE(StartWith({gpu_link_}).ok());
  EXPECT_EQ(MustRun(), 1);
}

TEST_F(ProviderChainTest, LargerBatchesThanAProviderTakesAreCut) {
  gpu_link_.items_max = 4;
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(10), 1);
  EXPECT_THAT(gpu_.items(), ElementsAre(4, 4, 2));
}

TEST_F(ProviderChainTest, TokensBoundARunButATextIsNeverCut) {
  gpu_link_.tokens_max = 7;
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(MustRun(5), 1);
  EXPECT_THAT(gpu_.items(), ElementsAre(2, 2, 1));
}

TEST_F(ProviderChainTest, SeveralThreadsMakeTheNextOneOnce) {
  ASSERT_TRUE(Start().ok());
  gpu_.Answer(UnavailableError("lost"));
  std::vector<std::future<float>> runs;
  for (int i = 0; i < 16; ++i) {
    runs.push_back(std::async(std::launch::async, [&] {
      TokenBatch batch{1, 1, {7}, {1}, {1}};
      RunControl control;
      float ran = 0;
      EXPECT_TRUE(chain_
                      ->Run(batch, control,
                            [&](const HiddenStates& states) {
                              ran = states.values[1];
                              return OkStatus();
                            })
                      .ok());
      return ran;
    }));
  }
  std::vector<float> ran;
  for (std::future<float>& run : runs) ran.push_back(run.get());
  EXPECT_THAT(ran, Each(2.0f));
  EXPECT_EQ(cpu_.made(), 1u);
}

TEST_F(ProviderChainTest, ItsEndWaitsForNoPause) {
  ASSERT_TRUE(Start().ok());
  gpu_.SetItemsThatFit(0);
  EXPECT_EQ(MustRun(), 2);
  EXPECT_EQ(States()[0], LinkState::kOpen);
  chain_.reset();
}

TEST_F(ProviderChainTest, DamagedEnginesAreDeletedOnceAndMadeAnew) {
  for (const bool proof : {false, true}) {
    FakeProvider gpu;
    gpu.number = 1;
    (proof ? gpu.FailProof(CorruptionError("golden text 0 has a cosine of 0.5"))
           : gpu.FailToStart(InternalError("could not deserialize engine")));
    int deleted = 0;
    gpu_link_.make = [&](LoadProgress*) { return gpu.Make(); };
    gpu_link_.delete_kept = [&]() -> Result<bool> {
      ++deleted;
      gpu.FailProof(OkStatus());
      gpu.FailToStart(OkStatus());
      return true;
    };
    // In the background, as an engine takes minutes.
    ASSERT_TRUE(Start().ok());
    WaitUntilReady(0);
    EXPECT_EQ(MustRun(), 1);
    // Where nothing else can serve, it is waited for.
    gpu.FailToStart(InternalError("could not deserialize engine"));
    ASSERT_TRUE(StartWith({gpu_link_}).ok());
    EXPECT_EQ(MustRun(), 1);
    EXPECT_EQ(deleted, 2);
    chain_.reset();
  }
}

TEST_F(ProviderChainTest, EnginesAreJudgedAfterTheyWereDeleted) {
  int deleted = 0;
  const auto start = [&](const Status& failure, Result<bool> result) {
    deleted = 0;
    gpu_link_.delete_kept = [&deleted, result] {
      ++deleted;
      return result;
    };
    gpu_.FailToStart(failure);
    return StartWith({gpu_link_});
  };
  const size_t before = gpu_.made();
  EXPECT_EQ(start(CorruptionError("wrong"), true).code(), ErrorCode::kCorruption);
  EXPECT_EQ(deleted, 1);
  EXPECT_EQ(gpu_.made(), before + 2);
  // Nothing was there, or it can't be deleted, or the GPU is lost to this process.
  for (const auto& [failure, result] :
       {std::pair<Status, Result<bool>>{CorruptionError("wrong"), false},
        {CorruptionError("wrong"), IoError("read-only")},
        {UnavailableError("illegal memory access"), true}}) {
    const size_t made = gpu_.made();
    EXPECT_EQ(start(failure, result).code(), failure.code());
    EXPECT_EQ(deleted, 1);
    EXPECT_EQ(gpu_.made(), made + 1);
  }
  // Those are not the engines' fault.
  for (const Status& failure : {UnsupportedError("no GPU"), InvalidArgumentError("no file"),
                                ResourceExhaustedError("out of memory")}) {
    EXPECT_EQ(start(failure, true).code(), failure.code());
    EXPECT_EQ(deleted, 0);
  }
}

}  // namespace
}  // namespace akidb::embedding
