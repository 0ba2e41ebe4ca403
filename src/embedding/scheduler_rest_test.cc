// When a scheduler has given back what runs leave.
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "embedding/scheduler.h"

namespace akidb::embedding {
namespace {

class SchedulerRestTest : public testing::Test {
 protected:
  void Start(int workers) {
    SchedulerOptions options;
    options.name = "test";
    options.workers = workers;
    options.width = 1;
    options.rest_after = std::chrono::milliseconds(1);
    options.give_back = [this] {
      MutexLock lock(mutex_);
      ++given_back_;
      changed_.NotifyAll();
    };
    scheduler_ = std::make_unique<BatchScheduler>(
        options, [](std::span<const BatchItem>, RunControl&) { return OkStatus(); });
  }
  void Run(Lane lane, int32_t id) {
    auto request = scheduler_->Open(context_, lane, {1, 1});
    ASSERT_TRUE(request.ok());
    (*request)->Add({{id}});
    ASSERT_TRUE((*request)->Wait().ok());
  }
  void WaitFor(int times) {
    MutexLock lock(mutex_);
    while (given_back_ < times) changed_.Wait(mutex_);
  }
  int given_back() {
    MutexLock lock(mutex_);
    return given_back_;
  }

  Mutex mutex_;
  CondVar changed_;
  int given_back_ AKIDB_GUARDED_BY(mutex_) = 0;
  RequestContext context_;
  std::unique_ptr<BatchScheduler> scheduler_;
};

TEST_F(SchedulerRestTest, WhatIngestLeavesIsGivenBackOnceAllRest) {
  for (int workers : {1, 3}) {
    Start(workers);
    const int before = given_back();
    for (int times = 1; times <= 3; ++times) {
      Run(Lane::kIngest, times);
      WaitFor(before + times);
    }
    scheduler_.reset();
    EXPECT_EQ(given_back(), before + 3);
  }
}

TEST_F(SchedulerRestTest, QueriesAloneHaveNothingGivenBack) {
  Start(1);
  for (int i = 0; i < 20; ++i) Run(Lane::kQuery, i);
  scheduler_.reset();
  EXPECT_EQ(given_back(), 0);
}

}  // namespace
}  // namespace akidb::embedding
