// The tables of this build, for the files of this module. Which of them exist depends on the
// processor family that is compiled for; CMakeLists.txt chooses the files.
#pragma once

#include "simd/code_kernels.h"
#include "simd/kernels.h"

namespace akidb::simd {

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;    // x86-64: AVX2, FMA and F16C
extern const Kernels kAvx512Kernels;  // x86-64: AVX-512 F
extern const Kernels kNeonKernels;    // aarch64, where every processor has it

extern const CodeKernels kScalarCodeKernels;
extern const CodeKernels kAvx2CodeKernels;          // x86-64: AVX2
extern const CodeKernels kAvx512VnniCodeKernels;    // x86-64: AVX-512 F, BW, VL and VNNI
extern const CodeKernels kAvx512BitalgCodeKernels;  // x86-64: the same and BITALG
extern const CodeKernels kNeonCodeKernels;          // aarch64, where every processor has it
extern const CodeKernels kNeonDotCodeKernels;       // aarch64: dot products of bytes (ASIMDDP)
extern const CodeKernels kNeonI8mmCodeKernels;      // aarch64: products of matrices, too (I8MM)
extern const CodeKernels kSveCodeKernels;           // aarch64: SVE, and so SVE2

}  // namespace akidb::simd
