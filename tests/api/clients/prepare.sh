#!/usr/bin/env bash
# Gets the official clients, pinned, from PyPI and npm into build/clients.
#
#   tests/api/clients/prepare.sh python|js
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(cd "$here/../../.." && pwd)/build/clients

# Leaves a mark when all is there, so that a second run costs nothing and needs no network.
fresh() {
  [ -f "$1/prepared" ] && cmp -s "$1/prepared" "$2"
}

case ${1:-} in
  python)
    fresh "$target/python" "$here/python/requirements.txt" && exit 0
    python3 -m venv --clear "$target/python"
    "$target/python/bin/pip" install -q --disable-pip-version-check -r "$here/python/requirements.txt"
    cp "$here/python/requirements.txt" "$target/python/prepared"
    ;;
  js)
    fresh "$target/js" "$here/js/package-lock.json" && exit 0
    if ! command -v npm >/dev/null 2>&1; then
      echo "prepare.sh: npm not found; scripts/install_deps.sh test installs it" >&2
      exit 1
    fi
    mkdir -p "$target/js"
    cp "$here/js/package.json" "$here/js/package-lock.json" "$target/js/"
    npm ci --prefix "$target/js" --no-audit --no-fund --ignore-scripts --omit=peer --loglevel=error
    cp "$here/js/package-lock.json" "$target/js/prepared"
    ;;
  *)
    echo "usage: prepare.sh python|js" >&2
    exit 2
    ;;
esac
