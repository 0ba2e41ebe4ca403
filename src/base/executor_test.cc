#include "base/executor.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace akidb {
namespace {

TEST(Executor, RunsEveryTaskBeforeItStops) {
  std::atomic<int> ran{0};
  Executor executor({"test", 3, 1000});
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(executor.Submit([&] { ++ran; }).ok());
  }
  executor.Stop();
  EXPECT_EQ(ran, 500);
}

TEST(Executor, RefusesWhenTheQueueIsFull) {
  std::promise<void> started;
  std::promise<void> release;
  Executor executor({"test", 1, 1});
  ASSERT_TRUE(executor
                  .Submit([&] {
                    started.set_value();
                    release.get_future().wait();
                  })
                  .ok());
  started.get_future().wait();
  ASSERT_TRUE(executor.Submit([] {}).ok());
  Status refused = executor.Submit([] {});
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("test"), std::string_view::npos);
  release.set_value();
}

TEST(Executor, RefusesAfterStop) {
  Executor executor({"test", 1, 1});
  executor.Stop();
  EXPECT_EQ(executor.Submit([] {}).code(), ErrorCode::kUnavailable);
  executor.Stop();
}

TEST(Executor, TasksOfOneExecutorRunBesideEachOther) {
  std::promise<void> first;
  std::promise<void> second;
  Executor executor({"test", 2, 2});
  ASSERT_TRUE(executor
                  .Submit([&] {
                    first.set_value();
                    second.get_future().wait();
                  })
                  .ok());
  ASSERT_TRUE(executor
                  .Submit([&] {
                    first.get_future().wait();
                    second.set_value();
                  })
                  .ok());
  executor.Stop();
}

}  // namespace
}  // namespace akidb
