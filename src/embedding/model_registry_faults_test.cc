// Models whose providers fail, loads that are stopped, and pools that are full.
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/request_pool.h"
#include "embedding/model_registry_fixture.h"

namespace akidb::embedding {
namespace {

using ModelRegistryFaultsTest = ModelRegistryTest;

TEST_F(ModelRegistryFaultsTest, OneThatNoProviderCanRunAnyMoreIsLoadedAnewByTheNextUse) {
  options_.retry_pause = std::chrono::seconds(0);
  Make({10});
  ASSERT_TRUE(EmbedWith(*registry_, 0).ok());
  source_->health.refused = true;
  EXPECT_TRUE(EmbedWith(*registry_, 0).ok());
  EXPECT_EQ(source_->loads, 2);
  EXPECT_EQ(source_->forgotten, 1);
  // Why that fails is told as of any load.
  source_->health.refused = true;
  source_->failures = 1;
  EXPECT_EQ(Use(0).code(), ErrorCode::kCorruption);
  EXPECT_EQ(registry_->state(0).state, ModelState::kFailed);
}

TEST_F(ModelRegistryFaultsTest, OneThatNoProviderCanRunAnyMoreServesItsRequestsToTheEnd) {
  Make({10});
  std::optional<ModelRegistry::Lease> held = Hold(0);
  source_->health.refused = true;
  std::future<Status> next = Async([&] { return EmbedWith(*registry_, 0); });
  WaitForState(0, ModelState::kDraining);
  EXPECT_EQ(source_->loads, 1);
  held.reset();
  EXPECT_TRUE(next.get().ok());
  EXPECT_EQ(source_->memory.models_most, 1);
}

TEST_F(ModelRegistryFaultsTest, ALoadIsDoneAnewWhereNoProviderServes) {
  Make({10});
  ASSERT_TRUE(Use(0).ok());
  ASSERT_TRUE(registry_->Load(context_, 0).ok());
  EXPECT_EQ(source_->loads, 1);
  source_->health.serves = false;
  EXPECT_TRUE(Use(0).ok());  // its providers are tried again, and tell why
  EXPECT_EQ(source_->loads, 1);
  source_->failures = 1;
  EXPECT_EQ(registry_->Load(context_, 0).code(), ErrorCode::kCorruption);
  EXPECT_TRUE(registry_->Load(context_, 0).ok());
  EXPECT_EQ(source_->loads, 3);
}

// The pool has one place, and one more may wait: for the model's run.
TEST_F(ModelRegistryFaultsTest, AnUnloadThatMayNotWaitHoldsUpNobody) {
  Make({10});
  ASSERT_TRUE(Use(0).ok());
  source_->run_gate.Shut();
  std::promise<Status> embedded;
  std::promise<Status> unloaded;
  RequestPool pool({.name = "request", .threads = 1, .queue_max = 10, .waiting_max = 1});
  ASSERT_TRUE(pool.Submit([&] { embedded.set_value(EmbedWith(*registry_, 0)); }).ok());
  source_->run_gate.WaitForWaiting(1);
  ASSERT_TRUE(pool.Submit([&] { unloaded.set_value(registry_->Unload(context_, 0)); }).ok());
  const Status refused = unloaded.get_future().get();
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("goes with its last request"), std::string_view::npos);
  EXPECT_EQ(registry_->state(0).state, ModelState::kDraining);
  source_->run_gate.Open();
  EXPECT_TRUE(embedded.get_future().get().ok());
  WaitForState(0, ModelState::kInstalled);
}

TEST_F(ModelRegistryFaultsTest, AnUnloadThatMayNotWaitStopsALoad) {
  Make({10});
  source_->load_gate.Shut();
  std::promise<Status> used;
  std::promise<Status> unloaded;
  RequestContext context;
  RequestPool pool({.name = "request", .threads = 1, .queue_max = 10, .waiting_max = 1});
  ASSERT_TRUE(pool.Submit([&] { used.set_value(registry_->Use(context, 0).status()); }).ok());
  source_->load_gate.WaitForWaiting(1);
  ASSERT_TRUE(pool.Submit([&] { unloaded.set_value(registry_->Unload(context_, 0)); }).ok());
  EXPECT_EQ(unloaded.get_future().get().code(), ErrorCode::kResourceExhausted);
  // Who waited for it loads it anew.
  EXPECT_TRUE(used.get_future().get().ok());
  EXPECT_EQ(source_->loads, 2);
}

TEST_F(ModelRegistryFaultsTest, WhereAStoppedLoadMakesRoomNoOtherGoes) {
  options_.models_max = 2;
  options_.unwanted_max = std::chrono::seconds(0);
  Make({10, 10, 10});
  ASSERT_TRUE(Use(0).ok());
  LeaveALoad(1);
  EXPECT_TRUE(EmbedWith(*registry_, 2).ok());
  EXPECT_EQ(Loaded(), "02");
  EXPECT_EQ(registry_->statistics().evictions, 0u);
}

TEST_F(ModelRegistryFaultsTest, AStoppedLoadThatHangsIsNotWaitedForForEver) {
  options_.models_max = 2;
  options_.unwanted_max = std::chrono::seconds(0);
  options_.stop_max = std::chrono::milliseconds(20);
  Make({10, 10, 10});
  ASSERT_TRUE(Use(0).ok());
  source_->hanging = 1;
  source_->hang_gate.Shut();
  RequestContext hurried(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  EXPECT_EQ(registry_->Use(hurried, 1).status().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(EmbedWith(*registry_, 2).ok());
  EXPECT_EQ(Loaded(), "2");
  source_->hang_gate.Open();
  WaitForState(1, ModelState::kInstalled);
}

// Also one that an unload has stopped.
TEST_F(ModelRegistryFaultsTest, WhereAnUnloadEndsALoadNoOtherGoes) {
  options_.models_max = 2;
  Make({10, 10, 10});
  ASSERT_TRUE(Use(0).ok());
  source_->hanging = 1;
  source_->hang_gate.Shut();
  LeaveALoad(1);
  RequestContext hurried(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  EXPECT_EQ(registry_->Unload(hurried, 1).code(), ErrorCode::kDeadlineExceeded);
  std::future<Status> other = Async([&] { return EmbedWith(*registry_, 2); });
  WaitForState(2, ModelState::kLoading);
  source_->hang_gate.Open();
  EXPECT_TRUE(other.get().ok());
  EXPECT_EQ(Loaded(), "02");
  EXPECT_EQ(registry_->statistics().evictions, 0u);
}

TEST_F(ModelRegistryFaultsTest, OneThatTakesMoreThanWasSaidCountsForIt) {
  options_.bytes_max = 100;
  Make({10, 10, 10});
  ASSERT_TRUE(Use(0).ok());
  source_->health.takes[1] = 95;
  ASSERT_TRUE(Use(1).ok());
  EXPECT_EQ(Loaded(), "1");
  EXPECT_EQ(registry_->statistics().bytes, 95u);
  EXPECT_EQ(registry_->state(1).bytes, 95u);
  EXPECT_TRUE(Use(2).ok());
  EXPECT_EQ(Loaded(), "2");
  // So does it before it is loaded again.
  EXPECT_TRUE(Use(1).ok());
  EXPECT_EQ(Loaded(), "1");
}

// Not by the thread of the request that is told so.
TEST_F(ModelRegistryFaultsTest, WhereOneTakesMoreThanBeforeTheNextLoadMakesRoom) {
  options_.bytes_max = 100;
  Make({10, 10, 10});
  ASSERT_TRUE(Use(0).ok());
  ASSERT_TRUE(Use(1).ok());
  source_->health.takes[1] = 95;
  EXPECT_TRUE(EmbedWith(*registry_, 1).ok());
  EXPECT_EQ(Loaded(), "01");
  EXPECT_EQ(registry_->statistics().bytes, 105u);
  EXPECT_TRUE(Use(2).ok());
  EXPECT_EQ(Loaded(), "2");
}

TEST_F(ModelRegistryFaultsTest, WhatWasMeasuredKeepsNoModelAwayForGood) {
  options_.bytes_max = 100;
  Make({10, 10});
  ASSERT_TRUE(Use(1).ok());
  source_->health.takes[1] = 101;
  EXPECT_TRUE(EmbedWith(*registry_, 1).ok());
  EXPECT_TRUE(Use(0).ok());
  EXPECT_EQ(Loaded(), "0");
  source_->health.takes[1] = 20;
  EXPECT_TRUE(EmbedWith(*registry_, 1).ok());
  EXPECT_EQ(Loaded(), "1");
  EXPECT_EQ(registry_->state(1).bytes, 20u);
}

TEST_F(ModelRegistryFaultsTest, OneBeyondTheBoundByItselfFailsToLoadUnlessItIsPinned) {
  options_.bytes_max = 100;
  options_.retry_pause = std::chrono::milliseconds(1);
  pinned_ = 1;
  Make({10, 10, 10});
  source_->health.takes[1] = 101;
  const Status refused = Use(1);
  EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
  EXPECT_NE(refused.message().find("takes 101 bytes"), std::string_view::npos);
  EXPECT_NE(refused.message().find("raise models_bytes_max"), std::string_view::npos);
  EXPECT_EQ(log_.CountOf("model_loaded"), 0u);
  EXPECT_EQ(source_->memory.models, 0);
  EXPECT_EQ(source_->forgotten, 1);
  source_->health.takes[1] = 100;
  EXPECT_TRUE(registry_->Load(context_, 1).ok());
  source_->health.takes[0] = 101;
  EXPECT_TRUE(EmbedWith(*registry_, 0).ok());
  EXPECT_EQ(Loaded(), "0");
}

// What only a restart mends.
TEST_F(ModelRegistryFaultsTest, LoadsThatMakeNothingBetterComeEverMoreSeldom) {
  options_.retry_pause = std::chrono::milliseconds(4);
  Make({10});
  ASSERT_TRUE(Use(0).ok());
  const auto begin = std::chrono::steady_clock::now();
  // The first of them at once, the others after 4, 8, 16, 32 ms and more.
  while (source_->loads < 7) {
    source_->health.refused = true;
    source_->failures = source_->loads > 3 ? 1 : 0;
    (void)Use(0).ok();
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(60));
  // Whoever asks for it needn't wait.
  source_->failures = 0;
  EXPECT_TRUE(registry_->Load(context_, 0).ok());
}

TEST_F(ModelRegistryFaultsTest, OneThatHasServedIsLoadedAnewAtOnce) {
  options_.retry_pause = std::chrono::milliseconds(1);
  Make({10});
  ASSERT_TRUE(Use(0).ok());
  for (int loads = 2; loads < 14; ++loads) {
    source_->health.refused = true;
    ASSERT_TRUE(Use(0).ok());
    ASSERT_EQ(source_->loads, loads);
    const auto served = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    while (std::chrono::steady_clock::now() < served) std::this_thread::yield();
    ASSERT_TRUE(Use(0).ok());
  }
}

}  // namespace
}  // namespace akidb::embedding
