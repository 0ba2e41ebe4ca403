// Compiled with -march=armv8.2-a+dotprod; called only where the processor has it.
#include "simd/code_neondot_lane.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

struct NeonDotLane : CodeNeonDotLane<NeonDotLane> {};

}  // namespace

constinit const CodeKernels kNeonDotCodeKernels = MakeCodeKernels<NeonDotLane>({"neondot", "neon"});

}  // namespace akidb::simd
