// Continuous batching of token sequences, one scheduler per loaded model.
//
// When a worker is free it takes the oldest waiting sequence and others of about its length, up to
// a budget of padded tokens, and runs them at once: no timer collects batches, and an idle
// scheduler sleeps. What runs take is learned (run_cost.h): one of ingest has no more sequences
// than let it end within a bound, since it shares the machine with queries. Queries go before the
// rest, and one worker serves nothing else, so a query never waits for an ingest run to end.
// Sequences that nobody waits for any more are dropped; a run whose every sequence was given up is
// stopped. Equal sequences in flight are computed once.
//
// The scheduler knows neither texts nor models: what a batch means is the runner's business. It
// holds no lock while that runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/request_context.h"
#include "base/status.h"
#include "embedding/batch_item.h"
#include "embedding/run_control.h"
#include "embedding/run_cost.h"

namespace akidb::embedding {

enum class Lane : uint8_t { kQuery, kIngest };

struct SchedulerOptions {
  std::string name;           // of the threads
  int workers = 1;            // that serve both lanes; one more serves queries alone
  size_t width = 0;           // floats per vector
  size_t batch_tokens = 256;  // padded tokens per run; a longer sequence runs alone
  // That a run of ingest is expected to take at most, one sequence being always allowed; the first
  // run of all has no more than that. 0: batch_tokens alone bounds it.
  std::chrono::milliseconds ingest_run_max{40};
  size_t bucket_step = 8;   // tokens; lengths are compared in these steps
  size_t items_max = 8192;  // over all open requests
  size_t bytes_max = 64u << 20;
  // Called by a worker, once each time that ingest was run and then for `rest_after` nothing came:
  // gives back what runs have left. Empty: nobody calls it, and idle workers have no timer at all.
  std::function<void()> give_back;
  std::chrono::milliseconds rest_after{1'000};
  // By which runs are timed.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Thread-safe.
class BatchScheduler {
 public:
  // Fills the vector of every item, or fails for all of them. A batch that fails is cut in halves,
  // and those again, so that one bad sequence doesn't fail strangers. kCancelled, kUnavailable and
  // kDeadlineExceeded, which no smaller batch would heal, are everybody's error at once. A batch of
  // n sequences is thus at most 2n-1 runs, of log2(n)+1 times its tokens; since a request ends at
  // its first failure, and what nobody waits for isn't run again, it takes n requests for that.
  using RunBatch = std::function<Status(std::span<const BatchItem>, RunControl&)>;

  // Throws std::system_error where a worker gets no thread.
  BatchScheduler(SchedulerOptions options, RunBatch run);
  // Stops and joins. Every request must be gone.
  ~BatchScheduler();
  BatchScheduler(const BatchScheduler&) = delete;
  BatchScheduler& operator=(const BatchScheduler&) = delete;

  struct Size {
    size_t items = 0;
    size_t bytes = 0;
  };

  // The sequences of one caller. Used by one thread; its destruction gives up what isn't done.
  class Request {
   public:
    ~Request();
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    // Queues more sequences, none of them empty; the first workers start at once.
    void Add(std::vector<std::vector<int32_t>> sequences);
    // Waits for all. In the order of adding, width floats each. kDeadlineExceeded, kCancelled,
    // kUnavailable (shutting down), or what the run said.
    Result<std::vector<float>> Wait();
    // The place of the one sequence, in the order of adding, whose own run failed; nothing where
    // all of them had to fail, or none did.
    std::optional<size_t> failed() const AKIDB_EXCLUDES(scheduler_.mutex_);

   private:
    friend class BatchScheduler;
    Request(BatchScheduler& scheduler, const RequestContext& context, Lane lane, Size size)
        : scheduler_(scheduler), context_(context), lane_(lane), size_(size) {}

    BatchScheduler& scheduler_;
    const RequestContext& context_;
    const Lane lane_;
    const Size size_;
    // The rest is guarded by the scheduler's mutex.
    std::vector<float> vectors_;
    size_t added_ = 0;
    size_t pending_ = 0;
    Status status_;  // the first failure
    std::optional<size_t> failed_;
    CondVar changed_;
  };

  // Reserves room for a whole request before its texts are tokenized. A request that is alone is
  // always admitted: its own size is bounded by the transport. kResourceExhausted when the bound is
  // reached, and where what waits before it is expected to take more than half of the time that its
  // deadline leaves; the message ends by "Retry after Ns": the time, in whole seconds from 1 to 60,
  // until enough of what waits should be done. `context` outlives the request.
  Result<std::unique_ptr<Request>> Open(const RequestContext& context, Lane lane, Size size)
      AKIDB_EXCLUDES(mutex_);

  // What a request that can't wait is told, for want of `what`: likewise kResourceExhausted.
  Status Full(std::string_view what, Size size) const AKIDB_EXCLUDES(mutex_);

  // Draining: what waits gets kUnavailable, as does everything new; runs that have begun end well.
  void Stop() AKIDB_EXCLUDES(mutex_);

  size_t queued() const AKIDB_EXCLUDES(mutex_);  // sequences that no worker has taken
  std::vector<RunTime> run_times() const AKIDB_EXCLUDES(mutex_);  // as learned so far

 private:
  struct Run;

  struct Waiter {
    Request* request = nullptr;
    size_t index = 0;  // of the sequence in the request
  };

  // FIFO per length, so that the oldest of all is the oldest of the fronts.
  struct Entry;
  using Bucket = std::list<std::shared_ptr<Entry>>;
  using LaneQueue = std::map<size_t, Bucket>;

  struct Entry {
    std::vector<int32_t> ids;
    uint64_t sequence_number = 0;
    std::chrono::steady_clock::time_point queued_at;
    Lane lane = Lane::kIngest;
    std::vector<Waiter> waiters;
    Run* run = nullptr;         // that computes it; null while queued
    Bucket::iterator position;  // while queued
  };

  struct Run {
    std::vector<std::shared_ptr<Entry>> entries;
    size_t wanted = 0;  // entries with a waiter
    RunControl control;
  };

  static std::string_view KeyOf(const std::vector<int32_t>& ids);
  void Learn(std::span<const BatchItem> items, std::chrono::steady_clock::duration time)
      AKIDB_REQUIRES(mutex_);
  LaneQueue& queue(Lane lane) AKIDB_REQUIRES(mutex_) {
    return lane == Lane::kQuery ? queries_ : ingest_;
  }

  void Enqueue(Request& request, std::vector<int32_t> ids) AKIDB_REQUIRES(mutex_);
  size_t BucketOf(const Entry& entry) const {
    return (entry.ids.size() + options_.bucket_step - 1) / options_.bucket_step;
  }
  void Link(const std::shared_ptr<Entry>& entry) AKIDB_REQUIRES(mutex_);
  void Unlink(Entry& entry) AKIDB_REQUIRES(mutex_);
  void WakeWorkers(Lane lane, size_t sequences) AKIDB_REQUIRES(mutex_);
  void GiveUp(Request& request) AKIDB_REQUIRES(mutex_);
  void Forget(const std::shared_ptr<Entry>& entry) AKIDB_REQUIRES(mutex_);
  void Promote(const std::shared_ptr<Entry>& entry) AKIDB_REQUIRES(mutex_);

  void Work(bool queries_only) AKIDB_EXCLUDES(mutex_);
  // Until there may be something to run. A worker of both lanes gives back what runs have left.
  void Rest(bool queries_only) AKIDB_REQUIRES(mutex_);
  std::optional<Lane> PickLane(bool queries_only) AKIDB_REQUIRES(mutex_);
  // The bucket whose front is the oldest; end() when the lane is empty.
  static LaneQueue::iterator OldestBucket(LaneQueue& queue);
  // Of a run of sequences of `length`.
  size_t ItemsMax(Lane lane, size_t length) const AKIDB_REQUIRES(mutex_);
  // What the runs of a lane's queue are expected to take.
  double QueueMs(Lane lane) const AKIDB_REQUIRES(mutex_);
  // Whether the deadline allows for what waits before.
  Status CheckTime(const RequestContext& context, Lane lane, Size size) const
      AKIDB_REQUIRES(mutex_);
  // What has to pass before a request of `size` should come again, or `seconds_min`.
  std::string RetryText(Size size, double seconds_min) const AKIDB_REQUIRES(mutex_);
  // How often who waits looks at its context.
  std::chrono::steady_clock::duration CancelPoll() const AKIDB_REQUIRES(mutex_);
  void FillRun(Lane lane, Run& run) AKIDB_REQUIRES(mutex_);
  void TakeFrom(LaneQueue& queue, LaneQueue::iterator bucket, size_t items_max, Run& run)
      AKIDB_REQUIRES(mutex_);
  static bool Wanted(const Entry& entry);
  void RunEntries(Run& run, std::span<const std::shared_ptr<Entry>> entries) AKIDB_EXCLUDES(mutex_);
  // Finishes those that nobody waits for any more; the others.
  std::vector<std::shared_ptr<Entry>> StillWanted(Run& run,
                                                  std::span<const std::shared_ptr<Entry>> entries)
      AKIDB_REQUIRES(mutex_);
  void Finish(Run& run, std::span<const std::shared_ptr<Entry>> entries, const Status& status,
              std::span<const float> vectors) AKIDB_REQUIRES(mutex_);
  void FinishEntry(const std::shared_ptr<Entry>& entry, const Status& status,
                   std::span<const float> vector) AKIDB_REQUIRES(mutex_);

  const SchedulerOptions options_;
  const RunBatch run_batch_;

  mutable Mutex mutex_;
  CondVar work_;        // for workers of both lanes
  CondVar query_work_;  // for the worker of queries
  bool stopping_ AKIDB_GUARDED_BY(mutex_) = false;
  LaneQueue queries_ AKIDB_GUARDED_BY(mutex_);
  LaneQueue ingest_ AKIDB_GUARDED_BY(mutex_);
  // Entries queued or running, by their ids. Keys point into the entries.
  std::unordered_map<std::string_view, std::shared_ptr<Entry>> in_flight_ AKIDB_GUARDED_BY(mutex_);
  RunCost cost_ AKIDB_GUARDED_BY(mutex_);
  Size reserved_ AKIDB_GUARDED_BY(mutex_);
  size_t open_ AKIDB_GUARDED_BY(mutex_) = 0;  // requests
  size_t queued_ AKIDB_GUARDED_BY(mutex_) = 0;
  uint64_t next_sequence_number_ AKIDB_GUARDED_BY(mutex_) = 0;
  int idle_workers_ AKIDB_GUARDED_BY(mutex_) = 0;
  bool last_was_query_ AKIDB_GUARDED_BY(mutex_) = false;
  bool holds_rest_ AKIDB_GUARDED_BY(mutex_) = false;  // of ingest, which nobody gave back
  std::vector<std::thread> threads_;
};

}  // namespace akidb::embedding
