#!/usr/bin/env bash
# Gets ONNX Runtime's official C header into build/ort_headers, for onnx_runtime_slots_test.cc: a
# build that is configured afterwards checks our list of slots against it. Needs npm (150 MB).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
target=$root/build/ort_headers
header_sha256=acc0cf4b3f28d39339c76770d76164bb7a0637dc89f5fde764b4017b632f6743
check() { echo "$header_sha256  $target/onnxruntime_c_api.h" | sha256sum --check --quiet; }

if [ -f "$target/onnxruntime_c_api.h" ]; then
  check
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && npm pack --silent com.github.asus4.onnxruntime@0.4.9 >/dev/null)
tar -xzf "$scratch"/*.tgz -C "$scratch" package/Plugins/Android/onnxruntime.aar
python3 -m zipfile -e "$scratch/package/Plugins/Android/onnxruntime.aar" "$scratch/aar"
mkdir -p "$target"
cp "$scratch"/aar/headers/* "$target/"
check
