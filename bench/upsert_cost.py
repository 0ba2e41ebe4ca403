#!/usr/bin/env python3
"""What one durable upsert costs on this machine's disk: upserts/s, the server's processor time for each,
and how long a sync of a preallocated file takes.

  bench/upsert_cost.py [--seconds 5] [--clients 16] [--dim 384]

Clients are processes with one connection each; each waits for its answer before it asks again.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import platform
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "api"))
from server_process import Server  # noqa: E402


def client(port, number, dim, end, counts):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    vector = [0.25 + number] * dim
    count = 0
    while time.time() < end:
        body = json.dumps({"points": [{"id": number * 10_000_000 + count, "vector": vector}]})
        connection.request("PUT", "/collections/cost/points?wait=true", body, {"content-type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{reply.status} {text!r}")
        count += 1
    counts.put(count)


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sync_micros(folder, rounds=500):
    """Sorted times of fdatasync after 4 KiB written into a file that has its blocks already."""
    times = []
    path = os.path.join(folder, "sync")
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(file, bytes(4096 * rounds))
        os.fsync(file)
        for i in range(rounds):
            os.pwrite(file, b"x" * 4096, i * 4096)
            start = time.perf_counter()
            os.fdatasync(file)
            times.append((time.perf_counter() - start) * 1e6)
    finally:
        os.close(file)
        os.unlink(path)
    return sorted(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--dim", type=int, default=384)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="akidb-cost-", dir=".") as folder:
        times = sync_micros(folder)
        print(f"fdatasync of a preallocated file: p50 {times[len(times) // 2]:.0f} us, p99 {times[-5]:.0f} us")
        server = Server(data_dir=os.path.join(folder, "data")).start()
        try:
            made = server.request("PUT", "/collections/cost", {"vectors": {"size": options.dim, "distance": "Dot"}})
            assert made.status == 200, made.text
            counts = multiprocessing.Queue()
            before, start = processor_seconds(server.process.pid), time.time()
            clients = [
                multiprocessing.Process(
                    target=client, args=(server.port, i, options.dim, start + options.seconds, counts))
                for i in range(options.clients)
            ]
            for process in clients:
                process.start()
            total = sum(counts.get() for _ in clients)
            for process in clients:
                process.join()
            seconds, cost = time.time() - start, processor_seconds(server.process.pid) - before
        finally:
            server.stop()
    print(f"{options.clients} clients, {options.dim} components as JSON: {total / seconds:.0f} upserts/s, "
          f"{cost / total * 1e6:.0f} us of the server's processor time each")


if __name__ == "__main__":
    main()
