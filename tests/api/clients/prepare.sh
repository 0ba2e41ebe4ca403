#!/usr/bin/env bash
# Gets the official clients, and the frameworks that use them, pinned, from PyPI and npm into
# build/clients.
#
#   tests/api/clients/prepare.sh python|js|python/flows|python/lint|js/flows|js/grpc
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(cd "$here/../../.." && pwd)/build/clients

# Leaves a mark when all is there, so that a second run costs nothing and needs no network.
fresh() {
  [ -f "$1/prepared" ] && cmp -s "$1/prepared" "$2"
}

# prepare_python FOLDER OPTION…: a virtual environment of its own.
prepare_python() {
  local to=$target/${1//\//_} wanted=$here/$1/requirements.txt
  fresh "$to" "$wanted" && return
  python3 -m venv --clear "$to"
  "$to/bin/pip" install -q --disable-pip-version-check "${@:2}" -r "$wanted"
  cp "$wanted" "$to/prepared"
}

prepare_js() {
  local to=$target/${1//\//_} from=$here/$1
  fresh "$to" "$from/package-lock.json" && return
  if ! command -v npm >/dev/null 2>&1; then
    echo "prepare.sh: npm not found; scripts/install_deps.sh test installs it" >&2
    exit 1
  fi
  mkdir -p "$to"
  cp "$from/package.json" "$from/package-lock.json" "$to/"
  npm ci --prefix "$to" --no-audit --no-fund --ignore-scripts --omit=peer --loglevel=error
  cp "$from/package-lock.json" "$to/prepared"
}

case ${1:-} in
  python | python/lint) prepare_python "$1" ;;
  # Whatever is needed is listed: the packages' own wishes name an embedding library, and with it a
  # second ONNX Runtime, which is only used to run models here.
  python/flows) prepare_python python/flows --no-deps ;;
  js | js/flows | js/grpc) prepare_js "$1" ;;
  *)
    echo "usage: prepare.sh python|js|python/flows|python/lint|js/flows|js/grpc" >&2
    exit 2
    ;;
esac
