// AKIDB_CHECK: invariants of our own code, always on. Never for input of users or files.
#pragma once

namespace akidb {

// Prints "file:line: check failed: text" to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* text);

}  // namespace akidb

#define AKIDB_CHECK(condition)                              \
  do {                                                      \
    if (!(condition)) [[unlikely]]                          \
      ::akidb::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
