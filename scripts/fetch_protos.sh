#!/usr/bin/env bash
# Fetches the dialect's gRPC messages and services, which the build compiles (docs/DEPENDENCIES.md).
# Configuring runs it once; run it beforehand for a build without a network.
#
#   scripts/fetch_protos.sh [folder]   default: build/packages
set -euo pipefail

folder=${1:-$(cd "$(dirname "$0")/.." && pwd)/build/packages}
wheel=qdrant_client-1.20.0-py3-none-any.whl
wheel_sha256=0ab261197a497d16f3bf8a663c22e994f485c9fd7212d3c8b07c1a9de32fc152
check() { echo "$wheel_sha256  $1" | sha256sum --check --quiet; }

if [ -f "$folder/$wheel" ]; then
  check "$folder/$wheel"
  exit 0
fi
mkdir -p "$folder"
scratch=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$scratch" qdrant-client==1.20.0
check "$scratch/$wheel"
mv "$scratch/$wheel" "$folder/$wheel"
