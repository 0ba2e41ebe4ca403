#include "embedding/run_watch.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

TEST(RunWatch, ARunThatGoesOnAfterItsTimeDoesNotHideTheNextOne) {
  RunWatch watch(std::chrono::milliseconds(10));
  RunControl stuck;
  RunWatch::Guard first(watch, stuck);
  while (!stuck.stopped()) std::this_thread::yield();
  RunControl next;
  RunWatch::Guard second(watch, next);
  while (!next.stopped()) std::this_thread::yield();
  EXPECT_TRUE(first.timed_out());
}

}  // namespace
}  // namespace akidb::embedding
