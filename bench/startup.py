#!/usr/bin/env python3
"""Process start to the first 200 of /readyz, and the memory that stays resident then: no model loaded,
no collection, or so many collections that nobody has asked for yet; then how long looking at these in
the background took. With --killed it recovers each of them, which a SIGKILL has left open with one
point more (AKIDB_RECOVERY_THREADS says how many at a time). With --open, what an empty collection
takes of memory and disk once somebody has asked for it.

    bench/startup.py [--runs 20] [--collections 0] [--open] [--killed] [PROGRAM]

The program is build/release/akidb where none is named. All runs have one data folder, made before. The
clock starts before fork and stops at the answer's last byte. Memory is read from
/proc/PID/smaps_rollup once the server has answered.
"""

import argparse
import glob
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


def recovered(process, port):
    """Milliseconds that the walk over all collections took, and of processor time of its threads."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    try:
        while True:
            client.request("GET", "/akidb/status")
            recovery = json.loads(client.getresponse().read())["result"]["recovery"]
            if recovery["phase"] == "done":
                break
            time.sleep(0.02)
    finally:
        client.close()
    processor = 0
    for task in glob.glob(f"/proc/{process.pid}/task/*"):
        with open(task + "/comm", encoding="ascii") as name, open(task + "/schedstat", encoding="ascii") as times:
            if name.read().startswith("recovery"):
                processor += int(times.read().split()[0])
    return recovery["seconds"] * 1e3, processor / 1e6


def leave_open(program, folder, count):
    """A point into each, one on top of those before, and no time to close the logs."""
    process, port = start(program, folder)
    client = http.client.HTTPConnection("127.0.0.1", port)
    point = {"id": time.time_ns(), "vector": [1, 2, 3, 4]}
    for number in range(count):
        body = json.dumps({"points": [point]})
        client.request("PUT", f"/collections/c{number}/points", body, {"content-type": "application/json"})
        answer = client.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    client.close()
    process.kill()
    process.wait(60)
    process.stdout.close()


def run_once(program, folder, killed=0):
    if killed:
        leave_open(program, folder, killed)
    begin = time.perf_counter()
    process, port = start(program, folder)
    try:
        seconds = ready(port) - begin
        return seconds * 1000, *memory_kib(process.pid), *recovered(process, port)
    finally:
        stop(process)


def disk_bytes(folder):
    return sum(os.lstat(os.path.join(at, name)).st_blocks * 512
               for at, folders, files in os.walk(folder) for name in folders + files)


def open_all(program, folder, count):
    """Seconds, and bytes of anonymous memory and of the disk, for each collection that is asked for its points."""
    process, port = start(program, folder)
    try:
        client = http.client.HTTPConnection("127.0.0.1", port)
        before = memory_kib(process.pid)[1]
        begin = time.perf_counter()
        for number in range(count):
            client.request("POST", f"/collections/c{number}/points/count", "{}", {"content-type": "application/json"})
            answer = client.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
        seconds = time.perf_counter() - begin
        return seconds / count, (memory_kib(process.pid)[1] - before) * 1024 / count, disk_bytes(folder) / count
    finally:
        stop(process)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=PROGRAM)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--collections", type=int, default=0)
    parser.add_argument("--killed", action="store_true", help="have each collection recovered")
    parser.add_argument("--open", action="store_true", help="ask each collection for its points, too")
    options = parser.parse_args()
    print(f"hardware: {hardware()}")
    parent = tempfile.mkdtemp(prefix="akidb-startup-")
    folder = os.path.join(parent, "data")
    try:
        make_collections(options.program, folder, options.collections)
        run_once(options.program, folder)  # the program's pages come into the page cache
        killed = options.collections if options.killed else 0
        runs = [run_once(options.program, folder, killed) for _ in range(options.runs)]
        times, resident, anonymous, walks, processor = zip(*runs)
        opened = open_all(options.program, folder, options.collections) if options.open else None
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
    print(
        f"then all collections looked at: median {statistics.median(walks):.1f} ms, least {min(walks):.1f},"
        f" most {max(walks):.1f}; processor time median {statistics.median(processor):.1f} ms"
    )
    if opened:
        seconds, memory, disk = opened
        print(f"each collection, opened and empty: {seconds * 1e3:.2f} ms, {memory / 1e3:.1f} kB of anonymous memory,"
              f" {disk / 1e3:.1f} kB of the disk")


if __name__ == "__main__":
    main()
