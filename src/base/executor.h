// A named pool of threads, as many as there can be, for tasks in a bounded queue. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/status.h"

namespace akidb {

struct ExecutorOptions {
  std::string name;  // at most 15 characters reach the thread's name
  int threads = 1;
  size_t queue_max = 1024;
  int nice = 0;  // how much less than its creator each thread insists on the processor (nice(2))
};

class Executor {
 public:
  using Task = std::function<void()>;

  explicit Executor(ExecutorOptions options);  // std::system_error where there can be no thread
  // Runs what is queued, then joins.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // kResourceExhausted when the queue is full, kUnavailable once stopping. Tasks must not throw.
  Status Submit(Task task);
  // Refuses new tasks, runs the queued ones, joins. Not from a task of this executor.
  void Stop();

 private:
  void Run(int thread);

  const ExecutorOptions options_;
  BoundedQueue<Task> queue_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace akidb
