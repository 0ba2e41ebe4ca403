#!/usr/bin/env python3
"""Bytes a vector that stay resident in a server at rest, beside what it tells itself.

    bench/resident.py [--program build/release/akidb] [--mode balanced] [--rows 60000] FILE DIM

FILE: rows x DIM float32, of which the last 1,000 are asked. The server is loaded, and started anew
when all is indexed, so that nothing of the loading counts; then it answers searches. What of each
section of the segments' files is mapped is read from /proc/PID/pagemap, anonymous memory from
/proc/PID/smaps_rollup, and what the server says from `akidb.memory_bytes` of the collection.
"""

import argparse
import array
import glob
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "api"))
from segment_file import sections  # noqa: E402
PAGE = os.sysconf("SC_PAGESIZE")
PATH = "/collections/resident"
BATCH = 500
INDEXED_WITHIN_S = 1800

# Section ids of docs/format/segment.md, by the names that memory_bytes has for them.
SECTIONS = {
    "codes": (12,),
    "second_codes": (16,),
    "graphs": (13, 15),
    "ids": (2, 3, 4, 5, 6, 8, 17),
    "payload_indexes": (14,),
    "vectors": (7,),
    "payloads": (9, 10, 11),
}


class Server:
    def __init__(self, program, folder):
        self.command = [program, "serve", "--data-dir", folder, "--http-port", "0"]
        self.process = None
        self.client = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        port = int(self.process.stdout.readline().decode().rsplit(":", 1)[1])
        self.client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def stop(self):
        self.client.close()
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()

    def call(self, method, path, body=None):
        self.client.request(method, path, json.dumps(body) if body is not None else None,
                            {"content-type": "application/json"})
        reply = self.client.getresponse()
        text = reply.read()
        if reply.status != 200:
            sys.exit(f"{method} {path}: {reply.status} {text.decode()}")
        return json.loads(text)


def load(server, rows, options):
    config = {"vectors": {"size": options.dim, "distance": "Cosine"},
              "metadata": {"akidb": {"memory": options.mode}}}
    server.call("PUT", PATH, config)
    for first in range(0, options.rows, BATCH):
        ids = list(range(first, min(first + BATCH, options.rows)))
        server.call("PUT", PATH + "/points?wait=true", {"batch": {"ids": ids, "vectors": [rows(i) for i in ids]}})
    end = time.monotonic() + INDEXED_WITHIN_S
    while time.monotonic() < end:
        result = server.call("GET", PATH)["result"]
        if result["status"] == "green" and result["indexed_vectors_count"] >= 0.8 * options.rows:
            return
        time.sleep(1)
    sys.exit(f"not indexed within {INDEXED_WITHIN_S} s: graphs stand over segments of 20,000 vectors and more")


def mapped_bytes(pid):
    """name -> bytes of pages of its sections that the process has mapped, and all of the files'."""
    totals = {name: 0 for name in (*SECTIONS, "all")}
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            if not line.rstrip().endswith(".seg"):
                continue
            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
            pagemap.seek(begin // PAGE * 8)
            words = array.array("Q", pagemap.read((end - begin) // PAGE * 8))
            present = [word >> 63 for word in words]
            totals["all"] += sum(present) * PAGE
            for number, at, length in sections(line.split()[-1]):
                # A page that two sections share counts for the one that ends in it.
                first, last = -(-at // PAGE), -(-(at + length) // PAGE)
                for name, numbers in SECTIONS.items():
                    if number in numbers:
                        totals[name] += sum(present[first:last]) * PAGE
    return totals


def anonymous_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Anonymous:"))


def report(server, options, when):
    told = server.call("GET", PATH)["akidb"]["memory_bytes"]
    mapped = mapped_bytes(server.process.pid)
    print(f"\n{when}: bytes a vector")
    print(f"| {'section':16} | {'told':>8} | {'resident':>8} |\n|---|---|---|")
    for name in SECTIONS:
        print(f"| {name:16} | {told[name] / options.rows:8.1f} | {mapped[name] / options.rows:8.1f} |")
    print(f"| {'all of the files':16} | {'':8} | {mapped['all'] / options.rows:8.1f} |")
    print(f"anonymous memory of the process: {anonymous_bytes(server.process.pid) / 2**20:.1f} MiB")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("dim", type=int)
    parser.add_argument("--program", default=str(ROOT / "build" / "release" / "akidb"))
    parser.add_argument("--mode", default="balanced", choices=("quality", "balanced", "compact"))
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--queries", type=int, default=1_000)
    options = parser.parse_args()
    values = array.array("f")
    with open(options.file, "rb") as file:
        values.frombytes(file.read())
    total = len(values) // options.dim

    def rows(i):
        return values[i * options.dim:(i + 1) * options.dim].tolist()

    folder = tempfile.mkdtemp(prefix="akidb-resident-")
    server = Server(options.program, os.path.join(folder, "data"))
    try:
        server.start()
        load(server, rows, options)
        report(server, options, "loaded")
        server.stop()
        server.start()
        server.call("GET", PATH)
        report(server, options, "after a restart")
        times = []
        for i in range(options.queries):
            body = {"query": rows(total - 1 - i % 1000), "limit": 10}
            start = time.perf_counter()
            server.call("POST", PATH + "/points/query", body)
            times.append((time.perf_counter() - start) * 1000)
        report(server, options, f"after {options.queries} searches")
        print(f"searches over HTTP: median {statistics.median(times):.2f} ms")
        server.stop()
        files = glob.glob(os.path.join(folder, "**", "*.seg"), recursive=True)
        size = sum(os.path.getsize(path) for path in files) / options.rows
        print(f"{len(files)} segments, {size:.0f} bytes a vector on disk")
    finally:
        if server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
