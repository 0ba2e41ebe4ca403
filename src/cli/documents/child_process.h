// Runs a program without a shell and collects what it prints. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace akidb::cli {

struct ChildProcess {
  std::vector<std::string> arguments;  // the program's name, looked up in PATH, then its arguments
  size_t output_bytes_max = 0;
  std::chrono::seconds time_max{600};
  // Called with each part of the output as it comes.
  std::function<void(std::string_view)> on_output = {};
  // Asked ten times a second; once it says true the child gets SIGTERM, and its end is waited for.
  // Where it is given the child has a process group of its own, which gets the signals.
  std::function<bool()> stop = {};
};

struct ChildOutput {
  int exit_code = 0;  // 128 + signal when a signal ended it
  std::string output;
  std::string error_text;  // its last 4 KiB
};

// kNotFound: no such program; kTooLarge: more output than allowed; kDeadlineExceeded; kIo. In each
// case the child is ended and reaped.
Result<ChildOutput> RunChildProcess(const ChildProcess& child);

}  // namespace akidb::cli
