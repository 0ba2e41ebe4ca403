#!/usr/bin/env python3
"""Recall against queries a second of akidb and of others, on the same vectors, with the same queries, in one
run: k nearest by cosine, one query a call, one thread, in interleaved rounds. Speeds are per second of the
process's processor time, so that other programs on the machine don't count; medians of the rounds.

    python3 -m venv build/peers && build/peers/bin/pip install -r bench/peers/requirements.txt
    build/peers/bin/python bench/peers/compare.py FILE --dim 384 [--rows 60000] [--out FOLDER]

FILE: rows x dim float32, little-endian. `akidb bench` runs in a process of its own; peers run in this one,
through their Python modules. What an empty call costs there is printed beside each: it is not taken off. Peers
that are not installed are named as not run.

FOLDER gets results.json (unfiltered), filtered.json, and their pictures by `akidb bench --compare`.
"""

import argparse
import gc
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import peers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from measured import hardware  # noqa: E402

BLOCK = 256  # queries whose distances to all rows are held at a time
ROUNDING = 1e-6


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--dim", type=int, required=True)
    parser.add_argument("--rows", type=int, default=0, help="no more than that; default: all")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--build-threads", type=int, default=os.cpu_count())
    parser.add_argument("--selectivity", default="50,10,1,0.1", help="percents; empty: no filtered runs")
    parser.add_argument("--peers", default="", help="names, separated by commas; default: all")
    parser.add_argument("--akidb", default=str(ROOT / "build" / "release" / "akidb"))
    parser.add_argument("--out", default=".")
    return parser.parse_args()


class Data:
    """Unit vectors, of which some are asked and not stored, and how far the k-th nearest lies."""

    def __init__(self, arguments):
        rows = numpy.fromfile(arguments.file, dtype="<f4").reshape(-1, arguments.dim)
        if arguments.rows:
            rows = rows[:arguments.rows]
        random = numpy.random.default_rng(arguments.seed)
        order = random.permutation(len(rows))
        rows = rows[order] / numpy.linalg.norm(rows[order], axis=1, keepdims=True)
        queries = min(arguments.queries, len(rows) // 10)
        self.k = arguments.k
        self.asked = numpy.ascontiguousarray(rows[:queries], dtype=numpy.float32)
        self.stored = numpy.ascontiguousarray(rows[queries:], dtype=numpy.float32)
        self.shares = random.integers(peers.SHARE_END, size=len(self.stored))
        self.bounds = {}

    def bound(self, below):
        """The similarity of the k-th nearest whose share is below that, a query each, and how many there are."""
        if below not in self.bounds:
            rows = self.stored if below is None else self.stored[self.shares < below]
            count = min(self.k, len(rows))
            found = []
            for first in range(0, len(self.asked), BLOCK):
                similar = self.asked[first:first + BLOCK] @ rows.T
                found.append(numpy.partition(similar, len(rows) - count, axis=1)[:, len(rows) - count])
            self.bounds[below] = (numpy.concatenate(found), count)
        return self.bounds[below]

    def recall(self, answers, below):
        bounds, count = self.bound(below)
        shares = []
        for query, bound, rows in zip(self.asked, bounds, answers, strict=True):
            rows = numpy.asarray(rows, dtype=numpy.int64)
            rows = rows[rows >= 0]
            near = int((self.stored[rows] @ query >= bound - ROUNDING).sum())
            shares.append(min(near, count) / count)
        return statistics.fmean(shares)


class PeerRun:
    """One peer's measurements: a list of rounds for each effort, without a filter and with each."""

    def __init__(self, peer, data):
        self.peer = peer
        self.data = data
        self.queries = [peer.prepare(query) for query in data.asked]
        self.rounds = {}

    def round(self, below):
        if self.peer.filters:
            self.peer.set_share(below)
        for effort in self.peer.efforts:
            self.peer.set_effort(effort)
            self.rounds.setdefault(below, {}).setdefault(effort, []).append(self.measure(below))

    def measure(self, below):
        search, k = self.peer.search, self.data.k
        answers, latencies = [], []
        gc.disable()
        wall, processor = time.perf_counter(), time.process_time()
        for query in self.queries:
            asked = time.perf_counter()
            answers.append(search(query, k))
            latencies.append(time.perf_counter() - asked)
        processor = time.process_time() - processor
        wall = time.perf_counter() - wall
        gc.enable()
        count = len(answers)
        return {"recall": self.data.recall(answers, below), "queries_per_s": count / wall,
                "queries_per_cpu_s": count / processor, "p50_us": 1e6 * statistics.median(latencies),
                "p99_us": 1e6 * statistics.quantiles(latencies, n=100)[98]}


def series(name, by_effort):
    """Medians of rounds, as `akidb bench --json` writes them."""
    points = []
    for effort, rounds in sorted(by_effort.items()):
        point = {key: statistics.median(one[key] for one in rounds) for key in rounds[0] if key != "ef"}
        points.append({"ef": effort, **point})
    return {"name": name, "points": points}


def empty_call_us(kind, data, folder):
    """Processor time of one search among a handful of rows: what calling the library costs."""
    peer = kind()
    small = os.path.join(folder, "small_" + kind.__name__)
    os.mkdir(small)
    peer.build(data.stored[:peer.rows_min], 1, small, data.shares[:peer.rows_min])
    peer.set_effort(peer.efforts[0])
    queries = [peer.prepare(query) for query in data.asked]
    start = time.process_time()
    for query in queries:
        peer.search(query, 1)
    return 1e6 * (time.process_time() - start) / len(queries)


def build_peers(arguments, data, folder):
    wanted = [name.strip() for name in arguments.peers.split(",") if name.strip()]
    runs, absent = [], []
    for kind in peers.ALL:
        if wanted and kind.name not in wanted:
            continue
        peer = kind()
        start = time.perf_counter()
        try:
            peer.build(data.stored, arguments.build_threads, folder, data.shares)
        except ImportError as error:
            absent.append(f"{kind.name} ({error})")
            continue
        seconds = time.perf_counter() - start
        call = empty_call_us(kind, data, folder)
        print(f"{kind.name}: built in {seconds:.1f} s with {arguments.build_threads} threads, "
              f"an empty call {call:.1f} us", flush=True)
        runs.append(PeerRun(peer, data))
    return runs, absent


class Akidb:
    """`akidb bench` in a process of its own, which waits for its turn before each round."""

    def __init__(self, arguments, data, percents, folder):
        for name, rows in (("stored", data.stored), ("asked", data.asked)):
            rows.tofile(os.path.join(folder, name + ".f32"))
        self.result = os.path.join(folder, "akidb.json")
        command = [
            arguments.akidb, "bench", os.path.join(folder, "stored.f32"), "--dim", str(arguments.dim),
            "--query-file", os.path.join(folder, "asked.f32"), "--queries", str(len(data.asked)),
            "--k", str(arguments.k), "--ef", ",".join(map(str, peers.EFS)), "--rounds", str(arguments.rounds),
            "--step", "--quiet", "--json", self.result]
        if percents:
            command += ["--selectivity", ",".join(f"{percent:g}" for percent in percents)]
        environment = {**os.environ, "TMPDIR": folder}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line.startswith("round "):
            raise RuntimeError(f"akidb bench ended with {self.process.wait()}")

    def series(self):
        self.process.communicate()
        if self.process.returncode != 0:
            raise RuntimeError(f"akidb bench ended with {self.process.returncode}")
        with open(self.result, encoding="utf-8") as file:
            return json.load(file)["series"]


def below_of(percent):
    return max(1, round(percent * peers.SHARE_END / 100))


def label(name, percent):
    return name if percent is None else f"{name}, {percent:g} % pass"


def report(arguments, name, all_series, note):
    """Writes the series, and lets akidb print them at equal recall and draw them."""
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.json"
    path.write_text(json.dumps({"data": note, "series": all_series}, indent=1) + "\n", encoding="utf-8")
    print(f"\n{name}: {note}", flush=True)
    subprocess.run([arguments.akidb, "bench", "--compare", str(path), "--svg", str(out / f"{name}.svg"),
                    "--k", str(arguments.k), "--title", note], check=True)


def main():
    arguments = parse_arguments()
    percents = [float(text) for text in arguments.selectivity.split(",") if text]
    print(hardware())
    data = Data(arguments)
    with tempfile.TemporaryDirectory(prefix="akidb-peers-") as folder:
        # It loads, merges and finds its truth while the peers are built.
        akidb = Akidb(arguments, data, percents, folder)
        runs, absent = build_peers(arguments, data, folder)
        for number in range(arguments.rounds):
            akidb.round()
            for run in runs:
                run.round(None)
                for percent in percents if run.peer.filters else ():
                    run.round(below_of(percent))
            print(f"round {number + 1} of {arguments.rounds}, load {os.getloadavg()[0]:.2f}", flush=True)
        own = akidb.series()
    note = (f"{os.path.basename(arguments.file)}, {len(data.stored):,} rows of {arguments.dim}, "
            f"{len(data.asked):,} queries, one a call, one thread, {arguments.rounds} rounds")
    report(arguments, "results", own[:1]
           + [series(run.peer.name, run.rounds[None]) for run in runs], note)
    filtered = list(own)
    for run in runs:
        if run.peer.filters:
            filtered += [series(label(run.peer.name, percent), run.rounds[below])
                         for percent, below in [(None, None)] + [(one, below_of(one)) for one in percents]]
    if percents:
        report(arguments, "filtered", filtered, note)
    for name in absent:
        print(f"not run: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
