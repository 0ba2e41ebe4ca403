// How far a long command has come: a bar that is redrawn in place on a terminal, else a plain line
// now and then, without control characters. On standard error. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/mutex.h"

namespace akidb::cli {

struct ProgressCount {
  uint64_t done = 0;
  uint64_t total = 0;  // 0 while nothing is known
  bool total_is_exact = false;
};

class Progress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `unit` in the plural: "passages".
  Progress(std::string unit, bool quiet, Time start);
  // Clears the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws unless it has just drawn.
  void Show(const ProgressCount& count, Time now) AKIDB_EXCLUDES(mutex_);
  // Prints a line above the bar.
  void PrintLine(const std::string& line) AKIDB_EXCLUDES(mutex_);

 private:
  const std::string unit_;
  const bool quiet_;
  const bool terminal_;
  const Time start_;
  Mutex mutex_;
  Time drawn_ AKIDB_GUARDED_BY(mutex_);
  bool on_screen_ AKIDB_GUARDED_BY(mutex_) = false;
};

// The text of the bar in exactly `width` columns or fewer; `seconds` since the start.
struct BarStyle {
  size_t width = 80;
  bool utf8 = false;
  bool colour = false;
};
std::string DrawBar(const ProgressCount& count, const std::string& unit, double seconds,
                    const BarStyle& style);
// The same without a bar: "412 of about 1916 passages, 58/s, 26 s left".
std::string ProgressText(const ProgressCount& count, const std::string& unit, double seconds);

// "26 s", "3 min 05 s", "2 h 10 min".
std::string DurationText(double seconds);

}  // namespace akidb::cli
