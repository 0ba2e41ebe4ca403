#!/usr/bin/env python3
"""What requests cost the server, in its own processor time: docs/internals/api.md has the figures.

    bench/api_figures.py [--vectors FILE --passages FILE] [--points 50000] [--facet-points 1000000]
                         [--only overhead,connections,upsert,words,scroll,compression,facet,order]
                         [--parser BENCH] [PROGRAM]

FILE of vectors: float32, 384 a row; of passages: texts, each ended by a NUL, in the same order. Without them
`words` and `scroll` are left out. The processor time is that of all threads of the server, read from /proc; what
is compared is measured by turns, and medians of the rounds are printed. BENCH: api_rest_bench, whose parsing of such a
body into floats is what `upsert` is then compared with.
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
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "api"), str(ROOT / "bench")]

from measured import hardware  # noqa: E402
from query_overhead import Client  # noqa: E402
from server_process import Server  # noqa: E402

DIM = 384
ROUNDS = 7
TERMS = ("person", "used", "act", "plant", "small", "state", "body", "large", "water", "part", "family", "made")


def processor_micros(pid):
    """Of the threads that live: none of those that serve ends meanwhile."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1000


class Measured:
    def __init__(self, server):
        self.pid = server.process.pid
        self.client = Client(server.port)
        self.port = server.port
        self.others = []

    def ask(self, method, path, body=None):
        return json.loads(self.client.ask(method, path, body)[1])["result"]

    def put_patiently(self, path, body):
        """Again while merges are behind."""
        while True:
            try:
                return self.ask("PUT", path, body)
            except AssertionError as refused:
                if b" 429 " not in refused.args[0][:20]:
                    raise
                time.sleep(1)

    def green(self, name):
        while self.ask("GET", f"/collections/{name}")["status"] != "green":
            time.sleep(0.5)

    def cost(self, path, bodies):
        """(server's processor time, wall time) of a request, in us, and bytes of an answer."""
        size = 0
        begin, start = processor_micros(self.pid), time.perf_counter()
        for body in bodies:
            size += len(self.client.ask("POST", path, body)[1])
        wall = (time.perf_counter() - start) * 1e6
        return (processor_micros(self.pid) - begin) / len(bodies), wall / len(bodies), size / len(bodies)

    def cost_at_once(self, path, bodies, clients=8):
        """The same where so many connections always have a request under way."""
        while len(self.others) < clients:
            self.others.append(Client(self.port))
        requests = []
        for body in bodies:
            text = json.dumps(body).encode()
            requests.append(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text)
        begin, start = processor_micros(self.pid), time.perf_counter()
        for first in range(0, len(requests), clients):
            used = list(zip(self.others, requests[first : first + clients]))
            for client, request in used:
                client.socket.sendall(request)
            for client, _ in used:
                answer = client.socket.recv(262144)
                assert answer.startswith(b"HTTP/1.1 200"), answer
        wall = (time.perf_counter() - start) * 1e6
        return (processor_micros(self.pid) - begin) / len(bodies), wall / len(bodies), 0

    def by_turns(self, asked, cost=None):
        """Medians of cost() of each of {name: (path, bodies)}, and of the ratio to the first."""
        rounds = {name: [] for name in asked}
        for _ in range(ROUNDS):
            for name, (path, bodies) in asked.items():
                rounds[name].append((cost or self.cost)(path, bodies))
        first = next(iter(asked))
        for name, costs in rounds.items():
            cpu, wall = (statistics.median(c[i] for c in costs) for i in (0, 1))
            ratio = statistics.median(a[0] / b[0] for a, b in zip(rounds[first], costs))
            print(f"  {name}: {cpu:.1f} us of processor, {wall:.0f} us of wall; {first} / this {ratio:.2f}")
        return rounds


def random_vector(chance):
    return [round(chance.uniform(-1, 1), 6) for _ in range(DIM)]


def overhead(measured, chance):
    print("query of 384 numbers, 10 hits, over 100 points")
    measured.ask("PUT", "/collections/tiny", {"vectors": {"size": DIM, "distance": "Cosine"}})
    points = [{"id": i, "vector": random_vector(chance), "payload": {"n": i}} for i in range(100)]
    measured.ask("PUT", "/collections/tiny/points?wait=true", {"points": points})
    path = "/collections/tiny/points/query"
    queries = [random_vector(chance) for _ in range(500)]
    measured.cost(path, [{"query": q} for q in queries])
    asked = {
        "without payload": (path, [{"query": q} for q in queries]),
        "with payload": (path, [{"query": q, "with_payload": True} for q in queries]),
        "by id": (path, [{"query": i % 100} for i in range(500)]),
    }
    measured.by_turns(asked)
    print("  eight connections at once")
    measured.by_turns(asked, measured.cost_at_once)
    searches = [
        json.loads(measured.client.ask("POST", path, {"query": q})[1])["akidb"]["search_ms"] * 1000 for q in queries
    ]
    print(f"  of it in the engine's search, by its own clock: {statistics.median(searches):.1f} us")


class Reconnecting:
    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body):
        client = Client(self.port)
        answer = client.ask(method, path, body)
        client.socket.close()
        return answer


def connections(measured, name, bodies):
    print(f"a connection for each query, collection {name}")
    path = f"/collections/{name}/points/query"
    kept, other = measured.client, Reconnecting(measured.port)
    rounds = []
    for _ in range(ROUNDS):
        measured.client = kept
        keep = measured.cost(path, bodies)
        measured.client = other
        rounds.append((keep, measured.cost(path, bodies)))
    measured.client = kept
    for name, i in (("processor", 0), ("wall", 1)):
        keep, new = (statistics.median(r[j][i] for r in rounds) for j in (0, 1))
        rate = statistics.median(a[i] / b[i] for a, b in rounds)
        print(f"  {name}: kept alive {keep:.1f} us, anew {new:.1f} us; rate {rate:.2f}")


def parser_rate(program):
    """MB of JSON a second of processor time, parsed into floats."""
    command = [program, "--benchmark_filter=OnDemandFloats", "--benchmark_format=json"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(found)["benchmarks"][0]["bytes_per_second"] / 1e6


def upsert(measured, chance, parser=None):
    print("JSON upsert, batches of 1,000 points of 384 numbers, interval durability")
    options = {"vectors": {"size": DIM, "distance": "Dot"}, "metadata": {"akidb": {"durability": "interval"}}}
    measured.ask("PUT", "/collections/upsert", options)
    path = "/collections/upsert/points"
    bodies = []
    for first in range(0, 4000, 1000):
        points = [{"id": first + i, "vector": random_vector(chance), "payload": {"n": i}} for i in range(1000)]
        bodies.append(json.dumps({"points": points}).encode())
    rates, ratios = [], []
    for _ in range(ROUNDS):
        parsed = parser_rate(parser) if parser else 0
        for body in bodies:
            begin, start = processor_micros(measured.pid), time.perf_counter()
            head = f"PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            measured.client.socket.sendall(head + body)
            answer = measured.client.socket.recv(65536)
            assert b" 200 " in answer[:20], answer
            rates.append(
                (len(body) / (processor_micros(measured.pid) - begin), len(body) / (time.perf_counter() - start) / 1e6)
            )
        if parser:
            of_round = statistics.median(rate[0] for rate in rates[-len(bodies) :])
            ratios.append((of_round / parsed, parsed))
    print(
        "  {:.0f} MB/s of processor time, {:.0f} MB/s of wall".format(
            *(statistics.median(r[i] for r in rates) for i in (0, 1))
        )
    )
    if parser:
        ratio, parsed = (statistics.median(each[i] for each in ratios) for i in (0, 1))
        print(f"  parsed into floats: {parsed:.0f} MB/s; upsert / that {ratio:.2f}")
    measured.ask("DELETE", "/collections/upsert")


def fill_words(measured, options):
    vectors = array.array("f")
    with open(options.vectors, "rb") as file:
        vectors.frombytes(file.read(options.points * DIM * 4))
    texts = pathlib.Path(options.passages).read_bytes().split(b"\0")[: options.points]
    texts = [text.decode() for text in texts]
    measured.ask(
        "PUT",
        "/collections/words",
        {"vectors": {"size": DIM, "distance": "Cosine"}, "sparse_vectors": {"w": {"modifier": "idf"}}},
    )
    measured.ask("PUT", "/collections/words/index?wait=true", {"field_name": "text", "field_schema": "text"})
    for first in range(0, options.points, 1000):
        points = [
            {
                "id": i,
                "vector": {
                    "": [round(v, 6) for v in vectors[i * DIM : (i + 1) * DIM]],
                    "w": {"text": texts[i], "model": "qdrant/bm25", "options": {"avg_len": 10}},
                },
                "payload": {"text": texts[i], "n": i},
            }
            for i in range(first, min(first + 1000, options.points))
        ]
        measured.ask("PUT", "/collections/words/points?wait=true", {"points": points})
    measured.green("words")
    return vectors, texts


def words(measured, vectors, texts, chance):
    path = "/collections/words/points/query"
    counts = {}
    for term in TERMS:
        body = {"filter": {"must": [{"key": "text", "match": {"text": term}}]}}
        counts[term] = measured.ask("POST", "/collections/words/points/count", body)["count"] / len(texts)
    term = min(counts, key=lambda each: abs(counts[each] - 0.05))
    print(f"{len(texts)} passages; dense beside a filter by the word {term!r}, in {counts[term]:.1%} of them")
    chosen = [chance.randrange(len(texts)) for _ in range(200)]
    dense = []
    for i in chosen:
        row = vectors[i * DIM : (i + 1) * DIM]
        dense.append([round(v + chance.gauss(0, 0.02), 6) for v in row])
    filtered = {"must": [{"key": "text", "match": {"text": term}}]}
    plain = [{"query": q} for q in dense]
    measured.cost(path, plain)
    measured.by_turns({"dense": (path, plain), "filtered": (path, [{"query": q, "filter": filtered} for q in dense])})
    print("hybrid: RRF of 20 by dense and 20 by BM25 (five words), beside each alone")
    asked = [" ".join(chance.sample(texts[i].split(), min(5, len(texts[i].split())))) for i in chosen]
    sparse = [{"query": {"text": t, "model": "qdrant/bm25"}, "using": "w", "limit": 20} for t in asked]
    near = [{"query": q, "limit": 20} for q in dense]
    both = [{"prefetch": [a, b], "query": {"fusion": "rrf"}} for a, b in zip(near, sparse)]
    rounds = measured.by_turns({"hybrid": (path, both), "dense": (path, near), "BM25": (path, sparse)})
    for name, i in (("processor", 0), ("wall", 1)):
        ratios = [h[i] / (d[i] + s[i]) for h, d, s in zip(rounds["hybrid"], rounds["dense"], rounds["BM25"])]
        print(f"  hybrid / sum of both, {name}: {statistics.median(ratios):.2f}")
    connections(measured, "words", plain)


def scroll(measured, count):
    print("scroll, pages of 1,000 points with payload")
    path, rates = "/collections/words/points/scroll", []
    for _ in range(ROUNDS):
        bodies = [{"limit": 1000, "offset": first} for first in range(0, count, 1000)]
        cpu, wall, size = measured.cost(path, bodies)
        rates.append((size / cpu, size / wall))
    print(
        "  {:.0f} MB/s of processor time, {:.0f} MB/s of wall, {:.0f} bytes a page".format(
            *(statistics.median(r[i] for r in rates) for i in (0, 1)), size
        )
    )


def compression(measured, chance):
    """The payloads are paragraphs of this repository's documents, in English."""
    texts = []
    for path in sorted((ROOT / "docs").rglob("*.md")):
        texts += [" ".join(text.split()) for text in path.read_text(encoding="utf-8").split("\n\n")]
    texts = [text[:600] for text in texts if len(text) > 100 and not text.startswith("|")]
    measured.ask("PUT", "/collections/texts", {"vectors": {"size": DIM, "distance": "Cosine"}})
    points = [{"id": i, "vector": random_vector(chance), "payload": {"text": text}} for i, text in enumerate(texts)]
    measured.ask("PUT", "/collections/texts/points?wait=true", {"points": points})
    queries = [{"query": random_vector(chance), "with_payload": True} for _ in range(200)]
    page = {"limit": 100}
    bodies = {
        "query, 10 hits with payload": ("query", queries),
        "page of 100 points with payload": ("scroll", [page] * 100),
        "page of 100 points with payload and vector": ("scroll", [{**page, "with_vector": True}] * 20),
    }
    for what, (operation, asked) in bodies.items():
        print(f"{what}, of {len(texts)} points")
        rounds = {coding: [] for coding in ("identity", "gzip", "zstd")}
        for _ in range(ROUNDS):
            for coding, costs in rounds.items():
                measured.client.headers = f"accept-encoding: {coding}\r\n"
                costs.append(measured.cost(f"/collections/texts/points/{operation}", asked))
        measured.client.headers = ""
        for coding, costs in rounds.items():
            cpu, size = (statistics.median(cost[i] for cost in costs) for i in (0, 2))
            more = statistics.median(cost[0] - plain[0] for cost, plain in zip(costs, rounds["identity"]))
            print(f"  {coding}: {cpu:.0f} us of processor, {more:+.0f} to identity, {size:.0f} bytes")


def facet(measured, count, chance):
    print(f"facet of 100 values over {count} points, under a filter that matches 30 %")
    measured.ask("PUT", "/collections/facet", {"vectors": {"size": 2, "distance": "Dot"}})
    for field, kind in (("v", "keyword"), ("share", "integer")):
        measured.ask("PUT", "/collections/facet/index?wait=true", {"field_name": field, "field_schema": kind})
    for first in range(0, count, 20000):
        ids = range(first, min(first + 20000, count))
        payloads = [{"v": f"value {chance.randrange(100)}", "share": chance.randrange(100)} for _ in ids]
        batch = {"ids": list(ids), "vectors": [[1, 2]] * len(ids), "payloads": payloads}
        measured.put_patiently("/collections/facet/points?wait=true", {"batch": batch})
    measured.green("facet")
    filtered = {"must": [{"key": "share", "range": {"lt": 30}}]}
    path = "/collections/facet/facet"
    asked = {"filtered": {"filter": filtered}, "all": {}}
    hits = measured.ask("POST", path, {"key": "v", "limit": 100, "exact": True, **asked["filtered"]})["hits"]
    print(f"  {len(hits)} values, {sum(hit['count'] for hit in hits)} points")
    measured.by_turns({n: (path, [{"key": "v", "limit": 100, "exact": True, **b}] * 10) for n, b in asked.items()})


def order(measured, count, chance):
    print(f"the first 10 of {count} points by a field")
    measured.ask("PUT", "/collections/order", {"vectors": {"size": 2, "distance": "Dot"}})
    for field, kind in (("f", "float"), ("d", "datetime"), ("share", "integer")):
        measured.ask("PUT", "/collections/order/index?wait=true", {"field_name": field, "field_schema": kind})
    for first in range(0, count, 20000):
        ids = range(first, min(first + 20000, count))
        payloads = [
            {
                "f": round(chance.uniform(0, 1000), 2),
                "d": f"2024-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}T{chance.randrange(24):02}:00:00Z",
                "share": chance.randrange(100),
            }
            for _ in ids
        ]
        batch = {"ids": list(ids), "vectors": [[1, 2]] * len(ids), "payloads": payloads}
        measured.put_patiently("/collections/order/points?wait=true", {"batch": batch})
    measured.green("order")
    filtered = {"must": [{"key": "share", "range": {"lt": 30}}]}
    asked = {
        "numbers": {"order_by": "f"},
        "dates, the last first": {"order_by": {"key": "d", "direction": "desc"}},
        "dates, of 30 %": {"order_by": "d", "filter": filtered},
    }
    measured.by_turns({name: ("/collections/order/points/scroll", [body] * 10) for name, body in asked.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build" / "release" / "akidb"))
    parser.add_argument("--vectors")
    parser.add_argument("--passages")
    parser.add_argument("--parser")
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--facet-points", type=int, default=1_000_000)
    parser.add_argument("--only", default="overhead,connections,upsert,words,scroll,compression,facet,order")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ["AKIDB_BINARY"] = options.program
    chance = random.Random(options.seed)
    only = options.only.split(",")
    print(f"hardware: {hardware()}; seed {options.seed}, {ROUNDS} rounds", flush=True)
    server = Server(arguments=("--compression", "on")).start()
    try:
        measured = Measured(server)
        if "overhead" in only or "connections" in only:
            overhead(measured, chance)
        if "connections" in only:
            connections(measured, "tiny", [{"query": random_vector(chance)} for _ in range(300)])
        if "upsert" in only:
            upsert(measured, chance, options.parser)
        sys.stdout.flush()
        if options.vectors and options.passages and ("words" in only or "scroll" in only):
            vectors, texts = fill_words(measured, options)
            words(measured, vectors, texts, chance)
            scroll(measured, len(texts))
        sys.stdout.flush()
        if "compression" in only:
            compression(measured, chance)
        if "facet" in only:
            facet(measured, options.facet_points, chance)
        if "order" in only:
            order(measured, 200_000, chance)
    finally:
        server.close()


if __name__ == "__main__":
    main()
