"""Compares AkiDB's token ids, and what they decode to, with PyPI `tokenizers` on generated texts.

usage: compare_with_reference.py ENCODE_LINES [--count N] [--seed N] [--only NAME]

Runs in the environment of tests/embedding/prepare.sh. Every tokenizer file that is at hand and every
kind that can be trained here, in many variants (tokenizer_files.py): N texts each for the files as they
are and as much again for all variants together; 2,000, with AKIDB_DEEP=1 1,000,000. Exits with 1 if the
ids of a text differ.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import tokenizers

import tokenizer_files
from generated_texts import TextMaker, as_reference_sees

ROOT = pathlib.Path(__file__).resolve().parents[2]
PUBLISHED = {"all-minilm-l6-v2": ROOT / "build/models/all-minilm-l6-v2/tokenizer.json",
             "qwen3": ROOT / "build/tokenizers/qwen3/tokenizer.json"}
CHUNK = 100_000  # texts that are compared at once


def training_lines(rng):
    """Our own documents, and texts in which all kinds of characters are frequent enough to be learnt."""
    lines = []
    for path in sorted(ROOT.glob("docs/**/*.md")):
        lines.extend(path.read_text(encoding="utf-8").splitlines())
    maker = TextMaker(rng, ["the", "une", "größe", "привет", "мир", "东京", "検索", "한국어"], ["zz"])
    generated = [as_reference_sees(maker.text()) for _ in range(500)]
    return lines + generated * 2


def files(seed):
    """(name, file) of all that is at hand."""
    for name, path in PUBLISHED.items():
        if path.exists():
            yield name, json.loads(path.read_text(encoding="utf-8"))
        else:
            print(f"{name}: left out, {path.relative_to(ROOT)} is missing")
    rng = random.Random(seed)
    lines = training_lines(rng)
    yield "trained BPE", tokenizer_files.trained_bpe(lines)
    yield "trained Unigram", tokenizer_files.trained_unigram(lines)


def compare(program, file, plain, texts):
    """The texts whose ids differ, with both lists."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("tokenizer.json", "texts", "ids")]
        with open(paths[0], "w", encoding="utf-8") as out:
            json.dump(file, out)
        with open(paths[1], "w", encoding="utf-8") as out:
            out.writelines(text.hex() + "\n" for text in texts)
        code = subprocess.run([program, *paths, "plain" if plain else "match"], check=False).returncode
        with open(paths[2], encoding="utf-8") as result:
            lines = result.read().split("\n")[:-1]
        if code != 0:
            sys.exit(f"{program}: exit code {code}: {lines[-1:]}")
    decoder = tokenizers.Tokenizer.from_str(json.dumps(file))
    if plain and file["model"]["type"] == "Unigram":
        # The reference's model would find them again: ours goes farther.
        file = tokenizer_files.without_specials_in_model(file)
    reference = tokenizers.Tokenizer.from_str(json.dumps(file))
    reference.no_truncation()
    reference.no_padding()
    reference.encode_special_tokens = plain
    encodings = reference.encode_batch([as_reference_sees(text) for text in texts],
                                       add_special_tokens=False)
    rows = [line.split("\t") for line in lines]
    ours = [[int(i) for i in row[0].split()] for row in rows]
    assert len(ours) == len(texts)
    differing = [(t, e.ids, o) for t, e, o in zip(texts, encodings, ours) if e.ids != o]
    for skip in (False, True):
        expected = decoder.decode_batch(ours, skip_special_tokens=skip)
        got = [bytes.fromhex(row[1 + skip]).decode() for row in rows]
        differing += [(t, e, o) for t, e, o in zip(texts, expected, got) if e != o]
    return differing


def compare_file(program, name, base, rng, count):
    differing = 0
    # A large file takes longer to load than thousands of texts to read.
    is_large = len(base["model"]["vocab"]) > 100_000
    variants = list(tokenizer_files.variants(base, count >= 10_000 or not is_large))
    for i, (variant, file, plain) in enumerate(variants):
        contents = [token["content"] for token in file["added_tokens"]]
        contents.append("[q]z")  # what one token covers when refused, and another begins in
        maker = TextMaker(rng, tokenizer_files.texts_of(file), contents)
        left = count if i == 0 else count // (len(variants) - 1)
        differences = []
        done = 0
        while done < left:
            texts = [maker.text() for _ in range(min(CHUNK, left - done))]
            differences += compare(program, file, plain, texts)
            done += len(texts)
        print(f"{name}, {variant}: {done} texts, {len(differences)} differ", flush=True)
        for sample, expected, got in sorted(differences, key=lambda found: len(found[0]))[:3]:
            first = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b),
                         min(len(expected), len(got)))
            print(f"  {str(sample)[:1000]}\n    from place {first}: reference "
                  f"{expected[first:first + 10]}, akidb {got[first:first + 10]}")
        differing += len(differences)
    return differing


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    deep = os.environ.get("AKIDB_DEEP") == "1"
    parser.add_argument("--count", type=int, default=1_000_000 if deep else 2000)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("AKIDB_TEST_SEED") or
                                    (random.randrange(2**32) if deep else 11)))
    arguments = parser.parse_args()
    print(f"AKIDB_TEST_SEED={arguments.seed} tokenizers {tokenizers.__version__}")
    rng = random.Random(arguments.seed)
    differing = sum(compare_file(arguments.program, name, base, rng, arguments.count)
                    for name, base in files(arguments.seed) if arguments.only in name)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
