#!/usr/bin/env bash
# Makes the virtual environment of the reference pipeline, pinned, in build/reference.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(cd "$here/../.." && pwd)/build/reference

# A mark when all is there, so that a second run costs nothing and needs no network.
if [ -f "$target/prepared" ] && cmp -s "$target/prepared" "$here/requirements.txt"; then
  exit 0
fi
python3 -m venv --clear "$target"
"$target/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/requirements.txt" "$target/prepared"
