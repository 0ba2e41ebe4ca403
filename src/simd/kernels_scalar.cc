#include <bit>

#include "simd/float_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

constexpr uint32_t kSign = 0x80000000;
constexpr uint32_t kInfinity = 0x7f800000;

// A half's exponent and fraction, put where those of a float stand, are 2^112 times too small, its
// subnormal numbers among them.
float FloatOf(uint16_t half) {
  const uint32_t sign = (half & uint32_t{0x8000}) << 16;
  const uint32_t placed = (half & uint32_t{0x7fff}) << 13;
  const float value = std::bit_cast<float>(placed) * 0x1p112f;
  const bool finite = placed < uint32_t{0x7c00} << 13;
  const uint32_t magnitude = finite ? std::bit_cast<uint32_t>(value) : placed | kInfinity;
  return std::bit_cast<float>(sign | magnitude);
}

uint16_t HalfOf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits & kSign) >> 16);
  const uint32_t magnitude = bits & ~kSign;
  const auto size = std::bit_cast<float>(magnitude);
  uint32_t half = 0x7e00;  // not a number
  if (size >= kHalfLimit) {
    half = 0x7c00;
  } else if (size < 0x1p-14f) {
    // The last place of 0.5 is that of a subnormal half: the addition rounds.
    half = std::bit_cast<uint32_t>(size + 0.5f) - std::bit_cast<uint32_t>(0.5f);
  } else if (magnitude < kInfinity) {
    const uint32_t odd = (magnitude >> 13) & 1;
    half = ((magnitude + 0xfff + odd) >> 13) - (uint32_t{112} << 10);
  }
  return static_cast<uint16_t>(sign | half);
}

// Plain C++ on one component at a time: for processors without any of the other tables, and the
// reference that the others are compared with.
struct ScalarLane {
  using Reg = float;
  static constexpr size_t kWidth = 1;
  static constexpr size_t kListRows = 2;
  static constexpr size_t kManyQueries = 2;

  static Reg Zero() { return 0; }
  static Reg Load(const float* from) { return *from; }
  static Reg LoadOfStream(const float* from) { return Load(from); }
  static Reg LoadPart(const float* from, size_t) { return *from; }
  static Reg LoadHalves(const uint16_t* from) { return FloatOf(*from); }
  static Reg LoadBytes(const uint8_t* from) { return *from; }
  static void Store(float* to, Reg a) { *to = a; }
  static void StoreHalves(uint16_t* to, Reg a) { *to = HalfOf(a); }
  static Reg Add(Reg a, Reg b) { return a + b; }
  static Reg Subtract(Reg a, Reg b) { return a - b; }
  static Reg Absolute(Reg a) { return __builtin_fabsf(a); }
  static Reg MultiplyAdd(Reg a, Reg b, Reg sum) { return a * b + sum; }
  static float Sum(Reg a) { return a; }
};

}  // namespace

constinit const Kernels kScalarKernels = MakeKernels<ScalarLane>("scalar");

}  // namespace akidb::simd
