// For tests: a log of which the names of events are kept.
#pragma once

#include <set>
#include <string>

#include "base/log.h"
#include "base/mutex.h"

namespace akidb {

// Thread-safe.
class EventLog final : public Logger {
 public:
  void Write(LogLevel, std::string_view event, std::string_view,
             std::initializer_list<LogField>) override {
    MutexLock lock(mutex_);
    events_.insert(std::string(event));
  }
  size_t CountOf(const std::string& event) const {
    MutexLock lock(mutex_);
    return events_.count(event);
  }

 private:
  mutable Mutex mutex_;
  std::multiset<std::string> events_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb
