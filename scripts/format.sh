#!/usr/bin/env bash
# Formats every C++ file of the tree by .clang-format.
#
#   scripts/format.sh           writes
#   scripts/format.sh --check   writes nothing, prints the files that differ; exit code 1 if any does
#
# Takes clang-format-16 (the version that the tests use), else clang-format.
set -euo pipefail
cd "$(dirname "$0")/.."

check=
case ${1:-} in
  '') ;;
  --check) check=1 ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    [ "$1" = --help ] && exit 0 || exit 2
    ;;
esac

formatter=$(command -v clang-format-16 || command -v clang-format || true)
if [ -z "$formatter" ]; then
  echo "format.sh: clang-format-16 not found; scripts/install_deps.sh test installs it" >&2
  exit 1
fi

files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h'
  else
    find src tests bench fuzz \( -name '*.cc' -o -name '*.h' \) -print0 2>/dev/null || true
  fi
}

# Files that git still lists but that are gone are passed over.
present() {
  local file
  while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || printf '%s\0' "$file"
  done
}

if [ -z "$check" ]; then
  files | present | xargs -0 -r -n 32 -P "$(nproc)" "$formatter" -i --style=file
  exit 0
fi

differing=$(files | present | xargs -0 -r -n 32 -P "$(nproc)" "$formatter" --dry-run --style=file 2>&1 |
  sed -n 's/^\(.*\):[0-9]*:[0-9]*: warning: code should be clang-formatted.*/\1/p' | sort -u)
if [ -n "$differing" ]; then
  printf '%s\n' "$differing"
  echo "format.sh: these files differ from .clang-format; scripts/format.sh mends them" >&2
  exit 1
fi
