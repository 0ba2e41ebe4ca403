#!/usr/bin/env python3
"""Process start to the first 200 of /readyz, and the memory that stays resident then: no model
loaded, no collection, or so many collections that nobody has asked for yet.

    bench/startup.py [--runs 20] [--collections 0] [PROGRAM]      default program: build/release/akidb

All runs have one data folder, made before. The clock starts before fork and stops at the answer's last byte.
Memory is read from /proc/PID/smaps_rollup once the server has answered.
"""

import argparse
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from measured import PROGRAM, hardware



def ready(port):
    """Seconds since the epoch of the monotonic clock when /readyz has answered."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = client.recv(4096)
    now = time.perf_counter()
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return now


def memory_kib(pid):
    fields = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            name, _, rest = line.partition(":")
            if rest.endswith(" kB\n"):
                fields[name] = int(rest.split()[0])
    return fields["Rss"], fields["Anonymous"]


def start(program, folder):
    process = subprocess.Popen([program, "serve", "--data-dir", folder, "--http-port", "0"], stdout=subprocess.PIPE)
    return process, int(process.stdout.readline().decode().rsplit(":", 1)[1])


def stop(process):
    process.terminate()
    process.wait(60)
    process.stdout.close()


def make_collections(program, folder, count):
    process, port = start(program, folder)
    client = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(count):
        body = json.dumps({"vectors": {"size": 4, "distance": "Dot"}})
        client.request("PUT", f"/collections/c{number}", body, {"content-type": "application/json"})
        answer = client.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    client.close()
    stop(process)


def run_once(program, folder):
    begin = time.perf_counter()
    process, port = start(program, folder)
    try:
        seconds = ready(port) - begin
        return seconds * 1000, *memory_kib(process.pid)
    finally:
        stop(process)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=PROGRAM)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--collections", type=int, default=0)
    options = parser.parse_args()
    print(f"hardware: {hardware()}")
    parent = tempfile.mkdtemp(prefix="akidb-startup-")
    folder = os.path.join(parent, "data")
    try:
        make_collections(options.program, folder, options.collections)
        run_once(options.program, folder)  # the program's pages come into the page cache
        times, resident, anonymous = zip(*(run_once(options.program, folder) for _ in range(options.runs)))
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    print(
        f"start to ready: median {statistics.median(times):.1f} ms, least {min(times):.1f}, most {max(times):.1f}"
        f" ({options.runs} runs)"
    )
    print(
        f"resident: median {statistics.median(resident) / 1024:.1f} MiB,"
        f" of it anonymous {statistics.median(anonymous) / 1024:.1f} MiB"
    )


if __name__ == "__main__":
    main()
