#!/usr/bin/env python3
"""What a text query costs beyond running the model and scanning: p50 and p99 of the time that a client
waits, less the `embed_ms` and `search_ms` that the server reports for the same request.

    bench/query_overhead.py [--passages 3000] [--queries 400] [PROGRAM]   default: build/release/akidb

One keep-alive connection, one query at a time, limit 3 with payload; the collection is filled with
made-up passages, embedded by the server. The same is measured for vector queries, where the model has no
part. The client is this script over a plain socket; what it costs itself is shown by `GET /`.
"""

import argparse
import json
import random
import re
import socket
import statistics
import time

from measured import PROGRAM, hardware, served

WORDS = (
    "pump valve filter pressure sensor brake engine coolant replace check tighten bolt torque hydraulic line "
    "battery voltage warning lamp fuse relay connector oil level service interval before after remove install"
).split()


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = ""  # further lines of each request

    def ask(self, method, path, body=None):
        """(seconds, answer): from the first byte sent to the last received."""
        text = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\n{self.headers}content-length: {len(text)}\r\n\r\n".encode()
        start = time.perf_counter()
        self.socket.sendall(head + text)
        answer = self.socket.recv(262144)
        end = answer.index(b"\r\n\r\n") + 4
        length = int(re.search(rb"content-length: (\d+)", answer).group(1))
        while len(answer) < end + length:
            answer += self.socket.recv(262144)
        seconds = time.perf_counter() - start
        assert answer.startswith(b"HTTP/1.1 200"), answer
        return seconds, answer[end:]


def sentence(chance, words):
    return " ".join(chance.choice(WORDS) for _ in range(words))


def fill(client, passages, chance):
    client.ask("PUT", "/collections/bench", {"vectors": {"size": 384, "distance": "Cosine"}})
    for first in range(0, passages, 100):
        points = [
            {"id": i, "vector": {"text": sentence(chance, 60)}, "payload": {"text": sentence(chance, 60), "n": i}}
            for i in range(first, min(first + 100, passages))
        ]
        client.ask("PUT", "/collections/bench/points?wait=true", {"points": points})


def show(name, values):
    values = sorted(values)
    print(f"{name}: p50 {statistics.median(values):.3f} ms, p99 {values[len(values) * 99 // 100]:.3f} ms")


def measure(name, client, queries):
    wall, embed, search, over, transport = [], [], [], [], []
    for query in queries:
        body = {"query": query, "limit": 3, "with_payload": True}
        seconds, answer = client.ask("POST", "/collections/bench/points/query", body)
        reply = json.loads(answer)
        cost = reply["akidb"]
        wall.append(seconds * 1000)
        embed.append(cost["embed_ms"])
        search.append(cost["search_ms"])
        over.append(seconds * 1000 - cost["embed_ms"] - cost["search_ms"])
        transport.append((seconds - reply["time"]) * 1000)
    show(f"{name}, whole", wall)
    show(f"{name}, embed_ms", embed)
    show(f"{name}, search_ms", search)
    show(f"{name}, overhead", over)
    show(f"{name}, of it outside of the handler", transport)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=PROGRAM)
    parser.add_argument("--passages", type=int, default=3000)
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"hardware: {hardware()}; {options.passages} passages, {options.queries} queries, seed {options.seed}")
    with served(options.program, "overhead") as (_, port):
        client = Client(port)
        fill(client, options.passages, chance)
        texts = [{"text": sentence(chance, 8)} for _ in range(options.queries)]
        vectors = [[chance.uniform(-1, 1) for _ in range(384)] for _ in range(options.queries)]
        measure("warm-up", client, texts[:20])
        show("GET /, whole", [client.ask("GET", "/")[0] * 1000 for _ in range(options.queries)])
        measure("text query", client, texts)
        measure("vector query", client, vectors)


if __name__ == "__main__":
    main()
