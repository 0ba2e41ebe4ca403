#include "embedding/scheduler.h"

#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::vector<int32_t> Sequence(int32_t value, size_t length) {
  return std::vector<int32_t>(length, value);
}

// Runs batches under the test's control: while closed, a run waits until it is let go or stopped.
// Its vector is {first id, length}. It keeps the lengths and the first ids of every batch.
class GatedRunner {
 public:
  Status Run(std::span<const BatchItem> items, RunControl& control) {
    control.Attach([this] { Wake(); });
    Status status = RunAttached(items, control);
    control.Detach();
    return status;
  }

  void Open() {
    MutexLock lock(mutex_);
    closed_ = false;
    changed_.NotifyAll();
  }
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  // Before the first run.
  void FailAt(std::function<bool(int32_t)> is_bad, ErrorCode code = ErrorCode::kInternal) {
    is_bad_ = std::move(is_bad);
    code_ = code;
  }
  void ThrowInstead() { throws_ = true; }
  // By now(), and before the first run.
  void TakeForAToken(milliseconds time) { token_time_ = time; }
  steady_clock::time_point now() const { return steady_clock::time_point(clock_.load()); }
  void WaitForRuns(size_t count) {
    MutexLock lock(mutex_);
    while (batches_.size() < count) changed_.Wait(mutex_);
  }
  void WaitForStops(size_t count) {
    MutexLock lock(mutex_);
    while (stops_ < count) changed_.Wait(mutex_);
  }
  void Reset() {
    MutexLock lock(mutex_);
    closed_ = true;
    batches_.clear();
  }
  std::vector<std::vector<int32_t>> batches() {
    MutexLock lock(mutex_);
    return batches_;
  }

 private:
  void Wake() {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }

  Status RunAttached(std::span<const BatchItem> items, RunControl& control) {
    std::vector<int32_t> firsts;
    for (const BatchItem& item : items) firsts.push_back(item.ids[0]);
    bool poisoned = false;
    {
      MutexLock lock(mutex_);
      batches_.push_back(firsts);
      changed_.NotifyAll();
    }
    while (true) {
      const bool stopped = control.stopped();
      MutexLock lock(mutex_);
      if (stopped) {
        ++stops_;
        changed_.NotifyAll();
        return CancelledError("stopped");
      }
      if (!closed_) break;
      changed_.WaitUntil(mutex_, steady_clock::now() + milliseconds(5));
    }
    for (const BatchItem& item : items) {
      item.vector[0] = static_cast<float>(item.ids[0]);
      item.vector[1] = static_cast<float>(item.ids.size());
      poisoned = poisoned || is_bad_(item.ids[0]);
    }
    clock_ = clock_.load() + token_time_ * items.size() * items[0].ids.size();
    if (poisoned && throws_) throw std::runtime_error("thrown");
    return poisoned ? Status(code_, "poisoned") : OkStatus();
  }

  Mutex mutex_;
  CondVar changed_;
  bool closed_ = true;
  std::function<bool(int32_t)> is_bad_ = [](int32_t) { return false; };
  ErrorCode code_ = ErrorCode::kInternal;
  bool throws_ = false;
  milliseconds token_time_{0};
  std::atomic<steady_clock::duration> clock_{steady_clock::duration()};
  size_t stops_ = 0;
  std::vector<std::vector<int32_t>> batches_;
};

class SchedulerTest : public testing::Test {
 protected:
  void Start(size_t items_max = 100, size_t bytes_max = 1000) {
    SchedulerOptions options;
    options.name = "test";
    options.workers = 1;
    options.width = 2;
    options.batch_tokens = 64;
    options.now = [this] { return runner_.now(); };
    options.ingest_run_max = ingest_run_max_;
    options.bucket_step = 8;
    options.items_max = items_max;
    options.bytes_max = bytes_max;
    scheduler_ = std::make_unique<BatchScheduler>(
        options, [this](std::span<const BatchItem> items, RunControl& control) {
          return runner_.Run(items, control);
        });
  }
  ~SchedulerTest() override { runner_.Open(); }

  std::unique_ptr<BatchScheduler::Request> Open(Lane lane, size_t items = 1) {
    auto request = scheduler_->Open(context_, lane, {items, items});
    EXPECT_TRUE(request.ok()) << request.status().ToString();
    return std::move(request).value();
  }

  // Occupies the worker of both lanes with a closed run.
  std::unique_ptr<BatchScheduler::Request> Occupy() {
    auto request = Open(Lane::kIngest);
    request->Add({Sequence(1000, 1)});
    runner_.WaitForRuns(1);
    return request;
  }

  GatedRunner runner_;
  milliseconds ingest_run_max_{0};
  RequestContext context_;
  std::unique_ptr<BatchScheduler> scheduler_;
};

TEST_F(SchedulerTest, AnswersInTheOrderOfAdding) {
  Start();
  runner_.Open();
  auto request = Open(Lane::kIngest, 4);
  request->Add({Sequence(1, 30), Sequence(2, 3)});
  request->Add({Sequence(3, 60), Sequence(4, 1)});
  Result<std::vector<float>> vectors = request->Wait();
  ASSERT_TRUE(vectors.ok()) << vectors.status().ToString();
  EXPECT_EQ(*vectors, (std::vector<float>{1, 30, 2, 3, 3, 60, 4, 1}));
}

TEST_F(SchedulerTest, BatchesTheOldestWithOthersOfItsLengthInTheBudget) {
  Start();
  auto first = Occupy();
  auto request = Open(Lane::kIngest, 7);
  // 64 padded tokens: two of 32; the sequences of 60 run alone; padding 5 to 32 would be a waste.
  request->Add({Sequence(1, 30), Sequence(2, 60), Sequence(3, 5), Sequence(4, 31), Sequence(5, 61),
                Sequence(6, 32), Sequence(7, 6)});
  runner_.Open();
  ASSERT_TRUE(first->Wait().ok());
  ASSERT_TRUE(request->Wait().ok());
  EXPECT_EQ(runner_.batches(),
            (std::vector<std::vector<int32_t>>{{1000}, {1, 4}, {2}, {3, 7}, {5}, {6}}));
}

TEST_F(SchedulerTest, RunsASequenceLongerThanTheBudgetAlone) {
  Start();
  runner_.Open();
  auto request = Open(Lane::kIngest);
  request->Add({Sequence(1, 500)});
  EXPECT_TRUE(request->Wait().ok());
}

TEST_F(SchedulerTest, AQueryDoesNotWaitForIngest) {
  Start();
  auto ingest = Occupy();
  auto waiting = Open(Lane::kIngest);
  waiting->Add({Sequence(2, 1)});
  auto query = Open(Lane::kQuery);
  query->Add({Sequence(3, 1)});
  runner_.WaitForRuns(2);  // while the first run is still closed
  EXPECT_EQ(runner_.batches()[1], (std::vector<int32_t>{3}));
  runner_.Open();
  EXPECT_TRUE(query->Wait().ok());
  EXPECT_TRUE(ingest->Wait().ok());
  EXPECT_TRUE(waiting->Wait().ok());
}

TEST_F(SchedulerTest, ComputesEqualSequencesOnce) {
  Start();
  auto first = Occupy();
  auto a = Open(Lane::kIngest, 2);
  a->Add({Sequence(5, 4), Sequence(5, 4)});
  auto b = Open(Lane::kIngest);
  b->Add({Sequence(5, 4)});
  runner_.Open();
  ASSERT_TRUE(first->Wait().ok());
  EXPECT_EQ(*a->Wait(), (std::vector<float>{5, 4, 5, 4}));
  EXPECT_EQ(*b->Wait(), (std::vector<float>{5, 4}));
  EXPECT_EQ(runner_.batches().size(), 2u);
}

TEST_F(SchedulerTest, AQueryPullsAnEqualSequenceOutOfTheIngestLane) {
  Start();
  auto first = Occupy();
  auto ingest = Open(Lane::kIngest, 2);
  ingest->Add({Sequence(4, 60), Sequence(5, 4)});
  auto query = Open(Lane::kQuery);
  query->Add({Sequence(5, 4)});
  runner_.WaitForRuns(2);
  EXPECT_EQ(runner_.batches()[1], (std::vector<int32_t>{5}));
  runner_.Open();
  EXPECT_TRUE(query->Wait().ok());
  EXPECT_TRUE(ingest->Wait().ok());
  EXPECT_TRUE(first->Wait().ok());
}

TEST_F(SchedulerTest, RefusesMoreThanItsBounds) {
  Start(/*items_max=*/4, /*bytes_max=*/100);
  auto first = Open(Lane::kIngest, 3);
  EXPECT_EQ(scheduler_->Open(context_, Lane::kIngest, {2, 2}).status().code(),
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(scheduler_->Open(context_, Lane::kIngest, {1, 200}).status().code(),
            ErrorCode::kResourceExhausted);
  EXPECT_TRUE(scheduler_->Open(context_, Lane::kIngest, {1, 1}).ok());
  first.reset();
  // Alone, any size is admitted: the transport has bounded it.
  EXPECT_TRUE(scheduler_->Open(context_, Lane::kIngest, {50, 1000}).ok());
}

TEST_F(SchedulerTest, TellsWhenThereShouldBeRoom) {
  Start(/*items_max=*/10);
  runner_.TakeForAToken(milliseconds(100));
  auto first = Occupy();
  auto waiting = Open(Lane::kIngest, 9);
  // Nothing was run so far.
  std::string refusal(scheduler_->Open(context_, Lane::kIngest, {5, 5}).status().message());
  EXPECT_TRUE(refusal.ends_with("Retry after 1s")) << refusal;
  runner_.Open();
  EXPECT_TRUE(first->Wait().ok());
  runner_.Close();
  waiting->Add({Sequence(2000, 1)});
  runner_.WaitForRuns(2);
  // 8 x 8 tokens of 100 ms: for 5 texts more, 5 of the 10 have to be done.
  for (int32_t i = 0; i < 8; ++i) waiting->Add({Sequence(i, 8)});
  refusal = scheduler_->Open(context_, Lane::kIngest, {5, 5}).status().message();
  EXPECT_TRUE(refusal.ends_with("Retry after 4s")) << refusal;
  runner_.Open();
  EXPECT_TRUE(waiting->Wait().ok());
}

TEST_F(SchedulerTest, RefusesWhatTheQueueLeavesNoTimeFor) {
  Start();
  runner_.TakeForAToken(milliseconds(100));
  auto first = Occupy();
  runner_.Open();
  EXPECT_TRUE(first->Wait().ok());
  runner_.Close();
  // Without a queue every deadline is one that may be met.
  RequestContext hurried(steady_clock::now() + milliseconds(1));
  EXPECT_TRUE(scheduler_->Open(hurried, Lane::kIngest, {1, 1}).ok());
  auto waiting = Open(Lane::kIngest, 9);
  waiting->Add({Sequence(2000, 1)});
  runner_.WaitForRuns(2);
  // 8 x 8 tokens of 100 ms.
  for (int32_t i = 0; i < 8; ++i) waiting->Add({Sequence(i, 8)});
  RequestContext late(steady_clock::now() + std::chrono::seconds(12));
  const Status refused = scheduler_->Open(late, Lane::kIngest, {1, 1}).status();
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("expected to take 6 s"), std::string_view::npos)
      << refused.message();
  EXPECT_TRUE(refused.message().ends_with("Retry after 4s")) << refused.message();
  // Queries go first.
  EXPECT_TRUE(scheduler_->Open(late, Lane::kQuery, {1, 1}).ok());
  RequestContext patient(steady_clock::now() + std::chrono::seconds(60));
  EXPECT_TRUE(scheduler_->Open(patient, Lane::kIngest, {1, 1}).ok());
  runner_.Open();
  EXPECT_TRUE(waiting->Wait().ok());
}

TEST_F(SchedulerTest, IngestRunsShouldEndWithinTheirBound) {
  ingest_run_max_ = milliseconds(40);
  Start();
  runner_.TakeForAToken(milliseconds(1));
  auto first = Occupy();
  auto request = Open(Lane::kIngest, 21);
  for (int32_t i = 0; i < 20; ++i) request->Add({Sequence(i, 8)});
  request->Add({Sequence(20, 50)});  // is more than the bound alone
  runner_.Open();
  EXPECT_TRUE(first->Wait().ok());
  EXPECT_TRUE(request->Wait().ok());
  EXPECT_EQ(runner_.batches(), (std::vector<std::vector<int32_t>>{
                                   {1000},
                                   {0, 1, 2, 3, 4},
                                   {5, 6, 7, 8, 9, 10, 11, 12},  // another size, to learn from
                                   {13, 14, 15, 16, 17},
                                   {18, 19},
                                   {20}}));
}

TEST_F(SchedulerTest, AFastDeviceIsBoundedByTheBudgetOfTokensAlone) {
  ingest_run_max_ = milliseconds(40);
  Start();
  auto first = Occupy();
  auto request = Open(Lane::kIngest, 8);
  for (int32_t i = 0; i < 8; ++i) request->Add({Sequence(i, 8)});
  runner_.Open();
  EXPECT_TRUE(first->Wait().ok());
  EXPECT_TRUE(request->Wait().ok());
  EXPECT_EQ(runner_.batches().size(), 2u);
}

TEST_F(SchedulerTest, TheFirstRunOfIngestIsShort) {
  ingest_run_max_ = milliseconds(40);
  Start();
  auto request = Open(Lane::kIngest, 2);
  request->Add({Sequence(1, 8), Sequence(2, 8)});
  runner_.Open();
  EXPECT_TRUE(request->Wait().ok());
  EXPECT_EQ(runner_.batches(), (std::vector<std::vector<int32_t>>{{1}, {2}}));
}

TEST_F(SchedulerTest, StopsARunThatNobodyWaitsFor) {
  Start();
  auto request = Occupy();
  context_.Cancel();
  EXPECT_EQ(request->Wait().status().code(), ErrorCode::kCancelled);
  runner_.WaitForStops(1);
}

TEST_F(SchedulerTest, GoesOnWithARunThatAnotherWaitsFor) {
  Start();
  RequestContext gone;
  auto leaving = std::move(scheduler_->Open(gone, Lane::kIngest, {1, 1})).value();
  leaving->Add({Sequence(1, 4)});
  runner_.WaitForRuns(1);
  auto staying = Open(Lane::kIngest);
  staying->Add({Sequence(1, 4)});
  gone.Cancel();
  EXPECT_EQ(leaving->Wait().status().code(), ErrorCode::kCancelled);
  runner_.Open();
  EXPECT_EQ(*staying->Wait(), (std::vector<float>{1, 4}));
  EXPECT_EQ(runner_.batches().size(), 1u);
}

TEST_F(SchedulerTest, StartsAgainWhatWasStopped) {
  Start();
  {
    auto leaving = Open(Lane::kIngest);
    leaving->Add({Sequence(1, 4)});
    runner_.WaitForRuns(1);
  }
  auto coming = Open(Lane::kIngest);
  coming->Add({Sequence(1, 4)});
  runner_.WaitForRuns(2);
  runner_.Open();
  EXPECT_EQ(*coming->Wait(), (std::vector<float>{1, 4}));
}

TEST_F(SchedulerTest, DropsWhatWasGivenUpWhileWaiting) {
  Start();
  auto first = Occupy();
  {
    auto gone = Open(Lane::kIngest, 2);
    gone->Add({Sequence(1, 4), Sequence(2, 4)});
  }
  EXPECT_EQ(scheduler_->queued(), 0u);
  RequestContext cancelled;
  auto request = std::move(scheduler_->Open(cancelled, Lane::kIngest, {1, 1})).value();
  request->Add({Sequence(3, 4)});
  cancelled.Cancel();
  runner_.Open();
  EXPECT_TRUE(first->Wait().ok());
  EXPECT_EQ(request->Wait().status().code(), ErrorCode::kCancelled);
  EXPECT_EQ(runner_.batches().size(), 1u);
}

TEST_F(SchedulerTest, EndsAtTheDeadline) {
  Start();
  RequestContext hurried(steady_clock::now() + milliseconds(20));
  auto request = std::move(scheduler_->Open(hurried, Lane::kIngest, {1, 1})).value();
  request->Add({Sequence(1, 4)});
  EXPECT_EQ(request->Wait().status().code(), ErrorCode::kDeadlineExceeded);
  runner_.WaitForStops(1);
}

// One request of one sequence each, all of which fit into one run: 0, 1, 2...
class FailingBatchTest : public SchedulerTest {
 protected:
  std::vector<Status> RunOne(int32_t count) {
    Start();
    auto first = Occupy();
    std::vector<std::unique_ptr<BatchScheduler::Request>> requests;
    for (int32_t i = 0; i < count; ++i) {
      requests.push_back(Open(Lane::kIngest));
      requests.back()->Add({Sequence(i, 8)});
    }
    runner_.Open();
    EXPECT_TRUE(first->Wait().ok());
    std::vector<Status> statuses;
    for (int32_t i = 0; i < count; ++i) {
      Result<std::vector<float>> vectors = requests[static_cast<size_t>(i)]->Wait();
      if (vectors.ok()) EXPECT_EQ(*vectors, (std::vector<float>{static_cast<float>(i), 8}));
      statuses.push_back(vectors.status());
    }
    return statuses;
  }
  // Without the one that occupied the worker.
  size_t runs() { return runner_.batches().size() - 1; }
};

TEST_F(FailingBatchTest, OneBadSequenceFailsAlone) {
  for (int32_t bad = 0; bad < 7; ++bad) {
    runner_.FailAt([bad](int32_t id) { return id == bad; });
    const std::vector<Status> statuses = RunOne(7);
    for (int32_t i = 0; i < 7; ++i) {
      EXPECT_EQ(statuses[static_cast<size_t>(i)].code(),
                i == bad ? ErrorCode::kInternal : ErrorCode::kOk)
          << i << " beside " << bad;
    }
    runner_.Reset();
  }
}

TEST_F(FailingBatchTest, AModelThatFailsAlwaysCostsABoundedNumberOfRuns) {
  runner_.FailAt([](int32_t id) { return id < 1000; });
  for (const Status& status : RunOne(8)) EXPECT_EQ(status.code(), ErrorCode::kInternal);
  EXPECT_EQ(runs(), 15u);
}

TEST_F(FailingBatchTest, WhatNoSmallerBatchHealsIsNotTriedAgain) {
  for (ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kDeadlineExceeded}) {
    runner_.FailAt([](int32_t id) { return id == 3; }, code);
    for (const Status& status : RunOne(8)) EXPECT_EQ(status.code(), code);
    EXPECT_EQ(runs(), 1u);
    runner_.Reset();
  }
}

TEST_F(FailingBatchTest, WhatNobodyWaitsForIsNotTriedAgain) {
  // The first half fails only once the other half's caller has gone.
  std::function<void()> leave;
  runner_.FailAt([&](int32_t id) {
    if (id == 1) leave();
    return id == 1;
  });
  Start();
  auto first = Occupy();
  auto staying = Open(Lane::kIngest);
  staying->Add({Sequence(1, 8)});
  auto leaving = Open(Lane::kIngest, 3);
  leaving->Add({Sequence(2, 8), Sequence(3, 8), Sequence(4, 8)});
  leave = [&] { leaving.reset(); };
  runner_.Open();
  EXPECT_TRUE(first->Wait().ok());
  EXPECT_EQ(staying->Wait().status().code(), ErrorCode::kInternal);
  EXPECT_EQ(runner_.batches(), (std::vector<std::vector<int32_t>>{{1000}, {1, 2, 3, 4}, {1}}));
}

TEST_F(SchedulerTest, StoppingRefusesWhatWaitsAndFinishesWhatRuns) {
  Start();
  auto running = Occupy();
  auto waiting = Open(Lane::kIngest);
  waiting->Add({Sequence(1, 4)});
  scheduler_->Stop();
  EXPECT_EQ(waiting->Wait().status().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(scheduler_->Open(context_, Lane::kIngest, {1, 1}).status().code(),
            ErrorCode::kUnavailable);
  runner_.Open();
  EXPECT_TRUE(running->Wait().ok());
}

// Clients that come and leave as they like, each by a random one of the ways there are.
TEST_F(SchedulerTest, IsEmptyAfterAStormOfCancellations) {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "AKIDB_TEST_SEED=" << seed << "\n";
  Start(/*items_max=*/64, /*bytes_max=*/100'000);
  runner_.Open();
  runner_.FailAt([](int32_t id) { return id == 13; });
  const auto client = [&](uint64_t number) {
    std::mt19937_64 random(seed + number);
    size_t refused = 0;
    for (int round = 0; round < 200; ++round) {
      RequestContext context(steady_clock::now() + (random() % 4 == 0
                                                        ? std::chrono::microseconds(random() % 300)
                                                        : std::chrono::minutes(10)));
      const size_t items = 1 + random() % 12;
      auto request =
          scheduler_->Open(context, random() % 2 ? Lane::kQuery : Lane::kIngest, {items, items});
      if (!request.ok()) {
        EXPECT_EQ(request.status().code(), ErrorCode::kResourceExhausted);
        ++refused;
        continue;
      }
      for (size_t i = 0; i < items; ++i) {
        (*request)->Add({Sequence(static_cast<int32_t>(random() % 20), 1 + random() % 70)});
      }
      switch (random() % 4) {
        case 0:  // leaves without a word
          break;
        case 1:
          context.Cancel();
          [[fallthrough]];
        case 2:
          (void)(*request)->Wait();
          break;
        default:
          std::thread other([&] { context.Cancel(); });
          (void)(*request)->Wait();
          other.join();
      }
    }
    return refused;
  };
  std::vector<std::future<size_t>> clients;
  for (uint64_t number = 0; number < 12; ++number) {
    clients.push_back(std::async(std::launch::async, client, number));
  }
  size_t refused = 0;
  for (std::future<size_t>& one : clients) refused += one.get();
  EXPECT_LT(refused, 12u * 200);
  EXPECT_EQ(scheduler_->queued(), 0u);
  auto last = Open(Lane::kIngest, 64);  // the whole room
  last->Add({Sequence(7, 5)});
  EXPECT_EQ(*last->Wait(), (std::vector<float>{7, 5}));
}

TEST_F(SchedulerTest, AnExceptionFailsTheSequenceThatItCameOf) {
  Start();
  runner_.FailAt([](int32_t id) { return id == 2; });
  runner_.ThrowInstead();
  runner_.Open();
  auto good = Open(Lane::kIngest, 1);
  auto bad = Open(Lane::kIngest, 1);
  bad->Add({Sequence(2, 8)});
  good->Add({Sequence(1, 8)});
  EXPECT_EQ(*good->Wait(), (std::vector<float>{1, 8}));
  const Status status = bad->Wait().status();
  EXPECT_EQ(status.code(), ErrorCode::kInternal);
  EXPECT_NE(status.message().find("thrown"), std::string_view::npos);
}

TEST_F(SchedulerTest, ServesManyThreads) {
  Start(/*items_max=*/100'000, /*bytes_max=*/100'000);
  runner_.Open();
  std::vector<std::future<bool>> clients;
  for (int32_t client = 0; client < 8; ++client) {
    clients.push_back(std::async(std::launch::async, [&, client] {
      bool right = true;
      for (int32_t round = 0; round < 50; ++round) {
        auto request = Open(client % 2 ? Lane::kQuery : Lane::kIngest, 3);
        const size_t length = 1 + static_cast<size_t>((round * 7 + client) % 90);
        request->Add({Sequence(round, length), Sequence(client, 2), Sequence(7, length)});
        if (round % 5 == 4) continue;  // gives up
        Result<std::vector<float>> vectors = request->Wait();
        right = right && vectors.ok() && (*vectors)[0] == static_cast<float>(round) &&
                (*vectors)[1] == static_cast<float>(length) &&
                (*vectors)[2] == static_cast<float>(client) && (*vectors)[4] == 7;
      }
      return right;
    }));
  }
  for (std::future<bool>& client : clients) EXPECT_TRUE(client.get());
  EXPECT_EQ(scheduler_->queued(), 0u);
}

}  // namespace
}  // namespace akidb::embedding
