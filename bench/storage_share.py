#!/usr/bin/env python3
"""Where the server's processor time goes while four clients store points over HTTP, durably, 100 at a time: the
share of the log, of segments and of files, by perf. Needs perf, and the right to look at one's own processes.

    bench/storage_share.py [--seconds 15] [--dim 384] [PROGRAM]      default program: build/release/akidb
"""

import argparse
import collections
import http.client
import json
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import tempfile
import time

from measured import PROGRAM, hardware

CLIENTS = 4
BATCH = 100
WARM_S = 3
HEADERS = {"content-type": "application/json"}
# A stack counts for the first of these that is in it.
PARTS = (
    ("log, segments, files", re.compile(r"akidb::(storage|env)::")),
    ("codes, graphs, merges", re.compile(r"akidb::index::|Merge|VectorIndexer|HeadCodes")),
    ("engine, the rest", re.compile(r"akidb::engine::")),
    ("HTTP, JSON, requests", re.compile(r"akidb|simdjson|boost")),
)


def client(port, number, dim, end, counts):
    chance = random.Random(number)
    vectors = [json.dumps([chance.uniform(-1, 1) for _ in range(dim)]) for _ in range(BATCH)]
    connection = http.client.HTTPConnection("127.0.0.1", port)
    first, stored = number * 10_000_000, 0
    while time.time() < end:
        points = (f'{{"id":{first + stored + i},"vector":{vector}}}' for i, vector in enumerate(vectors))
        connection.request("PUT", "/collections/s/points?wait=true", '{"points":[' + ",".join(points) + "]}", HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 429:
            time.sleep(float(answer.headers.get("retry-after", 1)))
            continue
        assert answer.status == 200, answer.status
        stored += BATCH
    counts.put(stored)


def shares(recording):
    script = subprocess.run(["perf", "script", "-i", recording, "-F", "comm,ip,sym"], capture_output=True, text=True,
                            check=True)
    counts = collections.Counter()
    for stack in script.stdout.split("\n\n"):
        if stack.strip():
            counts[next((name for name, part in PARTS if part.search(stack)), "kernel, network, other")] += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=PROGRAM)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--dim", type=int, default=384)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="akidb-share-")
    recording = os.path.join(folder, "perf.data")
    command = [options.program, "serve", "--data-dir", os.path.join(folder, "data"), "--http-port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("PUT", "/collections/s", json.dumps({"vectors": {"size": options.dim, "distance": "Dot"}}),
                           HEADERS)
        assert connection.getresponse().status == 200
        counts, seconds = multiprocessing.Queue(), WARM_S + options.seconds
        clients = [multiprocessing.Process(target=client, args=(port, n, options.dim, time.time() + seconds, counts))
                   for n in range(CLIENTS)]
        for each in clients:
            each.start()
        time.sleep(WARM_S)
        command = ["perf", "record", "-q", "-o", recording, "-F", "999", "-g", "-p", str(server.pid)]
        subprocess.run([*command, "--", "sleep", str(options.seconds)], check=True, stderr=subprocess.DEVNULL)
        for each in clients:
            each.join()
        stored = sum(counts.get() for _ in clients)
        found = shares(recording)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
    print(f"{hardware()}: {stored / seconds:.0f} points/s, {sum(found.values())} samples")
    for name, count in found.most_common():
        print(f"  {100 * count / sum(found.values()):5.1f} %  {name}")


if __name__ == "__main__":
    main()
