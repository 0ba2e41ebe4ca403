"""Passages embedded per second: AkiDB against the same ONNX file driven from Python.

    bench/embedding/compare.sh [rounds] [passages]

The passages are those of The Debian Administrator's Handbook (package debian-handbook): paragraphs
joined to about 200 tokens. The reference tokenizes with the reference library, sorts by length and
runs batches on two threads, for each batch size of BATCHES; the best one counts. Rounds interleave
the two, so that other load on the machine meets both; medians are compared.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "embedding"))
import passages  # noqa: E402
import reference  # noqa: E402

BATCHES = [2, 8, 32]


def run_akidb(program, texts_path, settings):
    library = sorted((ROOT / "build" / "lib").glob("libonnxruntime.so*"))[-1]
    output = subprocess.run(
        [program, texts_path, f"library={library}", f"models={ROOT / 'build' / 'models'}", *settings],
        check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def run_reference(pipeline, texts, batch):
    begin = time.monotonic()
    pipeline.embed(texts, batch)
    return len(texts) / (time.monotonic() - begin)


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    texts = passages.passages()
    count = int(sys.argv[3]) if len(sys.argv) > 3 else len(texts)
    texts = texts[::max(1, len(texts) // count)][:count]
    pipeline = reference.Reference()
    akidb = {"one request": [], "4 clients, requests of 64": []}
    load_ms = []
    python = {batch: [] for batch in BATCHES}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "texts")
        pathlib.Path(path).write_bytes("\0".join(texts).encode())
        for _ in range(rounds):
            result = run_akidb(program, path, [])
            akidb["one request"].append(result["texts_per_s"])
            load_ms.append(result["load_ms"])
            for batch in BATCHES:
                python[batch].append(run_reference(pipeline, texts, batch))
            result = run_akidb(program, path, ["clients=4", "request_texts=64"])
            akidb["4 clients, requests of 64"].append(result["texts_per_s"])
    load = statistics.median(load_ms)
    print(f"{len(texts)} passages, {result['tokens']} tokens, {rounds} interleaved rounds, "
          f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}")
    print(f"AkiDB, model load with checksums and golden texts: {load:.0f} ms")
    for batch, rates in python.items():
        print(f"Python, sorted by length, batches of {batch}: {statistics.median(rates):.1f} passages/s")
    best = max(statistics.median(rates) for rates in python.values())
    for name, rates in akidb.items():
        rate = statistics.median(rates)
        print(f"AkiDB, {name}: {rate:.1f} passages/s, {rate / best:.2f} times the best of Python")


if __name__ == "__main__":
    main()
