#!/usr/bin/env bash
# Builds the kernels and what they stand on for arm64 and runs their tests, under qemu on another
# processor. Installs the cross compiler and qemu when they are missing.
#
#   scripts/test_arm.sh
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/arm64
mkdir -p "$build"
if [ "$(uname -m)" = aarch64 ]; then
  compiler=g++
  run=()
  left_out=
else
  scripts/install_deps.sh arm
  compiler=aarch64-linux-gnu-g++
  run=(qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu max)
  left_out='-*DeathTest*' # they start the program anew, which the kernel then refuses
fi

googletest=/usr/src/googletest
flags=(-std=c++20 -O2 -g1 -march=armv8-a+crc -ffp-contract=off -Wall -Wextra -Werror -Wno-psabi -Wno-dangling-else
  -Isrc -isystem "$googletest/googletest/include" -isystem "$build/include")
# fmt and spdlog are headers alone and the same for every processor, but the cross compiler must not
# see the rest of the system's.
mkdir -p "$build/include"
for headers in fmt spdlog; do ln -sfn "/usr/include/$headers" "$build/include/$headers"; done

sources=(src/base/*.cc src/simd/kernels.cc src/simd/kernels_scalar.cc src/simd/kernels_neon.cc
  src/simd/code_kernels.cc src/simd/code_kernels_scalar.cc src/simd/code_kernels_neon.cc
  src/simd/code_kernels_neondot.cc src/simd/code_kernels_neoni8mm.cc src/simd/code_kernels_sve.cc
  src/simd/available_arm.cc src/simd/vector_ops.cc src/simd/*_test.cc)
cache=()
if command -v ccache >/dev/null 2>&1; then cache=(ccache); fi
compile() { "${cache[@]}" "$compiler" "${flags[@]}" "$@"; }
# In the background, one a core.
compile_soon() {
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
  compile "$@" &
}
newest_header=$(ls -t src/base/*.h src/simd/*.h | head -n 1)
objects=()
for source in "${sources[@]}"; do
  isa=()
  case $source in
    *_bench.cc | src/base/sha256*) continue ;; # OpenSSL's headers differ by processor
    *_neondot.cc) isa=(-march=armv8.2-a+dotprod) ;;
    *_neoni8mm.cc) isa=(-march=armv8.2-a+dotprod+i8mm) ;;
    *_sve.cc) isa=(-march=armv8.2-a+sve) ;;
  esac
  object=$build/$(echo "$source" | tr / _).o
  objects+=("$object")
  if [ "$source" -nt "$object" ] || [ "$newest_header" -nt "$object" ]; then
    echo "$compiler $source"
    rm -f "$object" # linking fails where it is not made anew
    compile_soon "${isa[@]}" -DSPDLOG_FMT_EXTERNAL -DFMT_HEADER_ONLY -c "$source" -o "$object"
  fi
done
for part in gtest-all gtest_main; do
  [ -e "$build/$part.o" ] ||
    compile_soon -I"$googletest/googletest" -c "$googletest/googletest/src/$part.cc" -o "$build/$part.o"
done
while [ -n "$(jobs -p)" ]; do wait -n; done
"$compiler" -pthread "${objects[@]}" "$build/gtest-all.o" "$build/gtest_main.o" -o "$build/arm_test"
"${run[@]}" "$build/arm_test" --gtest_brief=1 --gtest_filter="*$left_out"

# Registers of SVE have the length that the processor gives them. A cortex-a53 has neither SVE nor
# any product of bytes.
if [ "${#run[@]}" -gt 0 ]; then
  filter=EveryCodeTable.EqualsTheNaiveSum*:EveryCodeTable.Many*:EveryCodeTable.Counts*
  for processor in max,sve-default-vector-length={16,32,128,256} cortex-a53; do
    echo "$processor"
    "${run[@]}" -cpu "$processor" "$build/arm_test" --gtest_brief=1 --gtest_filter="$filter"
  done
fi
