#!/usr/bin/env bash
# Builds embed_texts, makes the reference environment and compares: one command.
#
#   bench/embedding/compare.sh [rounds] [passages]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${AKIDB_BUILD_DIR:-$root/build/release}
[ -f "$build/build.ninja" ] || cmake --preset release -S "$root" -B "$build"
cmake --build "$build" --target embed_texts
"$root/tests/embedding/prepare.sh"
PYTHONDONTWRITEBYTECODE=1 "$root/build/reference/bin/python" "$root/bench/embedding/compare.py" \
  "$build/bench/embedding/embed_texts" "$@"
