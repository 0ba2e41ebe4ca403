// std::mutex with clang's thread-safety annotations
// (https://clang.llvm.org/docs/ThreadSafetyAnalysis.html).
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define AKIDB_ATTRIBUTE_(x) __attribute__((x))
#else
#define AKIDB_ATTRIBUTE_(x)
#endif
#define AKIDB_CAPABILITY AKIDB_ATTRIBUTE_(capability("mutex"))
#define AKIDB_SCOPED_CAPABILITY AKIDB_ATTRIBUTE_(scoped_lockable)
#define AKIDB_GUARDED_BY(x) AKIDB_ATTRIBUTE_(guarded_by(x))
#define AKIDB_REQUIRES(...) AKIDB_ATTRIBUTE_(requires_capability(__VA_ARGS__))
#define AKIDB_EXCLUDES(...) AKIDB_ATTRIBUTE_(locks_excluded(__VA_ARGS__))
#define AKIDB_ACQUIRE(...) AKIDB_ATTRIBUTE_(acquire_capability(__VA_ARGS__))
#define AKIDB_RELEASE(...) AKIDB_ATTRIBUTE_(release_capability(__VA_ARGS__))
#define AKIDB_NO_THREAD_SAFETY_ANALYSIS AKIDB_ATTRIBUTE_(no_thread_safety_analysis)

namespace akidb {

class AKIDB_CAPABILITY Mutex {
 public:
  void lock() AKIDB_ACQUIRE() { mutex_.lock(); }
  void unlock() AKIDB_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class AKIDB_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) AKIDB_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() AKIDB_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  void Wait(Mutex& mutex) AKIDB_REQUIRES(mutex) AKIDB_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // False when `deadline` passed first.
  template <typename TimePoint>
  bool WaitUntil(Mutex& mutex, TimePoint deadline)
      AKIDB_REQUIRES(mutex) AKIDB_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    bool in_time = cv_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace akidb
