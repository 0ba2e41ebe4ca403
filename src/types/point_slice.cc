#include "types/point_slice.h"

#include <bit>

namespace akidb {
namespace {

struct SipState {
  // The constants of the paper, section 2.1, with a key of zeros.
  uint64_t v0 = 0x736f6d6570736575;
  uint64_t v1 = 0x646f72616e646f6d;
  uint64_t v2 = 0x6c7967656e657261;
  uint64_t v3 = 0x7465646279746573;

  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }
  void Take(uint64_t word) {
    v3 ^= word;
    Rounds(2);
    v0 ^= word;
  }
};

}  // namespace

uint64_t PointSliceHash(PointId id) {
  SipState state;
  uint64_t bytes = 8;
  if (id.kind() == PointId::Kind::kNumber) {
    state.Take(id.number());
  } else {
    // The halves are big-endian words; SipHash reads bytes as little-endian ones.
    state.Take(__builtin_bswap64(id.high()));
    state.Take(__builtin_bswap64(id.low()));
    bytes = 16;
  }
  state.Take(bytes << 56);
  state.v2 ^= 0xff;
  state.Rounds(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace akidb
