// A process that gets no more threads, for tests: as at RLIMIT_NPROC or a control group's bound of
// processes, which don't bind everybody.
#pragma once

#include <cstddef>
#include <fstream>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace akidb::env {

// While it lives, so many more threads begin; then none does. Their stacks are made larger than the
// address space that is left to the process.
class ThreadShortage {
 public:
  explicit ThreadShortage(size_t threads_left) {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t large;
    ::pthread_getattr_default_np(&large);
    ::pthread_attr_setstacksize(&large, kStackBytes);
    ::pthread_setattr_default_np(&large);
    ::pthread_attr_destroy(&large);
    ::getrlimit(RLIMIT_AS, &bound_);
    rlimit scarce = bound_;
    scarce.rlim_cur = AddressBytes() + threads_left * kStackBytes + kStackBytes / 2;
    ::setrlimit(RLIMIT_AS, &scarce);
  }
  ~ThreadShortage() {
    ::setrlimit(RLIMIT_AS, &bound_);
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }
  ThreadShortage(const ThreadShortage&) = delete;
  ThreadShortage& operator=(const ThreadShortage&) = delete;

 private:
  // Far more than what else is taken meanwhile.
  static constexpr size_t kStackBytes = size_t{1} << 30;

  static size_t AddressBytes() {
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  }

  pthread_attr_t before_;
  rlimit bound_;
};

}  // namespace akidb::env
