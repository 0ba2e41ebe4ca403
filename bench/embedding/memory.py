#!/usr/bin/env python3
"""Anonymous memory of a server that embeds: with the default model loaded, at its peak, and whether it grows
with the shapes that it has seen.

    bench/embedding/memory.py [--minutes 60] [--clients 2] [PROGRAM]      default: build/release/akidb

Clients send requests of 1 to 32 texts, each a piece of 1 to 200 words of the Debian handbook, all lengths and
sizes by chance. RssAnon of /proc/PID/status is read ten times a second. At the end of each minute the clients
stop, and what is read then is the minute's settled figure. Told: settled and highest, after the first minute
and after the last one, against the bytes of the model's file and of its weights as float32.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time

import passages

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from measured import PROGRAM, hardware, served  # noqa: E402

MODEL = "all-minilm-l6-v2"
PARAMETERS = 22_617_152  # of its graph; 4 bytes each once they are loaded
TEXTS_MAX = 32
WORDS_MAX = 200
QUIET_S = 2  # without work, before memory counts as settled


def anonymous(pid):
    """MB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) * 1024 / 1e6


def processor_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def settled(pid):
    """MB, once the server has nothing to do any more."""
    before = -2
    while processor_ticks(pid) > before + 1:
        before = processor_ticks(pid)
        time.sleep(QUIET_S)
    return anonymous(pid)


class Watch:
    """Reads the memory all the time; what was highest since it was last asked."""

    def __init__(self, pid):
        self.pid = pid
        self.highest = 0.0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop.wait(0.1):
            self.highest = max(self.highest, anonymous(self.pid))

    def take(self):
        highest, self.highest = self.highest, 0.0
        return highest

    def close(self):
        self.stop.set()
        self.thread.join()


class Sweep:
    """Clients that embed pieces of passages until they are told to stop."""

    def __init__(self, port, clients, seed):
        self.port = port
        self.words = [text.split() for text in passages.passages()]
        self.chances = [random.Random(seed + i) for i in range(clients)]
        self.texts = self.tokens = self.late = 0
        self.lock = threading.Lock()

    def piece(self, chance):
        words = chance.choice(self.words)
        length = chance.randint(1, WORDS_MAX)
        begin = chance.randrange(max(1, len(words) - length))
        return " ".join(words[begin:begin + length])

    def client(self, chance, end):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        while time.monotonic() < end:
            texts = [self.piece(chance) for _ in range(chance.randint(1, TEXTS_MAX))]
            connection.request("POST", "/v1/embeddings", json.dumps(
                {"model": MODEL, "input": texts, "input_type": "document", "encoding_format": "base64"}))
            answer = connection.getresponse()
            body = json.loads(answer.read())
            with self.lock:
                if answer.status == 408:  # the machine is too busy for so many
                    self.late += 1
                    continue
                assert answer.status == 200, body
                self.texts += len(texts)
                self.tokens += body["usage"]["total_tokens"]
        connection.close()

    def run(self, seconds):
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self.client, args=(chance, end)) for chance in self.chances]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def ask_one(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/v1/embeddings", json.dumps({"model": MODEL, "input": "a first text"}))
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()


def show(name, megabytes, file_bytes):
    print(f"{name}: {megabytes:.1f} MB, {megabytes * 1e6 / file_bytes:.2f} times the file, "
          f"{megabytes * 1e6 / (4 * PARAMETERS):.2f} times its weights as float32", flush=True)


def measure(server, port, options):
    models = pathlib.Path(os.environ.get("AKIDB_MODELS_DIR", ROOT / "build" / "models"))
    file_bytes = (models / MODEL / "model.onnx").stat().st_size
    print(f"file {file_bytes / 1e6:.1f} MB, as float32 {4 * PARAMETERS / 1e6:.1f} MB; "
          f"server without a model: {anonymous(server.pid):.1f} MB")
    watch = Watch(server.pid)
    try:
        ask_one(port)
        show("loaded, settled", settled(server.pid), file_bytes)
        show("highest while it was loaded", watch.take(), file_bytes)
        sweep = Sweep(port, options.clients, options.seed)
        minutes = []
        for minute in range(1, options.minutes + 1):
            sweep.run(60)
            highest = watch.take()
            minutes.append((settled(server.pid), highest))
            print(f"minute {minute}: settled {minutes[-1][0]:.1f} MB, highest {highest:.1f} MB; {sweep.texts} texts, "
                  f"{sweep.tokens} tokens so far, {sweep.late} requests too late, "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)
    finally:
        watch.close()
    show("settled after the first minute", minutes[0][0], file_bytes)
    show("settled after the last minute", minutes[-1][0], file_bytes)
    show("highest of all", max(highest for _, highest in minutes), file_bytes)
    print(f"last minute against the first: settled {minutes[-1][0] / minutes[0][0]:.3f}, "
          f"highest {minutes[-1][1] / minutes[0][1]:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=PROGRAM)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"hardware: {hardware()}; {options.clients} clients, seed {options.seed}")
    with served(options.program, "memory") as (server, port):
        measure(server, port, options)


if __name__ == "__main__":
    main()
