// The part of a task in which its thread waits for what needs neither it nor its pool: a model, a
// load, a job. Meanwhile the pool has its place for another task.
//
// What waits can't know on whose thread it is called, and must not depend on it: a pool that lends
// places (request_pool.h) says so to each of its threads, and elsewhere a section does nothing.
#pragma once

namespace akidb {

// Whose tasks may enter sections. Thread-safe; called by a thread that runs such a task.
class PlaceLender {
 public:
  // The thread gives its place away. False: as many wait as may, and it keeps it.
  virtual bool Lend() = 0;
  // The thread is back. Waits until there is a place for it.
  virtual void TakeBack() = 0;

  // Of the tasks that the calling thread runs from here on; null: of nobody's.
  static void SetCurrent(PlaceLender* lender);

 protected:
  ~PlaceLender() = default;
};

// On the stack of one thread, outside of every lock that another needs to go on: its end waits for
// a place. One within another does nothing.
class BlockingSection {
 public:
  BlockingSection() = default;
  ~BlockingSection();
  BlockingSection(const BlockingSection&) = delete;
  BlockingSection& operator=(const BlockingSection&) = delete;

  // False: too many wait already, so that the caller has to refuse what it would wait for. Once it
  // was true, it does nothing.
  [[nodiscard]] bool Enter();

 private:
  PlaceLender* lender_ = nullptr;  // whose place has been given away
};

}  // namespace akidb
