#include "base/request_pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <pthread.h>

#include "base/check.h"

namespace akidb {

RequestPool::RequestPool(RequestPoolOptions options)
    : options_(std::move(options)), places_(static_cast<size_t>(options_.threads)) {
  AKIDB_CHECK(options_.threads > 0);
  MutexLock lock(mutex_);
  for (size_t i = 0; i < places_; ++i) AKIDB_CHECK(StartThread());
}

RequestPool::~RequestPool() { Stop(); }

Status RequestPool::Submit(Task task) {
  MutexLock lock(mutex_);
  if (stopping_) return UnavailableError("the pool " + options_.name + " is stopping");
  if (tasks_.size() >= options_.queue_max) {
    return ResourceExhaustedError("the queue of pool " + options_.name + " is full (" +
                                  std::to_string(options_.queue_max) + " tasks)");
  }
  tasks_.push_back(std::move(task));
  Summon();
  return OkStatus();
}

void RequestPool::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    summoned_.NotifyAll();
  }
  // Those that wait may still need others to run what is queued.
  while (true) {
    std::list<std::thread> threads;
    {
      MutexLock lock(mutex_);
      threads.splice(threads.end(), threads_);
      threads.splice(threads.end(), ended_);
    }
    if (threads.empty()) return;
    for (std::thread& thread : threads) thread.join();
  }
}

size_t RequestPool::threads() const {
  MutexLock lock(mutex_);
  return threads_.size();
}

bool RequestPool::Lend() {
  MutexLock lock(mutex_);
  if (waiting_ >= options_.waiting_max) return false;
  // Nobody waits in a place that then stays empty.
  if (!tasks_.empty() && resting_ == 0 && coming_ == 0 && !StartThread()) return false;
  ++waiting_;
  --running_;
  if (returning_ > 0) place_.NotifyOne();
  Summon();
  return true;
}

void RequestPool::TakeBack() {
  MutexLock lock(mutex_);
  ++returning_;
  while (running_ >= places_) place_.Wait(mutex_);
  --returning_;
  ++running_;
  --waiting_;
  if (IsOneTooMany()) summoned_.NotifyOne();
}

void RequestPool::Summon() {
  const size_t taken = std::min(running_ + returning_, places_);
  const size_t wanted = std::min(tasks_.size(), places_ - taken);
  while (coming_ < wanted) {
    if (resting_ == 0) {
      // Else the task waits for a thread that has done its own.
      if (!StartThread()) return;
      continue;
    }
    --resting_;
    ++summons_;
    ++coming_;
    summoned_.NotifyOne();
  }
}

bool RequestPool::StartThread() {
  auto place = threads_.end();
  try {
    place = threads_.emplace(threads_.end());
    const std::string name = options_.name + "/" + std::to_string(started_);
    *place = std::thread([this, place, name] {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      Work(place);
    });
  } catch (const std::exception&) {  // no thread, or no memory for one
    if (place != threads_.end()) threads_.erase(place);
    return false;
  }
  ++started_;
  ++coming_;
  return true;
}

void RequestPool::Work(std::list<std::thread>::iterator self) {
  PlaceLender::SetCurrent(this);
  std::list<std::thread> before;
  {
    MutexLock lock(mutex_);
    do {
      --coming_;
      RunTasks();
    } while (Rest());
    if (stopping_) return;  // Stop has the handle, or will
    before.swap(ended_);
    ended_.splice(ended_.end(), threads_, self);
  }
  for (std::thread& thread : before) thread.join();
}

void RequestPool::RunTasks() {
  while (!tasks_.empty() && running_ + returning_ < places_) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    ++running_;
    mutex_.unlock();
    task();
    task = nullptr;
    mutex_.lock();
    --running_;
    if (returning_ > 0) place_.NotifyOne();
  }
}

bool RequestPool::Rest() {
  if (stopping_ && tasks_.empty()) {
    summoned_.NotifyAll();
    return false;
  }
  ++resting_;
  while (summons_ == 0) {
    if (IsOneTooMany() || (stopping_ && tasks_.empty())) {
      --resting_;
      if (IsOneTooMany()) summoned_.NotifyOne();
      return false;
    }
    summoned_.Wait(mutex_);
  }
  --summons_;
  return true;
}

}  // namespace akidb
