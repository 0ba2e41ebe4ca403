// A session without a model, whose runs do what the first id of a batch says: what a good library
// does, and what bad ones do.
#pragma once

#include <cstddef>
#include <cstdint>

namespace akidb::embedding {

// Ids of a batch's first token. Others are echoed.
enum class BadRun : int64_t {
  kAbort = -1,
  kSegfault = -2,
  kThrow = -3,
  kTakeAllMemory = -4,   // what its allocator can't bear
  kExit = -5,            // with the code 9
  kCloseLanes = -6,      // and go on
  kHang = -7,            // until it is cancelled
  kHangForever = -8,     // even then
  kGiveTooLittle = -9,   // fewer numbers than a batch has
  kGiveTooMuch = -10,    // more
  kWriteGarbage = -11,   // to every socket; the second id is the seed
  kFail = -12,           // with the ErrorCode that is the second id
  kReportAnother = -13,  // says that another run has ended
  kStopItself = -14,     // by SIGSTOP
  kLeaveMemory = -15,    // 64 MiB that are free, in small blocks below one that is not
};

// What an echo gives for a token: numbers that differ by its id, its place and the column.
inline float EchoOf(int64_t id, size_t item_or_token, size_t column) {
  return static_cast<float>(id) + static_cast<float>(item_or_token % 1000) / 1024 +
         static_cast<float>(column) * 0.125F;
}

// That a session says it takes, and one more with each run.
inline constexpr uint64_t kEchoBytes = 1'000;

// Models that go wrong before the first run.
inline constexpr const char* kDiesWhenMade = "dies-when-made";
inline constexpr const char* kHangsWhenMade = "hangs-when-made";
inline constexpr const char* kIsRefused = "is-refused";
inline constexpr const char* kBabblesWhenMade = "babbles-when-made";
inline constexpr const char* kEchoes = "echoes";

}  // namespace akidb::embedding
