#include "embedding/circuit_breaker.h"

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

TEST(CircuitBreaker, PausesDoubleUpToTheirMostAndBeginAnewAfterASuccess) {
  CircuitBreaker::Options options;
  options.pause_first = std::chrono::seconds(1);
  options.pause_max = std::chrono::seconds(5);
  options.jitter = 0.2;
  CircuitBreaker breaker(options, 7);
  const CircuitBreaker::Clock::time_point now{};
  for (const double seconds : {1.0, 2.0, 4.0, 5.0, 5.0}) {
    breaker.Trip(now);
    ASSERT_TRUE(breaker.is_open());
    const std::chrono::duration<double> pause = breaker.retry_at() - now;
    EXPECT_GE(pause.count(), 0.8 * seconds);
    EXPECT_LE(pause.count(), 1.2 * seconds);
  }
  breaker.HalfOpen();
  EXPECT_FALSE(breaker.is_open());
  // One failure is enough now.
  breaker.Fail(now);
  EXPECT_TRUE(breaker.is_open());
  breaker.HalfOpen();
  breaker.Succeed();
  breaker.Fail(now);
  EXPECT_FALSE(breaker.is_open());
  breaker.Trip(now);
  EXPECT_LE((breaker.retry_at() - now).count(), std::chrono::nanoseconds(1'200'000'000).count());
}

}  // namespace
}  // namespace akidb::embedding
