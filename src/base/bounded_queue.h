// A multi-producer multi-consumer queue with a fixed bound. Thread-safe.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace akidb {

template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // False, and `item` untouched, when the queue is full or closed. Never waits.
  bool TryPush(T&& item) AKIDB_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    not_empty_.NotifyOne();
    return true;
  }

  // Waits for room. False when the queue is or gets closed.
  bool Push(T&& item) AKIDB_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      while (!closed_ && items_.size() >= capacity_) not_full_.Wait(mutex_);
      if (closed_) return false;
      items_.push_back(std::move(item));
    }
    not_empty_.NotifyOne();
    return true;
  }

  // Waits for an item. Nothing once the queue is closed and empty.
  std::optional<T> Pop() AKIDB_EXCLUDES(mutex_) {
    std::optional<T> item;
    {
      MutexLock lock(mutex_);
      while (!closed_ && items_.empty()) not_empty_.Wait(mutex_);
      if (items_.empty()) return std::nullopt;
      item.emplace(std::move(items_.front()));
      items_.pop_front();
    }
    not_full_.NotifyOne();
    return item;
  }

  // Refuses new items; those inside can still be popped.
  void Close() AKIDB_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    not_empty_.NotifyAll();
    not_full_.NotifyAll();
  }

  size_t size() const AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  CondVar not_empty_;
  CondVar not_full_;
  std::deque<T> items_ AKIDB_GUARDED_BY(mutex_);
  bool closed_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb
