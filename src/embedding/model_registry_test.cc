#include "embedding/model_registry.h"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/request_pool.h"
#include "embedding/model_registry_fixture.h"

namespace akidb::embedding {
namespace {

TEST_F(ModelRegistryTest, LoadsAtTheFirstUseAndKeeps) {
  Make({10, 10});
  EXPECT_EQ(registry_->state(0).state, ModelState::kInstalled);
  EXPECT_TRUE(EmbedWith(*registry_, 0).ok());
  EXPECT_TRUE(EmbedWith(*registry_, 0).ok());
  EXPECT_EQ(source_->loads, 1);
  EXPECT_EQ(registry_->state(0).state, ModelState::kReady);
  EXPECT_EQ(registry_->state(0).requests, 0u);
  EXPECT_EQ(registry_->statistics().models, 1u);
  EXPECT_EQ(registry_->statistics().bytes, 10u);
}

TEST_F(ModelRegistryTest, ManyFirstUsesLoadOnce) {
  Make({10});
  source_->load_gate.Shut();
  std::vector<std::future<Status>> uses;
  for (int i = 0; i < 8; ++i) uses.push_back(Async([&] { return EmbedWith(*registry_, 0); }));
  source_->load_gate.WaitForWaiting(1);
  const ModelRegistry::State state = registry_->state(0);
  EXPECT_EQ(state.state, ModelState::kLoading);
  ASSERT_TRUE(state.loading.has_value());
  EXPECT_EQ(state.loading->phase, LoadPhase::kVerifying);
  EXPECT_EQ(state.loading->verified_bytes, 10u);
  source_->load_gate.Open();
  for (std::future<Status>& use : uses) EXPECT_TRUE(use.get().ok());
  EXPECT_EQ(source_->loads, 1);
}

TEST_F(ModelRegistryTest, WhoWaitsForALoadSeesItFailOnce) {
  Make({10});
  source_->failures = 1;
  source_->load_gate.Shut();
  std::vector<std::future<Status>> uses;
  uses.push_back(Async([&] { return Use(0); }));
  source_->load_gate.WaitForWaiting(1);
  for (int i = 0; i < 4; ++i) uses.push_back(Async([&] { return Use(0); }));
  source_->load_gate.Open();
  for (std::future<Status>& use : uses) EXPECT_EQ(use.get().code(), ErrorCode::kCorruption);
  EXPECT_EQ(source_->loads, 1);
  EXPECT_EQ(registry_->state(0).state, ModelState::kFailed);
}

TEST_F(ModelRegistryTest, AFailedLoadIsTriedAgainAfterAPauseOrWhenAskedTo) {
  options_.retry_pause = std::chrono::hours(1);
  Make({10});
  EXPECT_FALSE(registry_->state(0).failed_seconds_ago);
  source_->failures = 2;
  EXPECT_EQ(Use(0).code(), ErrorCode::kCorruption);
  EXPECT_EQ(Use(0).code(), ErrorCode::kCorruption);
  EXPECT_EQ(source_->loads, 1);
  EXPECT_EQ(registry_->Load(context_, 0).code(), ErrorCode::kCorruption);
  EXPECT_GE(registry_->state(0).failed_seconds_ago.value_or(-1), 0);
  EXPECT_TRUE(registry_->Load(context_, 0).ok());
  EXPECT_FALSE(registry_->state(0).failed_seconds_ago);
  EXPECT_TRUE(Use(0).ok());
  EXPECT_EQ(source_->loads, 3);
  EXPECT_EQ(registry_->statistics().failed_loads, 2u);

  options_ = {};
  options_.retry_pause = std::chrono::seconds(0);
  registry_.reset();
  Make({10});
  source_->failures = 1;
  EXPECT_FALSE(Use(0).ok());
  EXPECT_TRUE(Use(0).ok());
}

TEST_F(ModelRegistryTest, ALoadThatRunsOutOfMemoryCanBeTriedAgain) {
  Make({10});
  source_->failures = 1;
  source_->out_of_memory = true;
  EXPECT_EQ(Use(0).code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(registry_->Load(context_, 0).ok());
}

TEST_F(ModelRegistryTest, WhoAsksForALoadNeedNotWaitForIt) {
  Make({10});
  source_->load_gate.Shut();
  RequestContext hurried(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  const Status late = registry_->Use(hurried, 0).status();
  EXPECT_EQ(late.code(), ErrorCode::kDeadlineExceeded);
  EXPECT_NE(late.message().find("while model 0 was loaded"), std::string_view::npos)
      << late.message();
  EXPECT_EQ(registry_->state(0).state, ModelState::kLoading);
  source_->load_gate.Open();
  EXPECT_TRUE(Use(0).ok());
  EXPECT_EQ(source_->loads, 1);
}

TEST_F(ModelRegistryTest, ALoadThatNobodyWaitsForGivesItsRoomBackWhenItEnds) {
  options_.models_max = 1;
  options_.retry_pause = std::chrono::seconds(0);
  Make({10, 10});
  for (const bool fails : {true, false}) {
    source_->failures = fails ? 1 : 0;
    LeaveALoad(0);
    EXPECT_EQ(Use(1).code(), ErrorCode::kResourceExhausted);
    source_->load_gate.Open();
    WaitForState(0, fails ? ModelState::kFailed : ModelState::kReady);
    EXPECT_TRUE(Use(1).ok());
    EXPECT_TRUE(registry_->Unload(context_, 1).ok());
  }
  EXPECT_EQ(source_->memory.models_most, 1);
}

TEST_F(ModelRegistryTest, ALoadThatNobodyHasWaitedForIsStoppedForAnother) {
  options_.models_max = 1;
  options_.unwanted_max = std::chrono::seconds(0);
  Make({10, 10});
  LeaveALoad(0);
  // Its stop opens the gate.
  EXPECT_TRUE(EmbedWith(*registry_, 1).ok());
  EXPECT_EQ(Loaded(), "1");
  EXPECT_EQ(registry_->state(0).state, ModelState::kInstalled);
  EXPECT_FALSE(registry_->state(0).failed_seconds_ago);
  EXPECT_EQ(registry_->statistics().evictions, 0u);
}

TEST_F(ModelRegistryTest, UnloadingStopsALoad) {
  Make({10});
  source_->load_gate.Shut();
  std::future<Status> loading = Async([&] { return Use(0); });
  source_->load_gate.WaitForWaiting(1);
  EXPECT_TRUE(registry_->Unload(context_, 0).ok());
  // Who waited for it loads the model anew.
  EXPECT_TRUE(loading.get().ok());
  EXPECT_EQ(source_->loads, 2);
  // That is no failure.
  EXPECT_EQ(registry_->statistics().failed_loads, 0u);
  EXPECT_EQ(log_.CountOf("model_load_failed"), 0u);
  EXPECT_EQ(log_.CountOf("model_load_stopped"), 1u);
}

TEST_F(ModelRegistryTest, AtTheEndLoadsAreStoppedAndNoneBegins) {
  Make({10, 10});
  source_->load_gate.Shut();
  std::future<Status> loading = Async([&] { return Use(0); });
  source_->load_gate.WaitForWaiting(1);
  registry_->StopLoading();
  const Status stopped = loading.get();
  EXPECT_EQ(stopped.code(), ErrorCode::kUnavailable);
  EXPECT_NE(stopped.message().find("about to stop"), std::string_view::npos);
  EXPECT_EQ(Use(1).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(source_->loads, 1);
}

TEST_F(ModelRegistryTest, TheLeastRecentlyUsedLeavesFirst) {
  Make({10, 10, 10, 10, 10});
  for (size_t model : {0, 1, 2}) EXPECT_TRUE(Use(model).ok());
  EXPECT_TRUE(Use(0).ok());
  EXPECT_TRUE(Use(3).ok());
  EXPECT_EQ(Loaded(), "023");
  EXPECT_TRUE(Use(4).ok());
  EXPECT_EQ(Loaded(), "034");
  EXPECT_EQ(registry_->statistics().evictions, 2u);
  EXPECT_EQ(source_->forgotten, 2);
  EXPECT_EQ(source_->memory.models_most, 3);
}

TEST_F(ModelRegistryTest, ALargeOneTakesTheRoomOfSeveral) {
  options_.bytes_max = 100;
  options_.models_max = 10;
  Make({30, 30, 30, 70, 100, 101});
  for (size_t model : {0, 1, 2}) EXPECT_TRUE(Use(model).ok());
  EXPECT_TRUE(Use(3).ok());
  EXPECT_EQ(Loaded(), "23");
  EXPECT_TRUE(Use(4).ok());
  EXPECT_EQ(Loaded(), "4");
  const Status beyond = Use(5);
  EXPECT_EQ(beyond.code(), ErrorCode::kUnavailable);
  EXPECT_NE(beyond.message().find("models_bytes_max"), std::string_view::npos);
  EXPECT_EQ(Loaded(), "4");
  EXPECT_EQ(registry_->statistics().refused_loads, 1u);
  EXPECT_EQ(source_->memory.bytes_most, 100u);
}

TEST_F(ModelRegistryTest, OneInUseIsNotTakenAway) {
  options_.models_max = 2;
  Make({10, 10, 10});
  std::optional<ModelRegistry::Lease> first = Hold(0);
  std::optional<ModelRegistry::Lease> second = Hold(1);
  const Status refused = Use(2);
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("0, 1"), std::string_view::npos) << refused.message();
  EXPECT_EQ(Loaded(), "01");
  EXPECT_EQ(registry_->state(2).state, ModelState::kInstalled);
  first.reset();
  EXPECT_TRUE(Use(2).ok());
  EXPECT_EQ(Loaded(), "12");
}

TEST_F(ModelRegistryTest, NothingLeavesWhereThatWouldNotDo) {
  options_.bytes_max = 100;
  Make({40, 40, 90});
  EXPECT_TRUE(Use(0).ok());
  std::optional<ModelRegistry::Lease> held = Hold(1);
  EXPECT_EQ(Use(2).code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(Loaded(), "01");
}

TEST_F(ModelRegistryTest, PinnedOnesStay) {
  options_.models_max = 2;
  pinned_ = 1;
  Make({10, 10, 10});
  for (size_t model : {0, 1, 2, 1, 2}) EXPECT_TRUE(Use(model).ok());
  EXPECT_EQ(Loaded(), "02");
  const Status refused = registry_->Unload(context_, 0);
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("pinned"), std::string_view::npos);
  EXPECT_EQ(Loaded(), "02");
}

TEST_F(ModelRegistryTest, WherePinnedOnesFillTheRoomNoOtherIsLoaded) {
  options_.models_max = 2;
  pinned_ = 2;
  Make({10, 10, 10});
  for (size_t model : {0, 1}) EXPECT_TRUE(Use(model).ok());
  const Status refused = Use(2);
  EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
  EXPECT_NE(refused.message().find("pinned ones (0, 1)"), std::string_view::npos)
      << refused.message();
}

TEST_F(ModelRegistryTest, UnloadsAndLoadsAgain) {
  Make({10, 10});
  EXPECT_TRUE(registry_->Unload(context_, 0).ok());
  EXPECT_TRUE(Use(0).ok());
  EXPECT_TRUE(registry_->Unload(context_, 0).ok());
  EXPECT_EQ(source_->memory.models, 0);
  EXPECT_EQ(registry_->state(0).state, ModelState::kInstalled);
  EXPECT_EQ(registry_->statistics().unloads, 1u);
  EXPECT_TRUE(EmbedWith(*registry_, 0).ok());
  EXPECT_EQ(source_->loads, 2);
}

TEST_F(ModelRegistryTest, OneUnloadedWhileInUseServesToTheEnd) {
  Make({10});
  ASSERT_TRUE(Use(0).ok());
  source_->run_gate.Shut();
  std::future<Status> running = Async([&] { return EmbedWith(*registry_, 0); });
  source_->run_gate.WaitForWaiting(1);
  std::future<Status> unloading = Async([&] { return registry_->Unload(context_, 0); });
  WaitForState(0, ModelState::kDraining);
  std::future<Status> later = Async([&] { return EmbedWith(*registry_, 0); });
  EXPECT_EQ(source_->memory.models, 1);
  EXPECT_EQ(source_->loads, 1);
  source_->run_gate.Open();
  EXPECT_TRUE(running.get().ok());
  EXPECT_TRUE(unloading.get().ok());
  EXPECT_TRUE(later.get().ok());
  EXPECT_EQ(source_->loads, 2);
  EXPECT_EQ(source_->memory.models_most, 1);
}

TEST_F(ModelRegistryTest, WhoUnloadsNeedNotWait) {
  Make({10});
  std::optional<ModelRegistry::Lease> held = Hold(0);
  RequestContext late(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(registry_->Unload(late, 0).code(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(registry_->state(0).state, ModelState::kDraining);
  EXPECT_EQ(registry_->Use(late, 0).status().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(source_->memory.models, 1);
  held.reset();
  EXPECT_EQ(source_->memory.models, 0);
  EXPECT_EQ(registry_->state(0).state, ModelState::kInstalled);
}

TEST_F(ModelRegistryTest, ALoadWaitsForOneThatIsBeingUnloaded) {
  options_.models_max = 1;
  Make({10, 10});
  std::optional<ModelRegistry::Lease> held = Hold(0);
  std::future<Status> unloading = Async([&] { return registry_->Unload(context_, 0); });
  WaitForState(0, ModelState::kDraining);
  std::future<Status> other = Async([&] { return EmbedWith(*registry_, 1); });
  WaitForState(1, ModelState::kLoading);
  EXPECT_EQ(registry_->state(1).loading->phase, LoadPhase::kWaiting);
  held.reset();
  EXPECT_TRUE(unloading.get().ok());
  EXPECT_TRUE(other.get().ok());
  EXPECT_EQ(source_->memory.models_most, 1);
}

TEST_F(ModelRegistryTest, ItsEndEndsWhatGoesOn) {
  Make({10});
  ASSERT_TRUE(Use(0).ok());
  source_->run_gate.Shut();
  ModelRegistry& registry = *registry_;
  const auto embed = [&](std::string text) {
    return Async([&registry, text = std::move(text)]() -> Status {
      RequestContext context;
      AKIDB_ASSIGN_OR_RETURN(ModelRegistry::Lease lease, registry.Use(context, 0));
      const std::vector<std::string> texts = {text};
      EmbedRequest request;
      request.texts = texts;
      return lease.pipeline().Embed(context, request).status();
    });
  };
  std::future<Status> running = embed("one");
  source_->run_gate.WaitForWaiting(1);
  // They wait behind the only worker.
  std::future<Status> waiting = embed("two");
  while (registry_->state(0).requests < 2) std::this_thread::yield();
  std::future<void> ending = std::async(std::launch::async, [&] { registry_.reset(); });
  EXPECT_EQ(waiting.get().code(), ErrorCode::kUnavailable);
  source_->run_gate.Open();
  EXPECT_TRUE(running.get().ok());
  ending.get();
  EXPECT_EQ(source_->memory.models, 0);
}

// The requests of a pool with one place.
TEST_F(ModelRegistryTest, WhoWaitsHoldsUpNoOtherRequest) {
  Make({1});
  const std::vector<std::string> texts = {"a", "b", "c", "d", "e"};
  std::vector<std::promise<Status>> ends(texts.size());
  RequestPool pool({.name = "request", .threads = 1, .queue_max = 100, .waiting_max = 3});
  const auto ask = [&](size_t i) {
    ASSERT_TRUE(pool.Submit([&, i] {
                      Result<ModelRegistry::Lease> lease = registry_->Use(context_, 0);
                      if (!lease.ok()) return ends[i].set_value(lease.status());
                      EmbedRequest request;
                      request.texts = std::span(texts).subspan(i, 1);
                      ends[i].set_value(lease->pipeline().Embed(context_, request).status());
                    })
                    .ok());
  };
  const auto await_other = [&] {
    std::promise<void> ran;
    ASSERT_TRUE(pool.Submit([&] { ran.set_value(); }).ok());
    ran.get_future().wait();
  };
  source_->load_gate.Shut();
  source_->run_gate.Shut();
  for (size_t i = 0; i < 4; ++i) ask(i);
  source_->load_gate.WaitForWaiting(1);
  await_other();
  // One loads, two wait for that, and no more may.
  const Status refused = ends[3].get_future().get();
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted) << refused.message();
  source_->load_gate.Open();
  source_->run_gate.WaitForWaiting(1);
  await_other();
  source_->run_gate.Open();
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(ends[i].get_future().get().ok());
  ask(4);
  EXPECT_TRUE(ends[4].get_future().get().ok());
}

TEST_F(ModelRegistryTest, WhatTheQueueHasNoThreadForIsToldWhenToComeAgain) {
  Make({1});
  ModelRegistry::Lease lease = Hold(0);
  const std::vector<std::string> texts = {"a", "b"};
  std::vector<std::promise<Status>> ends(texts.size());
  RequestPool pool({.name = "request", .threads = 1, .queue_max = 100, .waiting_max = 1});
  source_->run_gate.Shut();
  for (size_t i = 0; i < texts.size(); ++i) {
    ASSERT_TRUE(pool.Submit([&, i] {
                      EmbedRequest request;
                      request.texts = std::span(texts).subspan(i, 1);
                      ends[i].set_value(lease.pipeline().Embed(context_, request).status());
                    })
                    .ok());
  }
  const Status refused = ends[1].get_future().get();
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(refused.message().ends_with("Retry after 1s")) << refused.message();
  source_->run_gate.Open();
  EXPECT_TRUE(ends[0].get_future().get().ok());
}

TEST_F(ModelRegistryTest, TheBoundsHoldInAStorm) {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  const auto seed = static_cast<unsigned>(given != nullptr ? std::atoi(given) : 1);
  std::printf("AKIDB_TEST_SEED=%u\n", seed);
  options_.models_max = 3;
  options_.bytes_max = 100;
  options_.retry_pause = std::chrono::seconds(0);
  pinned_ = 1;
  Make({10, 20, 30, 40, 50, 60});
  source_->failures = 5;
  std::vector<std::future<std::string>> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread]() -> std::string {
      std::mt19937 random(seed + thread);
      for (int i = 0; i < 300; ++i) {
        const size_t model = random() % 6;
        const Status status = random() % 8 == 0 && model > 0 ? registry_->Unload(context_, model)
                                                             : EmbedWith(*registry_, model);
        const bool expected = status.ok() || status.code() == ErrorCode::kResourceExhausted ||
                              status.code() == ErrorCode::kCorruption;
        if (!expected) return status.ToString();
      }
      return "";
    }));
  }
  for (auto& thread : threads) EXPECT_EQ(thread.get(), "");
  EXPECT_LE(source_->memory.models_most, 3);
  EXPECT_LE(source_->memory.bytes_most, 100u);
  const ModelStatistics statistics = registry_->statistics();
  EXPECT_EQ(statistics.loads + statistics.failed_loads,
            static_cast<uint64_t>(source_->loads - source_->stops));
  EXPECT_EQ(statistics.models, static_cast<uint64_t>(source_->memory.models));
  EXPECT_EQ(statistics.bytes, source_->memory.bytes);
  EXPECT_GT(statistics.evictions, 0u);
}

}  // namespace
}  // namespace akidb::embedding
