#include "engine/alarms.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace akidb::engine {
namespace {

using std::chrono::seconds;

TEST(Alarms, RingOnceAtTheirTimeInOrder) {
  env::ManualClock clock;
  Alarms alarms(clock);
  std::vector<int> rung;
  int a = 0, b = 0;
  alarms.Set(&a, clock.Now() + seconds(2), [&] { rung.push_back(1); });
  alarms.Set(&b, clock.Now() + seconds(1), [&] { rung.push_back(2); });
  EXPECT_EQ(alarms.RingDue(), 0u);
  clock.Advance(seconds(2));
  EXPECT_EQ(alarms.RingDue(), 2u);
  EXPECT_EQ(rung, (std::vector<int>{2, 1}));
  EXPECT_EQ(alarms.RingDue(), 0u);
}

TEST(Alarms, TheLastOneSetForAnOwnerCounts) {
  env::ManualClock clock;
  Alarms alarms(clock);
  std::vector<int> rung;
  int a = 0;
  alarms.Set(&a, clock.Now(), [&] { rung.push_back(1); });
  alarms.Set(&a, clock.Now() + seconds(1), [&] { rung.push_back(2); });
  EXPECT_EQ(alarms.RingDue(), 0u);
  clock.Advance(seconds(1));
  EXPECT_EQ(alarms.RingDue(), 1u);
  EXPECT_EQ(rung, std::vector<int>{2});
}

TEST(Alarms, ARingMaySetTheNext) {
  env::ManualClock clock;
  Alarms alarms(clock);
  int count = 0;
  std::function<void()> ring = [&] {
    if (++count < 3) alarms.Set(&count, clock.Now() + seconds(1), ring);
  };
  alarms.Set(&count, clock.Now(), ring);
  for (int i = 0; i < 5; ++i) {
    alarms.RingDue();
    clock.Advance(seconds(1));
  }
  EXPECT_EQ(count, 3);
}

TEST(Alarms, CancelWaitsForTheRingThatRuns) {
  std::unique_ptr<env::Clock> clock = env::MakeSystemClock();
  Alarms alarms(*clock);
  std::thread thread([&] { alarms.Run(); });
  std::promise<void> ringing;
  std::promise<void> go_on;
  std::atomic<bool> ended{false};
  int owner = 0;
  alarms.Set(&owner, clock->Now(), [&] {
    ringing.set_value();
    go_on.get_future().wait();
    alarms.Set(&owner, Alarms::Time::max(), [] {});
    ended = true;
  });
  ringing.get_future().wait();
  std::thread canceller([&] {
    alarms.Cancel(&owner);
    EXPECT_TRUE(ended);
  });
  go_on.set_value();
  canceller.join();
  alarms.Stop();
  thread.join();
}

}  // namespace
}  // namespace akidb::engine
