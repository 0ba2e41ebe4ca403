// A named pool that runs requests from a bounded queue, so many at a time. One that waits in a
// BlockingSection lends its place to the next, so that those that wait for a model hold up nobody,
// and as many of them can be waiting as the model's own queue takes. Thread-safe.
//
// A waiting task keeps its thread, and another thread has its place. There are as many threads as
// places, one more for each task that waits, and as many again at rest, which end when fewer wait.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "base/blocking_section.h"
#include "base/mutex.h"
#include "base/status.h"

namespace akidb {

struct RequestPoolOptions {
  std::string name;  // at most 15 characters reach the threads' names
  int threads = 1;   // places: tasks that run at a time
  size_t queue_max = 1024;
  size_t waiting_max = 0;  // tasks in blocking sections at a time; further ones may not enter any
};

class RequestPool final : private PlaceLender {
 public:
  using Task = std::function<void()>;

  explicit RequestPool(RequestPoolOptions options);
  // Runs what is queued, then joins.
  ~RequestPool();
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;

  // kResourceExhausted when the queue is full, kUnavailable once stopping. Tasks must not throw.
  Status Submit(Task task);
  // Refuses new tasks, runs the queued ones, joins. Not from a task of this pool.
  void Stop();

  // That there are now, whatever they do.
  size_t threads() const;

 private:
  bool Lend() override;
  void TakeBack() override;

  void Work(std::list<std::thread>::iterator self);
  // Runs tasks as long as there are any, and places for them.
  void RunTasks() AKIDB_REQUIRES(mutex_);
  // Sends as many threads to the queue as will find a task and a place.
  void Summon() AKIDB_REQUIRES(mutex_);
  // False: the system has no thread left.
  bool StartThread() AKIDB_REQUIRES(mutex_);
  // Of the threads at rest.
  bool IsOneTooMany() const AKIDB_REQUIRES(mutex_) {
    return !stopping_ && resting_ > places_ + waiting_;
  }
  // Waits until it is summoned. False: this thread isn't needed any more.
  bool Rest() AKIDB_REQUIRES(mutex_);

  const RequestPoolOptions options_;
  const size_t places_;

  mutable Mutex mutex_;
  CondVar summoned_;  // a thread at rest
  CondVar place_;     // one that comes back from a section
  std::deque<Task> tasks_ AKIDB_GUARDED_BY(mutex_);
  bool stopping_ AKIDB_GUARDED_BY(mutex_) = false;
  size_t running_ AKIDB_GUARDED_BY(mutex_) = 0;    // places that are taken
  size_t waiting_ AKIDB_GUARDED_BY(mutex_) = 0;    // tasks in sections
  size_t returning_ AKIDB_GUARDED_BY(mutex_) = 0;  // of these, at their end
  size_t resting_ AKIDB_GUARDED_BY(mutex_) = 0;    // threads that nobody has summoned
  size_t summons_ AKIDB_GUARDED_BY(mutex_) = 0;    // that no thread at rest has heard so far
  size_t coming_ AKIDB_GUARDED_BY(mutex_) = 0;     // threads that have yet to look at the queue
  uint64_t started_ AKIDB_GUARDED_BY(mutex_) = 0;
  std::list<std::thread> threads_ AKIDB_GUARDED_BY(mutex_);
  std::list<std::thread> ended_ AKIDB_GUARDED_BY(mutex_);  // to be joined by the next that ends
};

}  // namespace akidb
