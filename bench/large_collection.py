#!/usr/bin/env python3
"""A large collection through its life, over HTTP: stored, built, started again, searched, a tenth replaced,
merged, searched again; the memory that the server took for it, and how much it wrote.

    bench/large_collection.py [--rows 1000000] [--dim 768] [--limit-gb 6] [--binary build/release/akidb]
    bench/large_collection.py --starts DATA_DIR      only starts, over a folder that --keep has left

Rows are generated: unit vectors with a spectrum like that of embedded text, i^-0.6 in a random
basis, in clusters at two scales of which the finer hold 20 rows each. Anonymous memory is that of
/proc/PID/status, looked at twice a second; mapped files come and go with the page cache and are not
in it. With --limit-gb the server runs in a memory control group of its own (version 1 or 2, as the
system has; needs root), which counts page cache, too. Needs numpy and orjson.
"""

import argparse
import http.client
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

import numpy
import orjson

ROOT = pathlib.Path(__file__).resolve().parents[1]
BATCH = 500
ROWS_OF_A_CLUSTER = 20
RESTED_S = 15


class Rows:
    """Any block of rows, the same each time."""

    def __init__(self, rows, dim):
        random = numpy.random.default_rng(5)
        self.dim = dim
        self.spectrum = (numpy.arange(1, dim + 1) ** -0.6).astype(numpy.float32)
        self.basis = numpy.linalg.qr(random.standard_normal((dim, dim)))[0].astype(numpy.float32)
        self.mean = random.standard_normal(dim).astype(numpy.float32)
        self.coarse = random.standard_normal((200, dim)).astype(numpy.float32)
        self.fine = random.standard_normal((max(rows // ROWS_OF_A_CLUSTER, 1), dim)).astype(numpy.float32)

    def block(self, number, count=BATCH):
        random = numpy.random.default_rng(1000 + number)
        fine = random.integers(0, len(self.fine), count)
        vectors = (0.5 * self.mean + 0.6 * self.coarse[fine % 200] + 0.6 * self.fine[fine]
                   + 0.8 * random.standard_normal((count, self.dim), dtype=numpy.float32))
        vectors = (vectors * self.spectrum) @ self.basis
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


class ControlGroup:
    """Limits the memory of a process, page cache among it."""

    def __init__(self, limit):
        unified = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
        parent = pathlib.Path("/sys/fs/cgroup" if unified else "/sys/fs/cgroup/memory")
        self.folder = parent / f"akidb_bench_{os.getpid()}"
        self.folder.mkdir()
        (self.folder / ("memory.max" if unified else "memory.limit_in_bytes")).write_text(str(limit))

    def add(self, pid):
        (self.folder / "cgroup.procs").write_text(str(pid))

    def remove(self):
        self.folder.rmdir()


class Server:
    def __init__(self, binary, limit=0, folder=None):
        self.binary = binary
        self.folder = folder or tempfile.mkdtemp(prefix="akidb_large_")
        self.group = ControlGroup(limit) if limit else None
        self.extension = {}
        self.peak_kib = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.binary, "serve", "--data-dir", self.folder, "--http-port", "0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=lambda: self.group and self.group.add(os.getpid()))
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        threading.Thread(target=self.watch, daemon=True).start()

    def memory(self, field="RssAnon"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) for line in status if line.startswith(field + ":")), 0)

    def watch(self):
        while self.process.poll() is None:
            try:
                self.peak_kib = max(self.peak_kib, self.memory())
            except OSError:
                return
            time.sleep(0.5)

    def call(self, method, path, body=None):
        while True:
            text = None if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
            self.client.request(method, path, text, {"content-type": "application/json"})
            answer = self.client.getresponse()
            text = answer.read()
            if answer.status == 429:
                time.sleep(float(answer.headers.get("retry-after", 1)))
                continue
            if answer.status != 200:
                raise SystemExit(f"{method} {path}: {answer.status} {text[:500]!r}")
            parsed = orjson.loads(text)
            self.extension = parsed.get("akidb", {})  # of the last answer
            return parsed["result"]

    def take_peak_gb(self):
        peak, self.peak_kib = self.peak_kib, 0
        return peak * 1024 / 1e9

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def written_bytes(self):
        """What this process has had written to the disk (proc(5), io)."""
        with open(f"/proc/{self.process.pid}/io", encoding="ascii") as io:
            return next(int(line.split()[1]) for line in io if line.startswith("write_bytes:"))

    def stop(self, keep=False):
        self.process.terminate()
        self.process.wait()
        if not keep:
            shutil.rmtree(self.folder)
        if self.group:
            self.group.remove()


def store(server, rows, numbers, first_id=0):
    for number in numbers:
        vectors = rows.block(number)
        points = [{"id": first_id + number * BATCH + i, "vector": vector} for i, vector in enumerate(vectors)]
        server.call("PUT", "/collections/large/points", {"points": points})


def rest(server):
    """Until nothing has changed for a while: merges begin when writers have rested for ten seconds."""
    seen, since = None, time.time()
    while True:
        info = server.call("GET", "/collections/large")
        state = info["status"], info["segments_count"], info["indexed_vectors_count"]
        if state != seen or info["status"] != "green":
            seen, since = state, time.time()
        if time.time() - since > RESTED_S:
            return info
        time.sleep(1)


def ask(server, queries, params):
    found, times = [], []
    for query in queries:
        start = time.perf_counter()
        answer = server.call("POST", "/collections/large/points/query", {"query": query, "limit": 10, "params": params})
        times.append((time.perf_counter() - start) * 1e3)
        found.append({point["id"] for point in answer["points"]})
    return found, statistics.median(times), sorted(times)[int(len(times) * 0.99)]


def search(server, rows, exact_queries):
    queries = rows.block(10_000_000, 1000)
    exact, median, _ = ask(server, queries[:exact_queries], {"exact": True})
    print(f"  exact: median {median:.0f} ms ({exact_queries} queries)")
    for name, params in (("default", {}), ("hnsw_ef 64", {"hnsw_ef": 64}), ("hnsw_ef 200", {"hnsw_ef": 200})):
        ask(server, queries, params)
        found, median, p99 = ask(server, queries, params)
        recall = sum(len(a & b) for a, b in zip(exact, found)) / (10 * exact_queries)
        print(f"  {name}: recall@10 {recall:.4f}, median {median:.2f} ms, p99 {p99:.2f} ms over HTTP", flush=True)


def starts(server, query, times=7):
    """From the start of the process to the first answer; the files stay in the page cache."""
    answered = []
    for _ in range(times):
        server.process.terminate()
        server.process.wait()
        begun = time.perf_counter()
        server.start()
        server.call("POST", "/collections/large/points/query", {"query": query, "limit": 10})
        answered.append((time.perf_counter() - begun) * 1e3)
    print(f"start to the first answer: median {statistics.median(answered):.0f} ms, "
          f"{min(answered):.0f} to {max(answered):.0f} ({times} starts)", flush=True)


def report(server, name, start, cpu):
    print(f"{name}: {time.time() - start:.0f} s, {server.cpu_s() - cpu:.0f} s of the server's processor time, "
          f"anonymous memory at most {server.take_peak_gb():.2f} GB", flush=True)
    return time.time(), server.cpu_s()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--limit-gb", type=float, default=0)
    parser.add_argument("--exact-queries", type=int, default=100)
    parser.add_argument("--graph", nargs=2, type=int, metavar=("M", "EF_CONSTRUCT"),
                        help="of the graphs; small ones are built sooner where only what is written matters")
    parser.add_argument("--keep", action="store_true", help="leave the data folder, and print its path")
    parser.add_argument("--starts", metavar="DATA_DIR")
    parser.add_argument("--binary", default=str(ROOT / "build" / "release" / "akidb"))
    options = parser.parse_args()
    rows = Rows(options.rows, options.dim)
    blocks = options.rows // BATCH
    if options.starts:
        server = Server(options.binary, folder=options.starts)
        starts(server, rows.block(10_000_000, 1)[0])
        return server.stop(keep=True)
    server = Server(options.binary, int(options.limit_gb * 1e9))
    try:
        graph = dict(zip(("m", "ef_construct"), options.graph)) if options.graph else {}
        server.call("PUT", "/collections/large", {"vectors": {"size": options.dim, "distance": "Cosine"},
                                                  "hnsw_config": graph})
        at = time.time(), 0.0
        store(server, rows, range(blocks))
        at = report(server, f"{blocks * BATCH} x {options.dim} stored", *at)
        info = rest(server)
        at = report(server, f"at rest ({info['segments_count']} segments)", *at)
        print(f"  memory_bytes {server.extension.get('memory_bytes')}")
        written, accepted = server.written_bytes(), blocks * BATCH * options.dim * 4
        print(f"  written to the disk: {written / 1e9:.2f} GB, {written / accepted:.2f} times the vectors")
        starts(server, rows.block(10_000_000, 1)[0])
        at = time.time(), server.cpu_s()
        search(server, rows, options.exact_queries)
        at = report(server, "searched", *at)
        tenth = range(0, blocks, 10)
        for number in tenth:
            ids = list(range(number * BATCH, (number + 1) * BATCH))
            server.call("POST", "/collections/large/points/delete", {"points": ids})
        store(server, rows, range(blocks, blocks + len(tenth)))
        info = rest(server)
        at = report(server, f"a tenth replaced and merged ({info['segments_count']} segments)", *at)
        search(server, rows, options.exact_queries)
        report(server, "searched", *at)
    finally:
        if options.keep:
            print(f"kept: {server.folder}")
        server.stop(options.keep)


if __name__ == "__main__":
    main()
