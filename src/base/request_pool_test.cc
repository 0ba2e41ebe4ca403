#include "base/request_pool.h"

#include <atomic>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <random>

#include <gtest/gtest.h>

namespace akidb {
namespace {

// Tasks that wait in sections until they are let go.
class Waiters {
 public:
  // Of a pool that outlives it. Whether it may enter is told when it is known.
  Status Add(RequestPool& pool) {
    return pool.Submit([this] {
      bool entered = false;
      {
        BlockingSection section;
        entered = section.Enter();
        MutexLock lock(mutex_);
        ++(entered ? waiting_ : refused_);
        changed_.NotifyAll();
        while (entered && !free_) changed_.Wait(mutex_);
      }
      if (!entered) return;
      MutexLock lock(mutex_);
      ++back_;
      changed_.NotifyAll();
    });
  }
  void Free() {
    MutexLock lock(mutex_);
    free_ = true;
    changed_.NotifyAll();
  }
  void AwaitWaiting(int count) { Await(waiting_, count); }
  void AwaitRefused(int count) { Await(refused_, count); }
  void AwaitBack(int count) { Await(back_, count); }

 private:
  void Await(const int& number, int count) {
    MutexLock lock(mutex_);
    while (number < count) changed_.Wait(mutex_);
  }

  Mutex mutex_;
  CondVar changed_;
  bool free_ = false;
  int waiting_ = 0;
  int refused_ = 0;
  int back_ = 0;
};

TEST(RequestPool, RunsEveryTaskBeforeItStops) {
  std::atomic<int> ran{0};
  RequestPool pool({"test", 3, 1000});
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(pool.Submit([&] { ++ran; }).ok());
  }
  pool.Stop();
  EXPECT_EQ(ran, 500);
  EXPECT_EQ(pool.Submit([] {}).code(), ErrorCode::kUnavailable);
  pool.Stop();
}

TEST(RequestPool, RefusesWhenTheQueueIsFull) {
  std::promise<void> started;
  std::promise<void> release;
  RequestPool pool({"test", 1, 1});
  ASSERT_TRUE(pool.Submit([&] {
                    started.set_value();
                    release.get_future().wait();
                  })
                  .ok());
  started.get_future().wait();
  ASSERT_TRUE(pool.Submit([] {}).ok());
  Status refused = pool.Submit([] {});
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("test"), std::string_view::npos);
  release.set_value();
}

TEST(RequestPool, TasksThatWaitHoldUpNoOther) {
  Waiters waiters;
  RequestPool pool({"test", 1, 200, 100});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(waiters.Add(pool).ok());
  waiters.AwaitWaiting(100);
  std::promise<void> ran;
  ASSERT_TRUE(pool.Submit([&] { ran.set_value(); }).ok());
  ran.get_future().wait();
  waiters.Free();
  waiters.AwaitBack(100);
}

TEST(RequestPool, MoreThanMayWaitAreRefused) {
  Waiters waiters;
  RequestPool pool({"test", 2, 200, 3});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(waiters.Add(pool).ok());
  waiters.AwaitWaiting(3);
  waiters.AwaitRefused(2);
  waiters.Free();
  waiters.AwaitBack(3);
  // Room again.
  ASSERT_TRUE(waiters.Add(pool).ok());
  waiters.AwaitBack(4);
}

TEST(RequestPool, NoMoreTasksRunAtATimeThanThereArePlaces) {
  std::random_device device;
  const char* const given = std::getenv("AKIDB_TEST_SEED");
  const auto seed = given != nullptr ? static_cast<uint32_t>(std::atoi(given)) : device();
  std::cout << "AKIDB_TEST_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  constexpr int kPlaces = 3;
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  const auto run = [&] {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
    std::this_thread::yield();
    --running;
  };
  RequestPool pool({"test", kPlaces, 2000, 40});
  for (int i = 0; i < 2000; ++i) {
    const auto sections = static_cast<int>(random() % 3);
    const auto spins = static_cast<int>(random() % 20);
    ASSERT_TRUE(pool.Submit([&, sections, spins] {
                      run();
                      for (int j = 0; j < sections; ++j) {
                        {
                          BlockingSection section;
                          if (!section.Enter()) break;
                          BlockingSection inner;
                          if (!inner.Enter()) break;
                          for (int k = 0; k < spins; ++k) std::this_thread::yield();
                        }
                        run();
                      }
                      ++done;
                    })
                    .ok());
  }
  pool.Stop();
  EXPECT_EQ(done, 2000);
  EXPECT_LE(most, kPlaces);
  EXPECT_EQ(pool.threads(), 0u);
}

TEST(RequestPool, ThreadsEndWhenNobodyWaits) {
  Waiters waiters;
  RequestPool pool({"test", 2, 200, 100});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(waiters.Add(pool).ok());
  waiters.AwaitWaiting(100);
  EXPECT_GE(pool.threads(), 100u);
  waiters.Free();
  waiters.AwaitBack(100);
  while (pool.threads() > 4) std::this_thread::yield();
}

TEST(RequestPool, StopsWhileTasksWait) {
  auto waiters = std::make_unique<Waiters>();
  RequestPool pool({"test", 1, 200, 10});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(waiters->Add(pool).ok());
  waiters->AwaitWaiting(10);
  std::thread freeing([&] { waiters->Free(); });
  pool.Stop();
  freeing.join();
  EXPECT_EQ(pool.threads(), 0u);
}

TEST(BlockingSection, DoesNothingElsewhere) {
  BlockingSection section;
  EXPECT_TRUE(section.Enter());
  EXPECT_TRUE(section.Enter());
}

TEST(BlockingSection, EntersOnce) {
  RequestPool pool({"test", 1, 10, 1});
  std::promise<bool> entered;
  ASSERT_TRUE(pool.Submit([&] {
                    BlockingSection section;
                    const bool first = section.Enter();
                    entered.set_value(first && section.Enter());
                  })
                  .ok());
  EXPECT_TRUE(entered.get_future().get());
}

}  // namespace
}  // namespace akidb
