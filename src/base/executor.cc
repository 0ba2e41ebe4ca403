#include "base/executor.h"

#include <system_error>

#include <pthread.h>
#include <sys/resource.h>

namespace akidb {

Executor::Executor(ExecutorOptions options)
    : options_(std::move(options)), queue_(options_.queue_max) {
  AKIDB_CHECK(options_.threads > 0);
  try {
    for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this, i] { Run(i); });
  } catch (const std::system_error&) {
    if (threads_.empty()) throw;  // the others do all
  }
}

Executor::~Executor() { Stop(); }

Status Executor::Submit(Task task) {
  if (queue_.TryPush(std::move(task))) return OkStatus();
  if (stopping_) return UnavailableError("executor " + options_.name + " is stopping");
  return ResourceExhaustedError("the queue of executor " + options_.name + " is full (" +
                                std::to_string(options_.queue_max) + " tasks)");
}

void Executor::Stop() {
  stopping_ = true;
  queue_.Close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Executor::Run(int thread) {
  std::string name = options_.name + "/" + std::to_string(thread);
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  if (options_.nice != 0) {
    // On Linux the 0 means this thread. A lesser priority is never refused.
    static_cast<void>(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + options_.nice));
  }
  while (std::optional<Task> task = queue_.Pop()) (*task)();
}

}  // namespace akidb
