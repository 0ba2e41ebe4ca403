#!/usr/bin/env bash
# A manual in, answers out. Installs what is missing, builds, fetches the model, starts a server on a
# free port, loads The Debian Administrator's Handbook and asks five questions about it.
#
#   scripts/demo.sh [--keep] [--multilingual] [QUESTION…]   asks the given questions, too
#     --multilingual   asks in German, French, Spanish and Chinese, by multilingual-e5-small
#     --keep   leaves the server running and prints how to talk to it
#
# What it makes lies in build/; a second run reuses all of it.
set -euo pipefail
cd "$(dirname "$0")/.."

handbook=/usr/share/doc/debian-handbook/html/en-US
akidb=build/release/akidb
demo=build/demo
collection=handbook
model=all-minilm-l6-v2
questions=(
  "How do I find which package a file belongs to?"
  "How can I upgrade from one stable release to the next?"
  "Which RAID level survives the failure of two disks?"
  "How do I run a command every night?"
  "What should I do when a machine has been compromised?"
)

keep=
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=1 ;;
    --multilingual)
      model=multilingual-e5-small
      collection=handbook_multilingual
      questions=(
        "How do I find which package a file belongs to?"
        "Wie kann ich ein Programm jede Nacht automatisch ausführen lassen?"
        "Comment limiter l'espace disque de chaque utilisateur ?"
        "¿Qué debo hacer si mi máquina ha sido atacada por un intruso?"
        "怎样限制每个用户的磁盘空间？"
      )
      ;;
    --help | -h)
      sed -n '2,9s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    --)
      shift
      break
      ;;
    -*)
      echo "demo.sh: unknown option $1; see demo.sh --help" >&2
      exit 2
      ;;
    *) break ;;
  esac
  shift
done
questions+=("$@")

server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  server=
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT
trap 'cleanup; exit 143' TERM

say() { printf '== %s\n' "$*"; }

# Runs a long command: its output is shown on a terminal, else kept for the case that it fails.
logged() {
  local log=$demo/$1.log
  shift
  if [ -t 1 ]; then
    "$@"
  elif ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "demo.sh: failed: $*; the whole log is $log" >&2
    return 1
  fi
}

mkdir -p "$demo"
scripts/install_deps.sh demo

if [ ! -f build/release/build.ninja ]; then
  say "configuring"
  logged configure cmake --preset release
fi
[ -x "$akidb" ] || say "building (some minutes, once)"
logged build cmake --build --preset release --target akidb -j "$(nproc)"

say "model"
"$akidb" models pull "$model"

# Data of the same program and the same handbook are used again.
fingerprint=$({
  sha256sum <"$akidb"
  dpkg-query -W -f '${Version}\n' debian-handbook 2>/dev/null || ls -l "$handbook"
} | sha256sum)
if [ "$(cat "$demo/fingerprint" 2>/dev/null)" != "$fingerprint" ]; then
  rm -rf "$demo/data"
  printf '%s\n' "$fingerprint" >"$demo/fingerprint"
fi

say "server"
: >"$demo/server.out"
# In a session of its own: Ctrl-C is for this script, which then stops the server.
setsid "$akidb" serve --data-dir "$demo/data" --http-port 0 \
  >"$demo/server.out" 2>"$demo/server.log" </dev/null &
server=$!
url=
for _ in $(seq 600); do
  url=$(sed -n 's/^listening //p' "$demo/server.out")
  [ -z "$url" ] || break
  if ! kill -0 "$server" 2>/dev/null; then
    cat "$demo/server.log" >&2
    echo "demo.sh: the server did not start" >&2
    exit 1
  fi
  sleep 0.05
done
[ -n "$url" ] || { echo "demo.sh: the server does not listen" >&2; exit 1; }
echo "$url, data in $demo/data"

# Sends only what is not there yet.
say "loading The Debian Administrator's Handbook"
"$akidb" ingest "$handbook" --collection "$collection" --model "$model" --url "$url"

for question in "${questions[@]}"; do
  printf '\n'
  say "$question"
  "$akidb" search "$question" --collection "$collection" --model "$model" --limit 3 --url "$url"
done

if [ -n "$keep" ]; then
  cat <<EOF

The server goes on; stop it with: kill $server
  curl $url/collections/$collection
  curl -s $url/collections/$collection/points/query -H 'content-type: application/json' \\
    -d '{"query": {"text": "How do I add a user?", "model": "$model"}, "limit": 3, "with_payload": true}'
  curl -s $url/v1/embeddings -H 'content-type: application/json' -d '{"input": "a text", "model": "$model"}'
  $akidb search "How do I add a user?" --collection $collection --model $model --url $url
EOF
  server=
fi
