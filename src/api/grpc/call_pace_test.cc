#include "api/grpc/call_pace.h"

#include <gtest/gtest.h>

namespace akidb::rpc {
namespace {

TEST(CallPace, IsShortOnlyAfterCallsThatWere) {
  CallPace pace;
  EXPECT_FALSE(pace.IsShort());
  pace.Note(20e-6);
  EXPECT_FALSE(pace.IsShort());
  for (int i = 0; i < 60; ++i) pace.Note(20e-6);
  EXPECT_TRUE(pace.IsShort());
}

TEST(CallPace, OneLongCallCountsAtOnce) {
  CallPace pace;
  for (int i = 0; i < 60; ++i) pace.Note(20e-6);
  pace.Note(0.01);
  int after = 0;
  while (!pace.IsShort() && after < 1000) {
    pace.Note(20e-6);
    ++after;
  }
  EXPECT_GT(after, 10);
  EXPECT_LT(after, 100);
}

TEST(HereSlot, IsTakenByOneAtATime) {
  std::atomic<bool> taken{false};
  {
    const HereSlot first(taken);
    EXPECT_TRUE(first);
    const HereSlot second(taken);
    EXPECT_FALSE(second);
  }
  EXPECT_TRUE(HereSlot(taken));
}

}  // namespace
}  // namespace akidb::rpc
