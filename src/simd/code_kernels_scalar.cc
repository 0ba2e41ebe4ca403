#include "simd/code_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// Plain C++: for processors without any of the other tables, and the reference that the others are
// compared with.
struct ScalarLane {
  using Part = const int8_t*;
  using Sum = int32_t;
  static constexpr size_t kTile = 1;
  static constexpr size_t kBlock = 1;
  static constexpr size_t kMany = 1;

  static Sum Zero() { return 0; }
  static Part Load(const int8_t* from) { return from; }
  static Sum AddU7(Sum sum, Part query, const std::byte* codes) {
    for (size_t i = 0; i < 64; ++i) sum += query[i] * static_cast<int32_t>(codes[i]);
    return sum;
  }
  static Sum AddU4(Sum sum, Part low, Part high, const std::byte* codes) {
    return AddNibbles<64>(sum, low, high, codes);
  }
  static Sum AddHalfU4(Sum sum, Part query, const std::byte* codes) {
    return AddNibbles<32>(sum, query, query + 32, codes);
  }
  static Sum AddU1(Sum sum, const int8_t* planes, const std::byte* codes) {
    return AddPartU1(sum, planes, codes, kCodeChunk);
  }
  static Sum AddPartU1(Sum sum, const int8_t* planes, const std::byte* codes, size_t bytes) {
    for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
      const uint64_t word = WordAt(codes + at);
      const int8_t* plane = planes + at;
      sum += CountBoth(word, plane) + 2 * CountBoth(word, plane + kCodeChunk) +
             4 * CountBoth(word, plane + 2 * kCodeChunk) -
             8 * CountBoth(word, plane + 3 * kCodeChunk);
    }
    return sum;
  }
  static int32_t Total(Sum sum) { return sum; }

 private:
  static uint64_t WordAt(const void* from) {
    uint64_t word;
    __builtin_memcpy(&word, from, sizeof(word));
    return word;
  }
  static int32_t CountBoth(uint64_t word, const int8_t* plane) {
    return __builtin_popcountll(word & WordAt(plane));
  }
  template <size_t kBytes>
  static Sum AddNibbles(Sum sum, Part low, Part high, const std::byte* codes) {
    for (size_t i = 0; i < kBytes; ++i) {
      const int32_t both = static_cast<int32_t>(codes[i]);
      sum += low[i] * (both & 15) + high[i] * (both >> 4);
    }
    return sum;
  }
};

}  // namespace

constinit const CodeKernels kScalarCodeKernels = MakeCodeKernels<ScalarLane>({"scalar", "scalar"});

}  // namespace akidb::simd
