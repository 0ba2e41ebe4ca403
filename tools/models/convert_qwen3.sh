#!/usr/bin/env bash
# Runs convert_qwen3.py with the arguments behind TOOLS_DIR, where it puts the Python packages that it
# needs (250 MB) unless they are there.
#
#   tools/models/convert_qwen3.sh TOOLS_DIR FOLDER OUT [OPTIONS]     convert_qwen3.py --help tells them
#
# Needs Python 3.11 or newer, with venv and pip. `akidb models convert` runs it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=$1
shift

pinned=$here/convert_requirements.txt
if ! cmp -s "$tools/prepared" "$pinned"; then
  echo "installing the converter's Python packages"
  python3 -m venv --clear "$tools" && "$tools/bin/pip" install -q --disable-pip-version-check -r "$pinned"
  cp "$pinned" "$tools/prepared"
fi
PYTHONDONTWRITEBYTECODE=1 exec "$tools/bin/python" "$here/convert_qwen3.py" "$@"
