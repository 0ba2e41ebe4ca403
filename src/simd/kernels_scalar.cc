#include "simd/float_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// Plain C++ on one component at a time: for processors without any of the other tables, and the
// reference that the others are compared with.
struct ScalarLane {
  using Reg = float;
  static constexpr size_t kWidth = 1;
  static constexpr size_t kListRows = 2;
  static constexpr size_t kManyQueries = 2;

  static Reg Zero() { return 0; }
  static Reg Load(const float* from) { return *from; }
  static Reg LoadPart(const float* from, size_t) { return *from; }
  static Reg Add(Reg a, Reg b) { return a + b; }
  static Reg Subtract(Reg a, Reg b) { return a - b; }
  static Reg Absolute(Reg a) { return __builtin_fabsf(a); }
  static Reg MultiplyAdd(Reg a, Reg b, Reg sum) { return a * b + sum; }
  static float Sum(Reg a) { return a; }
};

}  // namespace

constinit const Kernels kScalarKernels = MakeKernels<ScalarLane>("scalar");

}  // namespace akidb::simd
