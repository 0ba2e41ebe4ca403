#!/usr/bin/env bash
# Requests a second of `GET /`: 32 connections with keep-alive, no pipelining, the server on one core
# and the client on another. Needs wrk (package wrk).
#
#   bench/http_throughput.sh [PROGRAM]   default: build/release/akidb
#   SECONDS_EACH=10 RUNS=5 PATH_ASKED=/   in the environment
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
program=${1:-$root/build/release/akidb}
seconds=${SECONDS_EACH:-10}
runs=${RUNS:-5}
path=${PATH_ASKED:-/}

command -v wrk >/dev/null || { echo "http_throughput.sh: wrk not found (apt-get install wrk)" >&2; exit 1; }
work=$(mktemp -d)
touch "$work/out"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; wait; rm -rf "$work"' EXIT

taskset -c 0 "$program" serve --data-dir "$work/data" --http-port 0 >"$work/out" &
server=$!
until grep -q listening "$work/out"; do
  kill -0 "$server" || exit 1
  sleep 0.01
done
url=$(sed 's/listening //' "$work/out")$path

echo "hardware: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo "response: $(curl -si "$url" | wc -c) bytes with its header"
for run in $(seq "$runs"); do
  rate=$(taskset -c 1 wrk -t1 -c32 -d"${seconds}s" "$url" | sed -n 's/^Requests\/sec: *//p')
  echo "run $run: $rate requests/s"
  echo "$rate" >>"$work/rates"
done
sort -n "$work/rates" | awk '{ r[NR] = $1 } END { print "median " r[int((NR + 1) / 2)] ", least " r[1] ", most " r[NR] " requests/s" }'
