// Why vectors that are to have a graph have none, and are searched by their codes, or one by one.
#pragma once

#include <cstdint>
#include <string_view>

namespace akidb {

// Numbers on disk: never reused, never changed.
enum class NoGraphReason : uint8_t {
  kUnknown = 0,    // an older program wrote them
  kLengths = 1,    // inner products, and more rows than may stand beside a graph are far longer
  kRange = 2,      // squared lengths exceed float32, or have no digits left in it
  kManhattan = 3,  // Manhattan's distances don't go along with Euclid's
};

// As clients see it.
constexpr std::string_view NoGraphReasonName(NoGraphReason reason) {
  switch (reason) {
    case NoGraphReason::kUnknown:
      return "unknown";
    case NoGraphReason::kLengths:
      return "lengths";
    case NoGraphReason::kRange:
      return "range";
    case NoGraphReason::kManhattan:
      return "manhattan";
  }
  return "unknown";
}

}  // namespace akidb
