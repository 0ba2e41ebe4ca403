#include "embedding/provider_chain.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/provider_chain_fixture.h"

namespace akidb::embedding {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

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

TEST_F(ProviderChainTest, OneThatIsMadeAnewSoonerThanTheNextIsMadeServesAlone) {
  options_.breaker.pause_first = milliseconds(0);
  gpu_link_.shares_fate = false;
  ASSERT_TRUE(Start().ok());
  gpu_.Answer(UnavailableError("the process has ended"));
  cpu_.SetHeld(true);
  std::future<float> run = std::async(std::launch::async, [&] { return MustRun(); });
  cpu_.WaitForMade(1);
  WaitUntilReady(0);
  cpu_.SetHeld(false);
  EXPECT_EQ(run.get(), 2);
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

}  // namespace
}  // namespace akidb::embedding
