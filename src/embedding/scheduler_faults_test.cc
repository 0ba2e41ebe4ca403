// A scheduler whose threads or whose callers' time run out.
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "embedding/scheduler.h"
#include "env/thread_shortage_fixture.h"

namespace akidb::embedding {
namespace {

SchedulerOptions Options() {
  SchedulerOptions options;
  options.name = "test";
  options.width = 1;
  return options;
}

TEST(SchedulerFaultsTest, WhereOnlySomeWorkersGetAThreadItThrows) {
  const auto make = [](size_t threads) {
    const env::ThreadShortage shortage(threads);
    SchedulerOptions options = Options();
    options.workers = 2;
    try {
      BatchScheduler scheduler(options,
                               [](std::span<const BatchItem>, RunControl&) { return OkStatus(); });
    } catch (const std::system_error&) {
      ::_exit(7);
    }
    ::_exit(1);
  };
  for (size_t threads : {0, 1, 2}) EXPECT_EXIT(make(threads), testing::ExitedWithCode(7), "");
}

// Callers that are late to ask, as on a busy machine.
TEST(SchedulerFaultsTest, WhatIsDroppedInTheQueueIsToldByEachCallersContext) {
  std::promise<void> open;
  std::shared_future<void> gate = open.get_future().share();
  std::promise<void> running;
  BatchScheduler scheduler(Options(), [&](std::span<const BatchItem> items, RunControl&) {
    if (items[0].ids[0] == 1) {
      running.set_value();
      gate.wait();
    }
    return OkStatus();
  });
  const auto add = [&](const RequestContext& context, int32_t id) {
    auto request = scheduler.Open(context, Lane::kIngest, {1, 1});
    EXPECT_TRUE(request.ok());
    (*request)->Add({{id}});
    return std::move(request).value();
  };
  RequestContext unbounded;
  auto first = add(unbounded, 1);
  running.get_future().wait();
  RequestContext hurried(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  RequestContext cancelled;
  auto late = add(hurried, 2);
  auto given_up = add(cancelled, 2);
  cancelled.Cancel();
  while (hurried.Check().ok()) std::this_thread::yield();
  open.set_value();
  while (scheduler.queued() > 0) std::this_thread::yield();
  EXPECT_EQ(late->Wait().status().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(given_up->Wait().status().code(), ErrorCode::kCancelled);
  EXPECT_TRUE(first->Wait().ok());
}

}  // namespace
}  // namespace akidb::embedding
