#!/usr/bin/env bash
# Installs what is missing, builds, runs every test. From a clean clone on a fresh machine.
#
#   scripts/test.sh          everything that CI runs
#   scripts/test.sh --deep   also: long crash and differential runs, address, undefined and thread
#                            sanitizers
#   scripts/test.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

deep=
case ${1:-} in
  '') ;;
  --deep) deep=1 ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    [ "${1:-}" = --help ] && exit 0 || exit 2
    ;;
esac

jobs=$(nproc)
if [ -n "$deep" ]; then scripts/install_deps.sh deep; else scripts/install_deps.sh test; fi

mkdir -p build

build() {
  cmake --preset "$1" >"build/configure_$1.log" || { cat "build/configure_$1.log"; exit 1; }
  cmake --build --preset "$1" -j "$jobs"
}

build release
# The default model into build/models, ONNX Runtime into build/lib; nothing when both are there.
build/release/akidb models pull
# A tokenizer of another kind, for comparisons.
tests/tokenizer/fetch.sh

run_tests() {
  ctest --preset "$1" -j "$jobs" --no-tests=error "${@:2}"
}

if [ -z "$deep" ]; then
  run_tests release
  scripts/test_arm.sh
  exit 0
fi

AKIDB_DEEP=1 run_tests release
# A million crash states, 50,000 failing operations, ten minutes for each decoder.
wal=build/release/src/storage/wal/storage_wal_test
engine=build/release/src/engine/engine_test
AKIDB_CRASH_SEEDS=100 AKIDB_CRASH_LIVES=310 "$wal" --gtest_filter='LogCrash.KeepsAn*'
AKIDB_CRASH_SEEDS=60 AKIDB_CRASH_LIVES=1 "$engine" --gtest_filter='CollectionCrash.Keeps*:CollectionCrash.Interval*'
AKIDB_CRASH_LIVES=190 "$wal" --gtest_filter='LogFaultTest.AnyFail*'
AKIDB_CRASH_SEEDS=12 AKIDB_CRASH_LIVES=1 "$engine" --gtest_filter='*Crash.Failing*'
AKIDB_FUZZ_SECONDS=600 run_tests release -R '^fuzz:decoders$'
scripts/test_arm.sh
# What a sanitizer finds shows in the short programmes; the long ones have run above. Only the fuzzers
# of HTTP and gRPC run for ten minutes here: without a sanitizer they see little.
for sanitizer in asan tsan; do
  build "$sanitizer"
  AKIDB_FUZZ_SECONDS=600 run_tests "$sanitizer"
done
