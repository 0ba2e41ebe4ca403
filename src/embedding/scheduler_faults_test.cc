// A scheduler that gets no threads.
#include <system_error>

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

}  // namespace
}  // namespace akidb::embedding
