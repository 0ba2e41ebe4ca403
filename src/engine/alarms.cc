#include "engine/alarms.h"

#include <algorithm>

namespace akidb::engine {

void Alarms::Set(const void* owner, Time when, Ring ring) {
  MutexLock lock(mutex_);
  alarms_.insert_or_assign(owner, Alarm{when, std::move(ring)});
  changed_.NotifyAll();
}

void Alarms::Cancel(const void* owner) {
  MutexLock lock(mutex_);
  // A ring that is running may set the next alarm.
  while (ringing_ == owner) changed_.Wait(mutex_);
  alarms_.erase(owner);
}

Alarms::Entries::iterator Alarms::Earliest() {
  return std::min_element(alarms_.begin(), alarms_.end(), [](const auto& a, const auto& b) {
    return a.second.when < b.second.when;
  });
}

void Alarms::RingOne(Entries::iterator entry) {
  ringing_ = entry->first;
  Ring ring = std::move(entry->second.ring);
  alarms_.erase(entry);
  mutex_.unlock();
  ring();
  mutex_.lock();
  ringing_ = nullptr;
  changed_.NotifyAll();
}

size_t Alarms::RingDue() {
  MutexLock lock(mutex_);
  const Time now = clock_.Now();
  size_t count = 0;
  for (auto next = Earliest(); next != alarms_.end() && next->second.when <= now;
       next = Earliest()) {
    RingOne(next);
    ++count;
  }
  return count;
}

void Alarms::Run() {
  MutexLock lock(mutex_);
  while (!stopped_) {
    auto next = Earliest();
    if (next == alarms_.end()) {
      changed_.Wait(mutex_);
    } else if (Time when = next->second.when; when > clock_.Now()) {
      static_cast<void>(changed_.WaitUntil(mutex_, when));
    } else {
      RingOne(next);
    }
  }
}

void Alarms::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

}  // namespace akidb::engine
