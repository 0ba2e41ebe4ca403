#include <atomic>
#include <new>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/provider_chain.h"
#include "embedding/provider_chain_fixture.h"

namespace akidb::embedding {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

using ProviderChainMendingTest = ProviderChainTest;

TEST_F(ProviderChainMendingTest, DamagedEnginesAreDeletedOnceAndMadeAnew) {
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

TEST_F(ProviderChainMendingTest, EnginesAreJudgedAfterTheyWereDeleted) {
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

TEST_F(ProviderChainMendingTest, OneThatIsLostWhileNobodyAsksIsMadeAnewByTheNextRun) {
  options_.breaker.pause_first = milliseconds(0);
  ASSERT_TRUE(StartWith({LinkOf(Provider::kCpu, cpu_)}).ok());
  for (size_t round = 1; round < 4; ++round) {
    cpu_.Lose(UnavailableError("the process has ended"));
    EXPECT_THAT(States(), ElementsAre(LinkState::kWaiting));
    EXPECT_EQ(chain_->Providers()[0].reason, "the process has ended");
    EXPECT_FALSE(chain_->Providers()[0].serves);
    EXPECT_EQ(MustRun(), 2);
    EXPECT_EQ(cpu_.made(), 1 + round);
    EXPECT_EQ(chain_->Providers()[0].failures, round);
    EXPECT_TRUE(chain_->Providers()[0].serves);
  }
}

TEST_F(ProviderChainMendingTest, OneWhoseFilesWereAwayForAMomentServesAgain) {
  options_.breaker.pause_first = milliseconds(0);
  options_.breaker.pause_max = milliseconds(1);
  for (const Status& failure :
       {InvalidArgumentError("model.onnx is missing"), CorruptionError("another checksum")}) {
    ASSERT_TRUE(StartWith({LinkOf(Provider::kCpu, cpu_)}).ok());
    cpu_.FailToStart(failure);
    cpu_.Lose(UnavailableError("the process has ended"));
    EXPECT_EQ(Run().status().code(), ErrorCode::kUnavailable);
    EXPECT_FALSE(chain_->Refused());
    cpu_.FailToStart(OkStatus());
    WaitUntilReady(0);
    EXPECT_EQ(MustRun(), 2);
    // One that hasn't served yet is as it is.
    cpu_.FailToStart(failure);
    EXPECT_EQ(StartWith({LinkOf(Provider::kCpu, cpu_)}).code(), failure.code());
    cpu_.FailToStart(OkStatus());
  }
}

TEST_F(ProviderChainMendingTest, KnowsThatNobodyIsLeft) {
  ASSERT_TRUE(Start().ok());
  gpu_.Answer(UnavailableError("the GPU is lost"));
  EXPECT_EQ(MustRun(), 2);
  EXPECT_FALSE(chain_->Refused());
  ASSERT_TRUE(StartWith({gpu_link_}).ok());
  EXPECT_FALSE(Run().ok());
  EXPECT_TRUE(chain_->Refused());
}

// The pause of an hour is longer than it has lived.
TEST_F(ProviderChainMendingTest, OneThatIsLostSoonAfterItWasMadeIsNotMadeAnewAtOnce) {
  ASSERT_TRUE(StartWith({LinkOf(Provider::kCpu, cpu_)}).ok());
  cpu_.Lose(UnavailableError("the process has ended"));
  EXPECT_EQ(Run().status().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(States(), ElementsAre(LinkState::kOpen));
  EXPECT_EQ(cpu_.made(), 1u);
}

TEST_F(ProviderChainMendingTest, OneThatIsLostWhileNobodyAsksIsNotWaitedForWhereAnotherServes) {
  gpu_link_.shares_fate = false;
  ASSERT_TRUE(Start().ok());
  gpu_.Lose(UnavailableError("the process has ended"));
  EXPECT_EQ(MustRun(), 2);
  EXPECT_THAT(States(), ElementsAre(LinkState::kOpen, LinkState::kReady));
  EXPECT_EQ(gpu_.made(), 1u);
}

TEST_F(ProviderChainMendingTest, AnExceptionIsAFailureLikeAnother) {
  options_.breaker.pause_first = milliseconds(0);
  std::atomic<int> throws{3};
  gpu_link_.make = [&](LoadProgress*) -> Result<std::unique_ptr<Session>> {
    if (throws-- > 0) throw std::bad_alloc();
    return gpu_.Make();
  };
  std::atomic<int> proofs{2};
  options_.prove = [&](Session& session) {
    if (proofs-- == 1) throw std::runtime_error("a library threw");
    return Prove(session);
  };
  // First where it starts, then in the background.
  ASSERT_TRUE(Start().ok());
  WaitUntilReady(0);
  EXPECT_EQ(MustRun(), 1);
  EXPECT_EQ(chain_->Providers()[0].failures, 4u);
}

TEST_F(ProviderChainMendingTest, AnExceptionInWhatARunWaitsForHoldsNobody) {
  ProviderLink cpu_link = LinkOf(Provider::kCpu, cpu_);
  cpu_link.make = [&](LoadProgress*) -> Result<std::unique_ptr<Session>> {
    throw std::bad_alloc();
  };
  ASSERT_TRUE(StartWith({gpu_link_, cpu_link}).ok());
  gpu_.SetItemsThatFit(0);
  EXPECT_EQ(Run().status().code(), ErrorCode::kResourceExhausted);
  const Status nobody = Run().status();
  EXPECT_EQ(nobody.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(std::string(nobody.message()), HasSubstr("CPUExecutionProvider is open: this"));
}

}  // namespace
}  // namespace akidb::embedding
