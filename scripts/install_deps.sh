#!/usr/bin/env bash
# Installs the system packages that AkiDB is built, tested and shown with. Debian 12, Ubuntu 22.04 and
# 24.04; x86-64 and arm64. Needs root or sudo, but only when something is missing.
#
#   scripts/install_deps.sh [build|demo|test|deep|arm]   default: build
#     build   compiler, tools and libraries
#     demo    build + what the demo loads and fetches with
#     test    demo + what the tests run clients with
#     deep    test + what power cuts on real file systems are made with
#     arm     build + the cross compiler and the emulator of scripts/test_arm.sh
set -euo pipefail

level=${1:-build}
case $level in build | demo | test | deep | arm) ;; *)
  echo "usage: install_deps.sh [build|demo|test|deep|arm]" >&2
  exit 2
  ;;
esac

if ! command -v apt-get >/dev/null 2>&1; then
  echo "install_deps.sh: apt-get not found: this script knows Debian and Ubuntu." >&2
  echo "Install the packages listed in docs/DEPENDENCIES.md by hand, then run cmake --preset release." >&2
  exit 1
fi

# libcurl4-openssl-dev brings the shared library too, which the program loads at run time and whose
# own package is named differently on each release.
packages=(
  g++ cmake ninja-build ccache git pkg-config ca-certificates
  libsqlite3-dev libsimdjson-dev libroaring-dev libicu-dev libstemmer-dev libcurl4-openssl-dev libssl-dev
  libzstd-dev zlib1g-dev libcli11-dev libtomlplusplus-dev libfmt-dev libspdlog-dev
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
  libgtest-dev libgmock-dev libbenchmark-dev libgumbo-dev libcmark-dev liburing-dev
  python3 python3-pip
)
case $level in
  demo) packages+=(poppler-utils debian-handbook curl) ;;
  test | deep) packages+=(poppler-utils debian-handbook curl openssl python3-venv) ;;
  arm) packages+=(g++-aarch64-linux-gnu qemu-user) ;;
esac

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
  local package
  for package in "$@"; do
    installed "$package" || printf '%s\n' "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    echo "install_deps.sh: run as root or install sudo; missing packages: ${wanted[*]}" >&2
    exit 1
  fi
}

# Boost: 1.74 of Debian 12's libboost-dev does not compile as C++20 with coroutines, so 1.81 there;
# Ubuntu 24.04 has 1.83 under the plain name.
boost_packages() {
  if apt-cache show libboost1.81-dev >/dev/null 2>&1; then
    echo libboost1.81-dev
  else
    echo libboost-dev
  fi
}

# Where a release lacks one of these, the tests that want it are skipped, and say so.
[ "$level" != deep ] || packages+=(nbdkit nbdkit-plugin-python libnbd-bin xfsprogs)

mapfile -t wanted < <(missing "${packages[@]}")
installed libboost1.81-dev || installed libboost-dev || wanted+=(boost)
# Optional: a faster linker, where the release has it.
installed mold || wanted+=(mold)
# For the test of the formatting; Ubuntu 22.04 lacks this version and leaves the test out.
[ "$level" != test ] && [ "$level" != deep ] || installed clang-format-16 || wanted+=(clang-format-16)
# The JavaScript client needs Node.js 18 or newer; any installation of it will do.
if [ "$level" = test ] || [ "$level" = deep ]; then
  node_major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
  { [ "${node_major:-0}" -ge 18 ] && command -v npm >/dev/null 2>&1; } || wanted+=(nodejs npm)
fi

[ ${#wanted[@]} -gt 0 ] || exit 0
echo "installing ${#wanted[@]} packages: ${wanted[*]}"
as_root apt-get update -qq
final=()
for package in "${wanted[@]}"; do
  case $package in
    boost) final+=("$(boost_packages)") ;;
    mold | clang-format-16 | nbdkit* | libnbd-bin) ! apt-cache show "$package" >/dev/null 2>&1 || final+=("$package") ;;
    *) final+=("$package") ;;
  esac
done
[ ${#final[@]} -gt 0 ] || exit 0
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  "${final[@]}" >/dev/null
