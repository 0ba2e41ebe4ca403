"""Compares AkiDB's token ids with PyPI `tokenizers` on generated texts.

usage: compare_with_reference.py ENCODE_LINES TOKENIZER_JSON [--count N] [--seed N]

Exits with 77 (skipped) unless AKIDB_DEEP=1 and PyPI `tokenizers` is installed. Texts with one of the
55 code points that ICU 72 doesn't know as letters aren't generated. Variants of the file (other
normaliser options, more added tokens) are compared as well, with a share of the texts each.
"""
import argparse
import copy
import json
import os
import random
import subprocess
import sys
import tempfile

SKIPPED = 77
UNKNOWN_LETTERS = {0x1C89, 0xA7CB, 0xA7CC, 0xA7CE, 0xA7D2, 0xA7D4, 0xA7DA, 0xA7DC,
                   *range(0x10D50, 0x10D66), *range(0x16EA0, 0x16EB9)}
# Where the reference's Unicode differs from ours, where marks are reordered, and spaces.
SPECIAL = [0x1734, 0x166D, 0x111C9, 0x1885, 0x1886, 0xA9BD, 0x11938, 0x302E, 0x302F, 0x1D165, 0x1D16D,
           0x1D158, 0x1D160, 0x34F, 0x301, 0x323, 0x345, 0x898, 0x10F46, 0x16FF0, 0x1193E, 0x2260,
           0x37E, 0x1FEF, 0x130, 0x131, 0x1E9E, 0x3A3, 0x3C3, 0xFB01, 0x212A, 0x85, 0xA0, 0x2028,
           0x3000, 0x180E, 0x200B, 0x200D, 0xFEFF, 0xFFFD, 0, 1, 9, 10, 11, 12, 13, 0x7F, 0xAC00,
           0x4E2D, 0xF900, 0x2F800, 0x9FFF, 0x1F600, 0xE000]
ASCII = [chr(c) for c in range(32, 127)]


def any_char(rng):
    while True:
        c = rng.randrange(0x110000) if rng.random() < 0.3 else rng.randrange(0x3000)
        if not 0xD800 <= c <= 0xDFFF and c not in UNKNOWN_LETTERS:
            return chr(c)


def unit(rng, tokens, contents):
    kind = rng.random()
    if kind < 0.30:
        return rng.choice(tokens).removeprefix("##")
    if kind < 0.45:
        return " " * rng.choice((1, 1, 1, 2))
    if kind < 0.60:
        return rng.choice(ASCII)
    if kind < 0.75:
        return "".join(chr(rng.choice(SPECIAL)) for _ in range(rng.randrange(1, 4)))
    if kind < 0.93:
        return any_char(rng)
    if kind < 0.98:
        return rng.choice(contents)
    return rng.choice("ab é中") * rng.choice((99, 100, 101))


def text(rng, tokens, contents):
    made = "".join(unit(rng, tokens, contents) for _ in range(rng.randrange(12)))
    return made.upper() if rng.random() < 0.1 else made


def variants(base):
    yield "as it is", base
    options = base["normalizer"]
    for name, changed in (("cased", {"lowercase": False}),
                          ("accents kept", {"strip_accents": False}),
                          ("accents stripped, cased", {"strip_accents": True, "lowercase": False}),
                          ("nothing cleaned", {"clean_text": False}),
                          ("ideographs joined", {"handle_chinese_chars": False})):
        yield name, {**base, "normalizer": {**options, **changed}}
    yield "no normaliser", {**base, "normalizer": None}
    # With every character a token, order and kind of marks show in the ids.
    marks = copy.deepcopy(base)
    vocabulary = marks["model"]["vocab"]
    for token in [prefix + chr(c) for c in SPECIAL for prefix in ("", "##")]:
        vocabulary.setdefault(token, len(vocabulary))
    yield "marks in the vocabulary", marks
    added = copy.deepcopy(base)
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    size = len(base["model"]["vocab"])
    for i, content in enumerate(("[X]", "[q]", "]z", "éa", "[[", "a b", "<m>", "xx", "ing", "the",
                                 "Ab", "[MASK]x")):
        added["added_tokens"].append({"id": 0, "content": content,
                                      **{flag: bool(i >> bit & 1) for bit, flag in enumerate(flags)}})
    next_id = size
    for token in added["added_tokens"]:
        known = base["model"]["vocab"].get(token["content"])
        token["id"] = known if known is not None else next_id
        next_id += known is None
    yield "added tokens", added


def compare(program, file, texts):
    """The texts whose ids differ, with both lists."""
    from tokenizers import Tokenizer

    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("tokenizer.json", "texts", "ids")]
        with open(paths[0], "w", encoding="utf-8") as out:
            json.dump(file, out)
        with open(paths[1], "w", encoding="utf-8") as out:
            out.writelines(t.encode().hex() + "\n" for t in texts)
        code = subprocess.run([program, *paths], check=False).returncode
        with open(paths[2], encoding="utf-8") as result:
            lines = result.read().split("\n")[:-1]
        if code != 0:
            sys.exit(f"{program}: exit code {code}: {lines[-1:]}")
    reference = Tokenizer.from_str(json.dumps(file))
    reference.no_truncation()
    reference.no_padding()
    encodings = reference.encode_batch(texts, add_special_tokens=False)
    ours = [[int(i) for i in line.split()] for line in lines]
    assert len(ours) == len(texts)
    return [(t, e.ids, o) for t, e, o in zip(texts, encodings, ours) if e.ids != o]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("tokenizer")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("AKIDB_TEST_SEED") or random.randrange(2**32)))
    arguments = parser.parse_args()
    if os.environ.get("AKIDB_DEEP") != "1":
        print("skipped: AKIDB_DEEP=1 runs it")
        return SKIPPED
    try:
        import tokenizers
    except ImportError:
        print("skipped: PyPI `tokenizers` is not installed")
        return SKIPPED
    if not os.path.exists(arguments.tokenizer):
        print(f"skipped: {arguments.tokenizer} is missing (akidb models pull)")
        return SKIPPED
    print(f"AKIDB_TEST_SEED={arguments.seed} tokenizers {tokenizers.__version__}")
    rng = random.Random(arguments.seed)
    with open(arguments.tokenizer, encoding="utf-8") as file:
        base = json.load(file)
    differing = 0
    for name, file in variants(base):
        count = arguments.count // (2 if file is base else 16)
        tokens = list(file["model"]["vocab"])
        contents = [token["content"] for token in file["added_tokens"]]
        contents.append("[q]z")  # what one token covers when refused, and another begins in
        texts = [text(rng, tokens, contents) for _ in range(count)]
        differences = compare(arguments.program, file, texts)
        print(f"{name}: {count} texts, {len(differences)} differ", flush=True)
        for sample, expected, got in differences[:5]:
            print(f"  {sample!a}\n    reference {expected}\n    akidb     {got}")
        differing += len(differences)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
