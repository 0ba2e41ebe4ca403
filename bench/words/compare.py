#!/usr/bin/env python3
"""BM25 in process against Tantivy (PyPI `tantivy`), one thread each: the same tokens, 500 queries of five, ten hits.

    bench/words/compare.py PASSAGES [--bench build/release/bench/words/bm25_bench] [--rounds 5]

PASSAGES: texts, each ended by a NUL. Both are measured by turns, in processor time of the thread, the queries being
parsed before. Tantivy's index has one segment and lies in memory; its tokens are parted by white space as they are.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import tantivy

ROOT = pathlib.Path(__file__).resolve().parents[2]


def index_of(path):
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("body", tokenizer_name="whitespace", index_option="freq")
    schema.add_unsigned_field("number", stored=True)
    index = tantivy.Index(schema.build())
    writer = index.writer(heap_size=500_000_000, num_threads=1)
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            writer.add_document(tantivy.Document(body=line, number=number))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index


def parsed(index, path):
    body = index.schema
    queries = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            terms = [tantivy.Query.term_query(body, "body", token, "freq") for token in line.split()]
            queries.append(tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms]))
    return queries


def measured(searcher, queries):
    micros = []
    for query in queries:
        start = time.thread_time_ns()
        searcher.search(query, 10, count=False)
        micros.append((time.thread_time_ns() - start) / 1e3)
    return statistics.median(micros), statistics.mean(micros)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("passages")
    parser.add_argument("--bench", default=str(ROOT / "build/release/bench/words/bm25_bench"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tokens, queries = os.path.join(folder, "tokens"), os.path.join(folder, "queries")
        command = [options.bench, options.passages, tokens, queries]
        first = subprocess.run(command + ["1"], check=True, capture_output=True, text=True).stdout
        index = index_of(tokens)
        asked = parsed(index, queries)
        searcher = index.searcher()
        print(f"{searcher.num_docs} passages, {searcher.num_segments} segments, {len(asked)} queries")
        ours = [line.split() for line in first.splitlines()[:3]]
        for query, line in zip(asked, ours):
            hits = [(s, searcher.doc(a)["number"][0]) for s, a in searcher.search(query, 10, count=False).hits]
            same = len({number for _, number in hits} & {int(each.split(":")[0]) for each in line})
            print(f"{same} of {len(hits)} hits in common")
        rounds = []
        for _ in range(options.rounds):
            out = subprocess.run(command + ["2"], check=True, capture_output=True, text=True).stdout
            median, mean = map(float, re.search(r"median ([\d.]+) us, mean ([\d.]+)", out).groups())
            rounds.append((median, mean, *min(measured(searcher, asked) for _ in range(2))))
            print("akidb median {:.1f} mean {:.1f} us, tantivy median {:.1f} mean {:.1f} us".format(*rounds[-1]))
        for name, ours, theirs in (("median", 0, 2), ("mean", 1, 3)):
            print(f"{name}: tantivy / akidb {statistics.median(r[theirs] / r[ours] for r in rounds):.2f}")


if __name__ == "__main__":
    sys.exit(main())
