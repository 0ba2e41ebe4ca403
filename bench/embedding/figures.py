#!/usr/bin/env python3
"""The figures of docs/internals/embedding.md that stand beside others: passages a second against fastembed and
onnxruntime, what a query costs beside its run, how late it gets while texts are taken in, and padding.

    python3 -m venv build/figures && build/figures/bin/pip install -r bench/embedding/requirements.txt
    build/figures/bin/python bench/embedding/figures.py [mixed] [equal] [rest] [busy] [--rounds 3] [--texts 256]

Needs the package debian-handbook, the default model (akidb models pull) and the programs embed_texts and
embed_latency. Texts are pieces of the handbook: 8 to 256 tokens (evenly spread), exactly 128, and 6 to 24
for queries. Sides go by turns, in another order each round; medians are told, by the clock and by processor
time (of all threads of a side's process, without loading), which other programs on the machine disturb less.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import passages
import rivals

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from measured import hardware  # noqa: E402

LAYERS, WIDTH, WORD_PIECES = 6, 384, 256
EQUAL_TOKENS = 128
BATCHES = (2, 8, 32)


def gflop(tokens_each, texts):
    """Of the products of matrices, twice the multiplications."""
    a_token = 2 * LAYERS * 12 * WIDTH**2 + 2 * LAYERS * 2 * WIDTH * tokens_each
    return a_token * tokens_each * texts / 1e9


class Pieces:
    """Texts of so many tokens, cut out of the book."""

    def __init__(self, model, seed):
        self.pipeline = rivals.Onnxruntime(model, 1)
        self.tokenizer = self.pipeline.tokenizer
        self.tokenizer.no_truncation()
        self.book = passages.passages()
        self.chance = random.Random(seed)

    def cut(self, tokens):
        while True:
            first = self.chance.randrange(len(self.book) - 1)
            text = f"{self.book[first]} {self.book[first + 1]}"
            encoding = self.tokenizer.encode(text)
            if len(encoding.ids) < tokens:
                continue
            # Between [CLS] and [SEP]; a cut within a word may be tokenized otherwise: then another one.
            text = text[:encoding.offsets[tokens - 2][1]]
            if len(self.tokenizer.encode(text).ids) == tokens:
                return text

    def between(self, least, most, count):
        """All different: equal ones would be run once by AkiDB, and by others as often as they are there."""
        texts = {}
        while len(texts) < count:
            texts[self.cut(self.chance.randint(least, most))] = True
        return list(texts)


class Programs:
    """The C++ side."""

    def __init__(self, options):
        self.folder = pathlib.Path(options.programs)
        library = sorted(pathlib.Path(options.library).glob("libonnxruntime.so*"))[-1]
        self.settings = [f"library={library}", f"models={options.models}"]

    def run(self, program, files, settings=()):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, texts in enumerate(files):
                paths.append(os.path.join(folder, str(number)))
                pathlib.Path(paths[-1]).write_bytes("\0".join(texts).encode())
            output = os.path.join(folder, "out")
            out = [f"out={output}"] if program == "embed_texts" else []
            answer = json.loads(subprocess.run(
                [self.folder / program, *paths, *self.settings, *settings, *out],
                check=True, capture_output=True, text=True).stdout)
            if out:
                answer["vectors"] = numpy.fromfile(output, "<f4").reshape(len(files[0]), -1)
        return answer


class Rates:
    """Seconds of each side in each round."""

    def __init__(self, texts):
        self.texts = texts
        self.clock = {}
        self.processor = {}
        self.vectors = {}

    def add(self, name, clock, processor):
        self.clock.setdefault(name, []).append(clock)
        self.processor.setdefault(name, []).append(processor)

    def of(self, seconds):
        return len(self.texts) / statistics.median(seconds)

    def show(self, against):
        for name, clock in self.clock.items():
            ratios = [statistics.median(b / a for a, b in zip(ours[name], ours[against]))
                      for ours in (self.clock, self.processor)]
            cosine = min((self.vectors[name] * self.vectors[against]).sum(1))
            print(f"  {name}: {self.of(clock):.1f} passages/s, {self.of(self.processor[name]):.2f} a second of "
                  f"processor time; {ratios[0]:.2f} and {ratios[1]:.2f} times {against}; least cosine {cosine:.6f}")


def compare(programs, texts, options, sides):
    """`sides`: name -> embed(texts), or settings of embed_texts."""
    rates = Rates(texts)
    for round_number in range(options.rounds):
        order = list(sides.items())
        for name, side in order[round_number % len(order):] + order[:round_number % len(order)]:
            if callable(side):
                begin, processor = time.perf_counter(), time.process_time()
                rates.vectors[name] = side(texts)
                rates.add(name, time.perf_counter() - begin, time.process_time() - processor)
                continue
            answer = programs.run("embed_texts", [texts], side)
            rates.vectors[name] = answer["vectors"]
            rates.add(name, answer["seconds"], answer["processor_seconds"])
            if round_number == 0:
                print(f"  {name}: {answer['runs']} runs, {answer['padded']} tokens computed for "
                      f"{answer['tokens_run']}: {answer['padded'] / answer['tokens_run']:.4f}")
        print(f"  round {round_number + 1}: load {os.getloadavg()[0]:.1f}", flush=True)
    return rates


def mixed(programs, pieces, options):
    texts = pieces.between(8, WORD_PIECES, options.texts)
    print(f"mixed lengths: {len(texts)} texts, {sum(map(len, pieces.pipeline.ids(texts)))} tokens")
    with tempfile.TemporaryDirectory() as folder:
        fastembed = rivals.Fastembed(pathlib.Path(options.models) / "all-minilm-l6-v2", folder)
        fastembed.embed(texts[:2])
        compare(programs, texts, options, {
            "fastembed": fastembed.embed,
            "AkiDB, one request": [],
            "AkiDB, 4 clients with requests of 16": ["clients=4", "request_texts=16"],
        }).show("fastembed")


def equal(programs, pieces, options):
    texts = pieces.between(EQUAL_TOKENS, EQUAL_TOKENS, options.texts // 2)
    work = gflop(EQUAL_TOKENS, len(texts))
    print(f"equal lengths: {len(texts)} texts of {EQUAL_TOKENS} tokens, {work:.0f} GFLOP")
    model = pathlib.Path(options.models) / "all-minilm-l6-v2"
    sides = {f"onnxruntime, batches of {batch}": rivals.Onnxruntime(model, 2, batch).embed for batch in BATCHES}
    for side in sides.values():
        side(texts[:2])
    peaks = [rivals.peak_gflops()]
    rates = compare(programs, texts, options, {**sides, "AkiDB, one request": []})
    peaks.append(rivals.peak_gflops())
    peak = statistics.median(processor for _, processor in peaks)
    best = min(sides, key=lambda name: statistics.median(rates.clock[name]))
    rates.show(best)
    best = min(sides, key=lambda name: statistics.median(rates.processor[name]))
    print(f"  the best by processor time: {best}; single-precision products of numpy: "
          f"{max(clock for clock, _ in peaks):.0f} GFLOP/s, {peak:.1f} a second of processor time")
    for name, seconds in rates.processor.items():
        rate = work / statistics.median(seconds)
        print(f"  {name}: {work / statistics.median(rates.clock[name]):.0f} GFLOP/s, {rate:.1f} a second of "
              f"processor time, {100 * rate / peak:.0f} % of that")


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def rest(programs, pieces, options):
    """Queries one after the other, each beside its own run; and the same runs from Python."""
    queries = pieces.between(6, 24, options.queries)
    bare = rivals.Onnxruntime(pathlib.Path(options.models) / "all-minilm-l6-v2", 1)
    ids = bare.ids(queries)
    bare.bare_ms(ids[0])
    ours, runs, python = [], [], []
    for _ in range(options.rounds):
        answer = programs.run("embed_latency", [queries, queries], ["busy=no"])
        ours += answer["rest_whole"]
        runs += answer["rest_run"]
        python += [bare.bare_ms(each) for each in ids]
    over = [whole - run for whole, run in zip(ours, runs)]
    print(f"queries at rest: {len(queries)} of 6 to 24 tokens, {options.rounds} rounds, load {os.getloadavg()[0]:.1f}")
    for name, values in (("whole, C++ interface", ours), ("of it the session's run", runs),
                         ("beside the run", over), ("onnxruntime from Python, ids given, one thread", python)):
        print(f"  {name}: p10 {percentile(values, 10):.3f}, p50 {statistics.median(values):.3f}, "
              f"p95 {percentile(values, 95):.3f} ms")


def busy(programs, pieces, options):
    queries = pieces.between(6, 24, options.queries)
    texts = pieces.between(8, WORD_PIECES, options.texts)
    answers = [programs.run("embed_latency", [texts, queries]) for _ in range(options.rounds)]
    ratios = []
    print(f"queries while texts are taken in: {len(queries)} queries, 4 clients with requests of 64")
    for answer in answers:
        late = percentile(answer["busy_whole"], 95)
        ingest = statistics.median(answer["ingest_run"])
        alone = statistics.median(answer["rest_run"])
        ratios.append(late / (ingest + alone))
        print(f"  p50 {statistics.median(answer['busy_whole']):.1f}, p95 {late:.1f} ms; an ingest run {ingest:.1f} "
              f"(p95 {percentile(answer['ingest_run'], 95):.1f}), a query's run {alone:.1f} ms at rest, "
              f"{statistics.median(answer['busy_run']):.1f} then; ratio {ratios[-1]:.2f}")
    print(f"  median of the ratios {statistics.median(ratios):.2f}, load {os.getloadavg()[0]:.1f}")


def main():
    sections = {"mixed": mixed, "equal": equal, "rest": rest, "busy": busy}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(sections)}; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", default=ROOT / "build" / "release" / "bench" / "embedding")
    parser.add_argument("--models", default=ROOT / "build" / "models")
    parser.add_argument("--library", default=ROOT / "build" / "lib", help="the folder that it is in")
    options = parser.parse_args()
    print(f"hardware: {hardware()}; seed {options.seed}")
    programs = Programs(options)
    for name in options.sections or sections:
        pieces = Pieces(pathlib.Path(options.models) / "all-minilm-l6-v2", options.seed)
        sections[name](programs, pieces, options)


if __name__ == "__main__":
    main()
