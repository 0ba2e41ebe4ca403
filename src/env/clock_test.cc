#include "env/clock.h"

#include <gtest/gtest.h>

namespace akidb::env {
namespace {

TEST(SystemClock, NeverGoesBackAndKnowsTheCentury) {
  auto clock = MakeSystemClock();
  auto before = clock->Now();
  EXPECT_GE(clock->Now(), before);
  EXPECT_GT(clock->UnixMicros(), 946'684'800'000'000);  // 2000-01-01
}

TEST(ManualClock, MovesOnlyWhenTold) {
  auto clock = MakeManualClock();
  auto start = clock->Now();
  int64_t calendar = clock->UnixMicros();
  EXPECT_EQ(clock->Now(), start);
  clock->Advance(std::chrono::milliseconds(3));
  EXPECT_EQ(clock->Now() - start, std::chrono::milliseconds(3));
  EXPECT_EQ(clock->UnixMicros() - calendar, 3000);
}

TEST(ManualClock, AJumpOfTheCalendarLeavesTheMonotonicClock) {
  auto clock = MakeManualClock();
  auto start = clock->Now();
  clock->SetUnixMicros(0);
  EXPECT_EQ(clock->UnixMicros(), 0);
  EXPECT_EQ(clock->Now(), start);
}

}  // namespace
}  // namespace akidb::env
