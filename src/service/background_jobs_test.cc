#include "service/background_jobs.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace akidb::service {
namespace {

TEST(BackgroundJobs, GivesWhatTheJobSays) {
  BackgroundJobs jobs;
  const RequestContext context;
  EXPECT_TRUE(jobs.Run(context, [](const RequestContext&) { return OkStatus(); }).ok());
  EXPECT_EQ(jobs.Run(context, [](const RequestContext&) { return IoError("broken"); }).code(),
            ErrorCode::kIo);
}

TEST(BackgroundJobs, AJobGoesOnWhenNobodyWaits) {
  BackgroundJobs jobs;
  RequestContext context;
  std::promise<void> go;
  std::atomic<bool> done{false};
  context.Cancel();
  const Status left = jobs.Run(context, [&](const RequestContext& ending) {
    go.get_future().wait();
    done = ending.Check().ok();
    return OkStatus();
  });
  EXPECT_EQ(left.code(), ErrorCode::kCancelled);
  go.set_value();
  // The next one comes after it.
  EXPECT_TRUE(jobs.Run(RequestContext(), [](const RequestContext&) { return OkStatus(); }).ok());
  EXPECT_TRUE(done);
}

TEST(BackgroundJobs, TheEndCancelsThem) {
  std::atomic<bool> cancelled{false};
  std::promise<void> begun;
  {
    BackgroundJobs jobs;
    ASSERT_TRUE(jobs.Start([&](const RequestContext& ending) {
                      begun.set_value();
                      while (ending.Check().ok()) std::this_thread::yield();
                      cancelled = true;
                      return OkStatus();
                    })
                    .ok());
    begun.get_future().wait();
  }
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace akidb::service
