#!/usr/bin/env python3
"""A stream of batches (akidb.v1 Ingest) against unary upserts of the same batches, over gRPC, by turns.

    bench/ingest_figures.py [--points 50000] [--batch 1000] [--dim 384] [--rounds 7]
                            [--durability sync,interval] [PROGRAM]

Run by the Python of build/clients/python. The requests are bytes before the clock starts, so that the client costs
little. Unary: the next one goes when the answer before has come, or, where it says so, with four under way. Each turn
writes into a collection of its own. Printed: vectors a second by the wall clock, and the server's own processor time a
vector (from /proc), without that of the threads which write and merge segments in the background; medians of the
rounds, and the medians of the rounds' ratios.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "api"), str(ROOT / "tests" / "api" / "clients" / "python"), str(ROOT / "bench")]

import grpc  # noqa: E402
from qdrant_client import grpc as messages  # noqa: E402

import akidb_v1 as v1  # noqa: E402
from grpc_process import start_with_grpc  # noqa: E402
from measured import hardware  # noqa: E402

NAME = "figures"
BACKGROUND = ("background", "optimizer", "short_merges")


def processor_micros(pid):
    """Of the threads that live, but for those that index."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            if not (task / "comm").read_text(encoding="ascii").startswith(BACKGROUND):
                total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        except FileNotFoundError:
            pass
    return total / 1000


def payload_json(number):
    return '{"page": %d, "source": "manual"}' % number


def batches(options):
    """The same points both ways: (bytes of unary requests, bytes of a stream's messages)."""
    source = random.Random(7)
    vectors = [[source.gauss(0, 1) for _ in range(options.dim)] for _ in range(500)]
    unary, stream = [], [v1.IngestRequest(start=v1.IngestStart(collection_name=NAME)).SerializeToString()]
    for first in range(0, options.points, options.batch):
        numbers = range(first, min(first + options.batch, options.points))
        structs, points = [], []
        for n in numbers:
            vector = vectors[n % len(vectors)]
            structs.append(messages.PointStruct(
                id=messages.PointId(num=n),
                vectors=messages.Vectors(vector=messages.Vector(dense=messages.DenseVector(data=vector))),
                payload={"page": messages.Value(integer_value=n), "source": messages.Value(string_value="manual")}))
            points.append(v1.IngestPoint(num=n, vectors=[v1.PointVector(dense=v1.DenseVector(values=vector))],
                                         payload_json=payload_json(n)))
        unary.append(messages.UpsertPoints(collection_name=NAME, wait=True, points=structs).SerializeToString())
        batch = v1.IngestBatch(sequence=len(stream), points=points)
        stream.append(v1.IngestRequest(batch=batch).SerializeToString())
    return unary, stream


class Turns:
    def __init__(self, options, server, channel):
        self.options, self.server = options, server
        self.unary, self.stream = batches(options)
        self.upsert = channel.unary_unary("/qdrant.Points/Upsert")
        self.ingest = channel.stream_stream("/akidb.v1.AkidbService/Ingest")

    def measured(self, durability, write):
        """(vectors/s, processor us a vector)"""
        self.server.request("DELETE", f"/collections/{NAME}")
        made = self.server.request("PUT", f"/collections/{NAME}", {
            "vectors": {"size": self.options.dim, "distance": "Cosine"}, "hnsw_config": {"m": 0},
            "metadata": {"akidb": {"durability": durability}}})
        assert made.status == 200, made.text
        pid = self.server.process.pid
        before, start = processor_micros(pid), time.perf_counter()
        write()
        wall = time.perf_counter() - start
        micros = processor_micros(pid) - before
        count = self.server.request("POST", f"/collections/{NAME}/points/count", {"exact": True}).result["count"]
        assert count == self.options.points, count
        return self.options.points / wall, micros / self.options.points

    def one_by_one(self):
        for request in self.unary:
            self.upsert(request, timeout=60)

    def four_under_way(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda request: self.upsert(request, timeout=60), self.unary))

    def streamed(self):
        for response in self.ingest(iter(self.stream), timeout=600):
            last = v1.IngestResponse.FromString(response)
        assert last.acknowledged_sequence == len(self.stream) - 1, last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--durability", default="sync,interval")
    parser.add_argument("program", nargs="?", default=str(ROOT / "build" / "release" / "akidb"))
    options = parser.parse_args()
    os.environ["AKIDB_BINARY"] = options.program
    print(f"{hardware()}; {options.points:,} points of {options.dim} numbers, batches of {options.batch}")
    server, port = start_with_grpc()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            turns = Turns(options, server, channel)
            ways = {"unary": turns.one_by_one, "unary, four under way": turns.four_under_way, "stream": turns.streamed}
            for durability in options.durability.split(","):
                found = {name: [] for name in ways}
                for _ in range(options.rounds):
                    for name, write in ways.items():
                        found[name].append(turns.measured(durability, write))
                for name, rounds in found.items():
                    rate, micros = (statistics.median(values) for values in zip(*rounds))
                    faster = statistics.median(a[0] / b[0] for a, b in zip(rounds, found["unary"]))
                    cheaper = statistics.median(b[1] / a[1] for a, b in zip(rounds, found["unary"]))
                    print(f"{durability}: {name}: {rate:,.0f} vectors/s ({faster:.2f} of unary), "
                          f"{micros:.1f} us of processor time a vector ({cheaper:.2f} as many in the same time)")
    finally:
        server.close()


if __name__ == "__main__":
    main()
