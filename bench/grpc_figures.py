#!/usr/bin/env python3
"""What gRPC costs: docs/internals/api.md has the figures.

    bench/grpc_figures.py [--only query,upsert,idle] [--vectors FILE] [--rounds 7] [--load GRPC_LOAD]
                          [--without PROGRAM] [PROGRAM]

Run by the Python of build/clients/python. GRPC_LOAD is built from bench/grpc. FILE: float32, 384 a row; without it
vectors are random. Servers run on the first processor, clients on the second. What is compared is measured by turns;
times are the server's own processor time, all threads, by its clock; medians of the rounds and of their ratios.

query   queries of 384 numbers and ten hits, against the library's hello-world server with messages of the same size
        that takes as much processor time as the search by the server's own clock (`search_ms`)
upsert  1,000 points of 384 numbers a request, over gRPC and as JSON, durability `interval`, nothing indexed
idle    start to ready, resident and anonymous memory, with a gRPC port and without; --without: the same program
        linked without gRPC, beside them
"""

import argparse
import array
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "api"), str(ROOT / "tests" / "api" / "clients" / "python"), str(ROOT / "bench")]

import grpc  # noqa: E402
from qdrant_client import grpc as messages  # noqa: E402

from grpc_process import free_port, start_with_grpc  # noqa: E402
from measured import hardware  # noqa: E402
from query_overhead import Client  # noqa: E402
from server_process import program_environment  # noqa: E402
from startup import memory_kib, ready, stop  # noqa: E402

DIM = 384
QUERY = "/qdrant.Points/Query"
SERVER, CLIENT = {0}, {1}


def processor_micros(pid):
    """The clock of another process: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2) * 1e6


def pin(pid, cores):
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), cores)


def on(cores, start):
    """What `start` starts runs there from its first thread on."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        return start()
    finally:
        os.sched_setaffinity(0, before)


class Vectors:
    def __init__(self, path):
        self.file, self.chance = path and open(path, "rb"), random.Random(7)

    def next(self):
        numbers = array.array("f")
        if self.file:
            numbers.fromfile(self.file, DIM)
        else:
            numbers.extend(self.chance.gauss(0, 1) for _ in range(DIM))
        return list(numbers)


def upsert_message(name, first, vectors):
    points = [
        messages.PointStruct(id=messages.PointId(num=first + i),
                             vectors=messages.Vectors(vector=messages.Vector(dense=messages.DenseVector(data=v))))
        for i, v in enumerate(vectors)
    ]
    return messages.UpsertPoints(collection_name=name, wait=True, points=points)


def load(options, address, method, file, count, at_once):
    """(seconds of a call, bytes of an answer)"""
    command = [options.load, "calls", address, method, file, str(count), str(at_once)]
    told = on(CLIENT, lambda: subprocess.run(command, check=True, capture_output=True, text=True)).stdout.split()
    return float(told[0]) / count, int(told[1])


def show_ratio(what, ours, theirs):
    cpu = statistics.median(t / o for o, t in zip(ours["cpu"], theirs["cpu"]))
    wall = statistics.median(t / o for o, t in zip(ours["wall"], theirs["wall"]))
    print(f"  {what}: {cpu:.2f} by processor time, {wall:.2f} by the wall clock")


def show(name, costs):
    cpu, wall = (statistics.median(costs[kind]) for kind in ("cpu", "wall"))
    print(f"  {name}: {cpu:.1f} us of processor, {wall:.1f} us of wall")


def query(options, folder):
    for points in options.query_points:
        vectors = Vectors(options.vectors)
        server, port = on(SERVER, start_with_grpc)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        try:
            rest = Client(server.port)
            rest.ask("PUT", "/collections/c", {"vectors": {"size": DIM, "distance": "Cosine"}})
            upsert = channel.unary_unary("/qdrant.Points/Upsert", request_serializer=lambda b: b)
            for first in range(0, points, 1000):
                some = [vectors.next() for _ in range(min(1000, points - first))]
                upsert(upsert_message("c", first, some).SerializeToString())
            while json.loads(rest.ask("GET", "/collections/c")[1])["result"]["status"] != "green":
                time.sleep(0.5)
            query_against_hello(options, folder, (server, port, rest), vectors.next())
        finally:
            channel.close()
            server.stop()
            server.close()


def query_against_hello(options, folder, served, vector):
    server, port, rest = served
    info = json.loads(rest.ask("GET", "/collections/c")[1])["result"]
    searches = [json.loads(rest.ask("POST", "/collections/c/points/query", {"query": vector})[1])["akidb"]["search_ms"]
                for _ in range(3000)][1000:]
    search = statistics.median(searches) * 1000
    asked = messages.QueryPoints(collection_name="c", limit=10, query=messages.Query(
        nearest=messages.VectorInput(dense=messages.DenseVector(data=vector)))).SerializeToString()
    text = messages.Value(string_value="x" * (len(asked) - 3)).SerializeToString()
    files = [os.path.join(folder, name) for name in ("asked", "text")]
    for path, content in zip(files, (asked, text)):
        pathlib.Path(path).write_bytes(content)
    _, reply_bytes = load(options, f"127.0.0.1:{port}", QUERY, files[0], 2000, options.at_once)
    command = [options.load, "hello", str(reply_bytes - 3), f"{search:.1f}"]
    hello = on(SERVER, lambda: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    try:
        greeted = f"127.0.0.1:{int(hello.stdout.readline())}"
        load(options, greeted, "/bench.Hello/Say", files[1], 2000, options.at_once)
        sides = {"ours": (server.process.pid, f"127.0.0.1:{port}", QUERY, files[0]),
                 "hello": (hello.pid, greeted, "/bench.Hello/Say", files[1])}
        rounds = {name: {"cpu": [], "wall": []} for name in sides}
        for _ in range(options.rounds):
            for name, (pid, address, method, file) in sides.items():
                begin = processor_micros(pid)
                wall, _ = load(options, address, method, file, options.calls, options.at_once)
                rounds[name]["cpu"].append((processor_micros(pid) - begin) / options.calls)
                rounds[name]["wall"].append(wall * 1e6)
    finally:
        hello.stdin.close()
        hello.wait(30)
        hello.stdout.close()
    print(f"query over {info['points_count']} points, {info['indexed_vectors_count']} of them indexed: "
          f"{len(asked)} bytes asked, {reply_bytes} answered, {options.at_once} at a time, "
          f"a search takes {search:.1f} us")
    for name, costs in rounds.items():
        show(name, costs)
    show_ratio("requests/s against hello", rounds["ours"], rounds["hello"])


def upsert(options, _):
    vectors = Vectors(options.vectors)
    server, port = on(SERVER, lambda: start_with_grpc("--body-bytes-max", str(64 << 20)))
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", -1)])
    try:
        pin(server.process.pid, SERVER)
        rest = Client(server.port)
        call = channel.unary_unary("/qdrant.Points/Upsert", request_serializer=lambda b: b)
        batches = [[vectors.next() for _ in range(1000)] for _ in range(8)]
        rounds = {name: {"cpu": [], "wall": []} for name in ("gRPC", "REST")}
        sizes = {}
        for number in range(options.rounds):
            for name, costs in rounds.items():
                # A head holds them all: none is written as a segment, or indexed.
                made = f"{name}{number}"
                rest.ask("PUT", f"/collections/{made}", {
                    "vectors": {"size": DIM, "distance": "Dot"}, "metadata": {"akidb": {"durability": "interval"}},
                    "optimizers_config": {"indexing_threshold": 0}})
                if name == "gRPC":
                    requests = [upsert_message(made, 1000 * i, b).SerializeToString() for i, b in enumerate(batches)]
                    send = lambda request: call(request, timeout=60)
                else:
                    path = f"/collections/{made}/points?wait=true"
                    requests = [http_upsert(path, 1000 * i, b) for i, b in enumerate(batches)]
                    send = lambda request: send_raw(rest, request)
                sizes[name] = len(requests[0])
                send(requests[0])
                begin, start = processor_micros(server.process.pid), time.perf_counter()
                for request in requests:
                    send(request)
                count = 1000 * len(requests)
                costs["wall"].append((time.perf_counter() - start) * 1e6 / count)
                costs["cpu"].append((processor_micros(server.process.pid) - begin) / count)
                rest.ask("DELETE", f"/collections/{made}")
    finally:
        channel.close()
        server.stop()
        server.close()
    print(f"upsert of 1,000 points of {DIM} numbers, {sizes} bytes, a point:")
    for name, costs in rounds.items():
        show(name, costs)
    show_ratio("vectors/s against REST", rounds["gRPC"], rounds["REST"])


def http_upsert(path, first, batch):
    points = [{"id": first + i, "vector": [round(x, 7) for x in v]} for i, v in enumerate(batch)]
    body = json.dumps({"points": points}).encode()
    return f"PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def send_raw(client, request):
    client.socket.sendall(request)
    answer = client.socket.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200"), answer


def idle(options, folder):
    data = os.path.join(folder, "idle")
    programs = {"without a port": (options.program, ["--grpc-port", "0"]), "with a port": (options.program, None)}
    if options.without:
        programs = {"linked without": (options.without, ["--grpc-port", "0"]), **programs}
    seen = {name: [] for name in programs}
    for _ in range(3 * options.rounds):
        for name, (program, arguments) in programs.items():
            arguments = arguments or ["--grpc-port", str(free_port())]
            begin = time.perf_counter()
            command = [program, "serve", "--data-dir", data, "--http-port", "0", *arguments]
            process = on(SERVER, lambda: subprocess.Popen(command, stdout=subprocess.PIPE, env=program_environment()))
            port = int(process.stdout.readline().decode().rsplit(":", 1)[1])
            wall = (ready(port) - begin) * 1000
            cpu = processor_micros(process.pid) / 1000
            seen[name].append((wall, cpu, *memory_kib(process.pid)))
            stop(process)
    print(f"idle, {3 * options.rounds} starts each, medians")
    for name, all_ in seen.items():
        wall, cpu, resident, anonymous = (statistics.median(one[i] for one in all_) for i in range(4))
        print(f"  {name}: ready after {wall:.1f} ms, {cpu:.1f} ms of processor; resident {resident / 1024:.2f} MiB, "
              f"of it anonymous {anonymous / 1024:.2f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build" / "release" / "akidb"))
    parser.add_argument("--only", default="query,upsert,idle")
    parser.add_argument("--vectors")
    parser.add_argument("--load", default=str(ROOT / "build" / "release" / "bench" / "grpc" / "grpc_load"))
    parser.add_argument("--without")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=20000)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--query-points", type=lambda text: [int(n) for n in text.split(",")], default=[100, 30000])
    options = parser.parse_args()
    os.environ["AKIDB_BINARY"] = options.program
    print(f"{hardware()}, gRPC; {options.rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="akidb-grpc-") as folder:
        for part in options.only.split(","):
            {"query": query, "upsert": upsert, "idle": idle}[part](options, folder)


if __name__ == "__main__":
    main()
