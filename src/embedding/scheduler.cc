#include "embedding/scheduler.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <iterator>
#include <utility>

#include <pthread.h>

#include "embedding/without_exceptions.h"

namespace akidb::embedding {
namespace {

using std::chrono::steady_clock;

// A cancelled context tells nobody, so a waiting caller looks at it this often: of many each looks
// more rarely, so that all together wake no more than this many would.
constexpr std::chrono::milliseconds kCancelPoll{10};
constexpr size_t kOftenPolled = 16;
// Ingest that has waited so long gets every second run even while queries keep coming.
constexpr std::chrono::milliseconds kIngestPatience{50};
// A run takes shorter sequences only down to this part of its length: padding costs as much as
// text.
constexpr size_t kPaddingDivisor = 4;
// Up to this many tokens a run costs about the same, so padding is free.
constexpr size_t kFreePadding = 16;
// What is expected to wait before a request may take that part of the time that its deadline
// leaves: runs take longer when the machine has more to do, and its own come after.
constexpr double kQueuePart = 0.5;
// A client that was told to come back later than that would rather ask somebody else.
constexpr double kRetrySecondsMax = 60;

// Whether a part of a failed batch may succeed.
bool MayHealInParts(const Status& status) {
  return !status.ok() && status.code() != ErrorCode::kCancelled &&
         status.code() != ErrorCode::kUnavailable && status.code() != ErrorCode::kDeadlineExceeded;
}

}  // namespace

BatchScheduler::BatchScheduler(SchedulerOptions options, RunBatch run)
    : options_(std::move(options)), run_batch_(std::move(run)) {
  AKIDB_CHECK(options_.workers > 0 && options_.width > 0 && options_.bucket_step > 0);
  try {
    for (int i = 0; i <= options_.workers; ++i) {
      threads_.emplace_back([this, queries_only = i == options_.workers] { Work(queries_only); });
      ::pthread_setname_np(threads_.back().native_handle(), options_.name.substr(0, 15).c_str());
    }
  } catch (const std::exception&) {
    // Those that have begun would end the program.
    Stop();
    for (std::thread& thread : threads_) thread.join();
    throw;
  }
}

BatchScheduler::~BatchScheduler() {
  Stop();
  for (std::thread& thread : threads_) thread.join();
  MutexLock lock(mutex_);
  AKIDB_CHECK(in_flight_.empty() && reserved_.items == 0);
}

void BatchScheduler::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  for (Lane lane : {Lane::kQuery, Lane::kIngest}) {
    LaneQueue waiting = std::move(queue(lane));
    queue(lane).clear();
    for (auto& [length, bucket] : waiting) {
      for (const std::shared_ptr<Entry>& entry : bucket) {
        --queued_;
        FinishEntry(entry, UnavailableError("the model is being unloaded"), {});
      }
    }
  }
  work_.NotifyAll();
  query_work_.NotifyAll();
}

Result<std::unique_ptr<BatchScheduler::Request>> BatchScheduler::Open(const RequestContext& context,
                                                                      Lane lane, Size size) {
  MutexLock lock(mutex_);
  if (stopping_) return UnavailableError("the model is being unloaded");
  const bool fits = reserved_.items + size.items <= options_.items_max &&
                    reserved_.bytes + size.bytes <= options_.bytes_max;
  if (!fits && reserved_.items > 0) {
    return ResourceExhaustedError(
        "too many texts wait to be embedded (" + std::to_string(reserved_.items) + " texts, " +
        std::to_string(reserved_.bytes) + " bytes). " + RetryText(size, 0));
  }
  AKIDB_RETURN_IF_ERROR(CheckTime(context, lane, size));
  ++open_;
  reserved_.items += size.items;
  reserved_.bytes += size.bytes;
  return std::unique_ptr<Request>(new Request(*this, context, lane, size));
}

double BatchScheduler::QueueMs(Lane lane) const {
  double ms = 0;
  for (const auto& [bucket, entries] : lane == Lane::kQuery ? queries_ : ingest_) {
    const size_t length = bucket * options_.bucket_step;
    const RunCost::Line line = cost_.LineOf(length).value_or(RunCost::Line());
    const size_t items_max = ItemsMax(lane, length);
    const size_t runs = (entries.size() + items_max - 1) / items_max;
    ms += static_cast<double>(runs) * line.fixed_ms +
          static_cast<double>(entries.size() * length) * line.token_ms;
  }
  return ms / options_.workers;
}

// Whose time runs out in the queue takes room there for nothing, and learns it too late. A query
// waits for queries only.
Status BatchScheduler::CheckTime(const RequestContext& context, Lane lane, Size size) const {
  if (queued_ == 0 || context.deadline() == steady_clock::time_point::max()) return OkStatus();
  const double left =
      std::chrono::duration<double>(context.deadline() - steady_clock::now()).count();
  double expected = QueueMs(Lane::kQuery) / 1000;
  if (lane == Lane::kIngest) expected += QueueMs(Lane::kIngest) / 1000;
  const double allowed = kQueuePart * left;
  if (expected <= allowed) return OkStatus();
  return ResourceExhaustedError("too many texts wait to be embedded: they are expected to take " +
                                std::to_string(std::lround(expected)) +
                                " s, and the request has to be answered in " +
                                std::to_string(std::lround(std::max(left, 0.0))) + " s. " +
                                RetryText(size, expected - allowed));
}

Status BatchScheduler::Full(std::string_view what, Size size) const {
  MutexLock lock(mutex_);
  return ResourceExhaustedError(std::string(what) + ". " + RetryText(size, 0));
}

// The part of what is queued that has to be done first, by what its runs are expected to take: half
// at the least, for many are told to come back, and should find more room than one of them needs.
std::string BatchScheduler::RetryText(Size size, double seconds_min) const {
  const auto part = [](size_t held, size_t wanted, size_t most) {
    return held + wanted <= most
               ? 0
               : static_cast<double>(held + wanted - most) / static_cast<double>(held);
  };
  const double needed = std::max(part(reserved_.items, size.items, options_.items_max),
                                 part(reserved_.bytes, size.bytes, options_.bytes_max));
  const double all = (QueueMs(Lane::kQuery) + QueueMs(Lane::kIngest)) / 1000;
  const double seconds = std::ceil(std::max(std::clamp(needed, 0.5, 1.0) * all, seconds_min));
  const double told = std::clamp(seconds, 1.0, kRetrySecondsMax);
  return "Retry after " + std::to_string(static_cast<int>(told)) + "s";
}

steady_clock::duration BatchScheduler::CancelPoll() const {
  return kCancelPoll * std::max<size_t>(1, open_ / kOftenPolled);
}

size_t BatchScheduler::queued() const {
  MutexLock lock(mutex_);
  return queued_;
}

std::vector<RunTime> BatchScheduler::run_times() const {
  MutexLock lock(mutex_);
  return cost_.Learned();
}

std::string_view BatchScheduler::KeyOf(const std::vector<int32_t>& ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t)};
}

// --- Requests ---

BatchScheduler::Request::~Request() {
  MutexLock lock(scheduler_.mutex_);
  if (pending_ > 0) scheduler_.GiveUp(*this);
  --scheduler_.open_;
  scheduler_.reserved_.items -= size_.items;
  scheduler_.reserved_.bytes -= size_.bytes;
}

void BatchScheduler::Request::Add(std::vector<std::vector<int32_t>> sequences) {
  MutexLock lock(scheduler_.mutex_);
  if (scheduler_.stopping_) {
    status_ = UnavailableError("the model is being unloaded");
    return;
  }
  vectors_.resize((added_ + sequences.size()) * scheduler_.options_.width);
  for (std::vector<int32_t>& ids : sequences) scheduler_.Enqueue(*this, std::move(ids));
  scheduler_.WakeWorkers(lane_, sequences.size());
}

Result<std::vector<float>> BatchScheduler::Request::Wait() {
  MutexLock lock(scheduler_.mutex_);
  while (pending_ > 0 && status_.ok()) {
    if (Status status = context_.Check(); !status.ok()) {
      scheduler_.GiveUp(*this);
      return status;
    }
    changed_.WaitUntil(scheduler_.mutex_, std::min(context_.deadline(),
                                                   steady_clock::now() + scheduler_.CancelPoll()));
  }
  if (!status_.ok()) return status_;
  return std::move(vectors_);
}

std::optional<size_t> BatchScheduler::Request::failed() const {
  MutexLock lock(scheduler_.mutex_);
  return failed_;
}

void BatchScheduler::Enqueue(Request& request, std::vector<int32_t> ids) {
  AKIDB_CHECK(!ids.empty());
  const Waiter waiter{&request, request.added_++};
  ++request.pending_;
  if (auto it = in_flight_.find(KeyOf(ids)); it != in_flight_.end()) {
    Entry& entry = *it->second;
    if (entry.run != nullptr && entry.waiters.empty()) {
      // Its run may already be stopped: this waiter must not depend on it.
      in_flight_.erase(it);
    } else {
      entry.waiters.push_back(waiter);
      if (request.lane_ == Lane::kQuery && entry.run == nullptr) {
        Promote(std::shared_ptr<Entry>(it->second));
      }
      return;
    }
  }
  auto entry = std::make_shared<Entry>();
  entry->ids = std::move(ids);
  entry->sequence_number = next_sequence_number_++;
  entry->queued_at = steady_clock::now();
  entry->lane = request.lane_;
  entry->waiters.push_back(waiter);
  Link(entry);
  in_flight_.emplace(KeyOf(entry->ids), std::move(entry));
}

void BatchScheduler::Link(const std::shared_ptr<Entry>& entry) {
  Bucket& bucket = queue(entry->lane)[BucketOf(*entry)];
  entry->position = bucket.insert(bucket.end(), entry);
  ++queued_;
}

void BatchScheduler::Unlink(Entry& entry) {
  LaneQueue& lane = queue(entry.lane);
  auto bucket = lane.find(BucketOf(entry));
  AKIDB_CHECK(bucket != lane.end());
  bucket->second.erase(entry.position);
  if (bucket->second.empty()) lane.erase(bucket);
  --queued_;
}

// A query asks for a sequence that waits in the ingest lane.
void BatchScheduler::Promote(const std::shared_ptr<Entry>& entry) {
  if (entry->lane == Lane::kQuery) return;
  Unlink(*entry);
  entry->lane = Lane::kQuery;
  Link(entry);
}

void BatchScheduler::WakeWorkers(Lane lane, size_t sequences) {
  // An idle worker may have been woken for another one already.
  const bool for_queries = lane == Lane::kQuery && static_cast<size_t>(idle_workers_) < queued_;
  if (for_queries) query_work_.NotifyOne();
  if (lane == Lane::kQuery && idle_workers_ == 0) return;
  if (sequences == 1) {
    work_.NotifyOne();
  } else {
    work_.NotifyAll();
  }
}

// Takes the request off every entry that it waits for; stops runs that nobody waits for.
void BatchScheduler::GiveUp(Request& request) {
  std::vector<std::shared_ptr<Entry>> left;
  for (auto& [key, entry] : in_flight_) {
    const size_t removed =
        std::erase_if(entry->waiters, [&](const Waiter& w) { return w.request == &request; });
    if (removed > 0 && entry->waiters.empty()) left.push_back(entry);
  }
  request.pending_ = 0;
  for (const std::shared_ptr<Entry>& entry : left) Forget(entry);
}

// `entry` has no waiter any more.
void BatchScheduler::Forget(const std::shared_ptr<Entry>& entry) {
  if (entry->run != nullptr) {
    if (--entry->run->wanted == 0) entry->run->control.Stop();
    return;
  }
  Unlink(*entry);
  in_flight_.erase(KeyOf(entry->ids));
}

// --- Workers ---

void BatchScheduler::Work(bool queries_only) {
  MutexLock lock(mutex_);
  while (true) {
    std::optional<Lane> lane = PickLane(queries_only);
    if (!lane) {
      if (stopping_) return;
      Rest(queries_only);
      continue;
    }
    Run run;
    FillRun(*lane, run);
    if (run.entries.empty()) continue;
    holds_rest_ = holds_rest_ || *lane == Lane::kIngest;
    mutex_.unlock();
    RunEntries(run, run.entries);
    mutex_.lock();
  }
}

void BatchScheduler::Rest(bool queries_only) {
  if (queries_only) {
    query_work_.Wait(mutex_);
    return;
  }
  ++idle_workers_;
  bool woken = true;
  if (holds_rest_ && idle_workers_ == options_.workers && options_.give_back) {
    woken = work_.WaitUntil(mutex_, steady_clock::now() + options_.rest_after);
  } else {
    work_.Wait(mutex_);
  }
  --idle_workers_;
  const bool all_rest = idle_workers_ == options_.workers - 1;
  const bool rests = !woken && all_rest && !stopping_ && queued_ == 0;
  if (!rests || !std::exchange(holds_rest_, false)) return;
  mutex_.unlock();
  options_.give_back();
  mutex_.lock();
}

std::optional<Lane> BatchScheduler::PickLane(bool queries_only) {
  if (queries_only) return queries_.empty() ? std::nullopt : std::optional(Lane::kQuery);
  if (queries_.empty() && ingest_.empty()) return std::nullopt;
  bool take_query = !queries_.empty();
  if (take_query && !ingest_.empty() && last_was_query_) {
    const Entry& head = *OldestBucket(ingest_)->second.front();
    take_query = steady_clock::now() - head.queued_at < kIngestPatience;
  }
  last_was_query_ = take_query;
  return take_query ? Lane::kQuery : Lane::kIngest;
}

BatchScheduler::LaneQueue::iterator BatchScheduler::OldestBucket(LaneQueue& queue) {
  return std::min_element(queue.begin(), queue.end(), [](const auto& a, const auto& b) {
    return a.second.front()->sequence_number < b.second.front()->sequence_number;
  });
}

bool BatchScheduler::Wanted(const Entry& entry) {
  return std::any_of(entry.waiters.begin(), entry.waiters.end(),
                     [](const Waiter& waiter) { return waiter.request->context_.Check().ok(); });
}

size_t BatchScheduler::ItemsMax(Lane lane, size_t length) const {
  const size_t budget = std::max<size_t>(1, options_.batch_tokens / length);
  if (lane == Lane::kQuery || options_.ingest_run_max.count() == 0) return budget;
  const double tokens =
      cost_.TokensWithin(length, static_cast<double>(options_.ingest_run_max.count())).value_or(0);
  const double items = tokens / static_cast<double>(length);
  if (items >= static_cast<double>(budget)) return budget;
  return std::max<size_t>(1, static_cast<size_t>(items));
}

void BatchScheduler::FillRun(Lane lane, Run& run) {
  LaneQueue& waiting = queue(lane);
  auto anchor = OldestBucket(waiting);
  const size_t length = anchor->first * options_.bucket_step;
  const size_t shortest =
      length - std::min(length, std::max(kFreePadding, length / kPaddingDivisor));
  const size_t items_max = ItemsMax(lane, length);
  while (true) {
    const bool last = anchor == waiting.begin();
    auto next = last ? anchor : std::prev(anchor);
    TakeFrom(waiting, anchor, items_max, run);
    if (last || run.entries.size() >= items_max) break;
    if (next->first * options_.bucket_step < shortest) break;
    anchor = next;
  }
}

void BatchScheduler::TakeFrom(LaneQueue& queue, LaneQueue::iterator bucket, size_t items_max,
                              Run& run) {
  Bucket& entries = bucket->second;
  while (!entries.empty() && run.entries.size() < items_max) {
    std::shared_ptr<Entry> entry = std::move(entries.front());
    entries.pop_front();
    --queued_;
    if (!Wanted(*entry)) {
      for (const Waiter& waiter : entry->waiters) {
        Request& request = *waiter.request;
        if (request.status_.ok()) request.status_ = request.context_.Check();
      }
      FinishEntry(entry, CancelledError("nobody waits for it"), {});
      continue;
    }
    entry->run = &run;
    ++run.wanted;
    run.entries.push_back(std::move(entry));
  }
  if (entries.empty()) queue.erase(bucket);
}

void BatchScheduler::RunEntries(Run& run, std::span<const std::shared_ptr<Entry>> entries) {
  std::vector<float> vectors(entries.size() * options_.width);
  std::vector<BatchItem> items(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    items[i].ids = entries[i]->ids;
    items[i].vector = std::span(vectors).subspan(i * options_.width, options_.width);
  }
  const steady_clock::time_point begin = options_.now();
  const Status status = WithoutExceptions([&] { return run_batch_(items, run.control); });
  const steady_clock::duration time = options_.now() - begin;
  {
    MutexLock lock(mutex_);
    if (status.ok()) Learn(items, time);
    if (entries.size() == 1 || stopping_ || !MayHealInParts(status)) {
      Finish(run, entries, status, vectors);
      return;
    }
  }
  const size_t half = entries.size() / 2;
  for (const auto part : {entries.first(half), entries.subspan(half)}) {
    std::vector<std::shared_ptr<Entry>> wanted;
    {
      MutexLock lock(mutex_);
      wanted = StillWanted(run, part);
    }
    if (!wanted.empty()) RunEntries(run, wanted);
  }
}

void BatchScheduler::Learn(std::span<const BatchItem> items, steady_clock::duration time) {
  size_t length = 0;
  for (const BatchItem& item : items) length = std::max(length, item.ids.size());
  cost_.Learn(length, length * items.size(),
              std::chrono::duration<double, std::milli>(time).count());
}

std::vector<std::shared_ptr<BatchScheduler::Entry>> BatchScheduler::StillWanted(
    Run& run, std::span<const std::shared_ptr<Entry>> entries) {
  std::vector<std::shared_ptr<Entry>> wanted;
  for (const std::shared_ptr<Entry>& entry : entries) {
    if (entry->waiters.empty()) {
      Finish(run, std::span(&entry, 1), CancelledError("nobody waits for it"), {});
    } else {
      wanted.push_back(entry);
    }
  }
  return wanted;
}

void BatchScheduler::Finish(Run& run, std::span<const std::shared_ptr<Entry>> entries,
                            const Status& status, std::span<const float> vectors) {
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i]->waiters.empty()) --run.wanted;
    const size_t width = status.ok() ? options_.width : 0;
    FinishEntry(entries[i], status, vectors.subspan(i * width, width));
  }
}

// Hands the result to every waiter. `vector` may be empty when `status` is an error.
void BatchScheduler::FinishEntry(const std::shared_ptr<Entry>& entry, const Status& status,
                                 std::span<const float> vector) {
  auto it = in_flight_.find(KeyOf(entry->ids));
  if (it != in_flight_.end() && it->second == entry) in_flight_.erase(it);
  for (const Waiter& waiter : entry->waiters) {
    Request& request = *waiter.request;
    --request.pending_;
    if (status.ok()) {
      std::copy(vector.begin(), vector.end(),
                request.vectors_.begin() + static_cast<ptrdiff_t>(waiter.index * vector.size()));
    } else if (request.status_.ok()) {
      request.status_ = status;
      if (MayHealInParts(status)) request.failed_ = waiter.index;
    }
    if (request.pending_ == 0 || !status.ok()) request.changed_.NotifyOne();
  }
  entry->waiters.clear();
}

}  // namespace akidb::embedding
