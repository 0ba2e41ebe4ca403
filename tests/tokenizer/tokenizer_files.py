"""Tokenizer files to compare over: as published, trained here, and each in many variants."""
import copy
import json

from generated_texts import SPECIAL

GPT2 = (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
CONTENTS = ("[X]", "[q]", "]z", "éa", "[[", "a b", "<m>", "xx", "ing", "the", "Ab", "[MASK]x")


def vocabulary_of(file):
    """The vocabulary's tokens, as they are spelled."""
    vocabulary = file["model"]["vocab"]
    return [entry[0] for entry in vocabulary] if isinstance(vocabulary, list) else list(vocabulary)


def texts_of(file):
    """The vocabulary's tokens as the texts that they stand for, as far as they are texts."""
    kind = file["model"]["type"]
    if kind == "WordPiece":
        return [token.removeprefix("##") for token in vocabulary_of(file)]
    if kind == "Unigram":
        return [token.replace("\u2581", " ") for token in vocabulary_of(file)]
    printable = [*range(33, 127), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    bytes_of = {chr(b): b for b in printable} | {chr(0x100 + i): b for i, b in enumerate(others)}
    texts = []
    for token in vocabulary_of(file):
        if all(c in bytes_of for c in token):
            texts.append(bytes(bytes_of[c] for c in token).decode("utf-8", "ignore"))
    return texts


def with_added_tokens(base):
    """Every combination of flags that matters, over contents that overlap."""
    added = copy.deepcopy(base)
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    for i, content in enumerate(CONTENTS):
        added["added_tokens"].append({"id": 0, "content": content,
                                      **{flag: bool(i >> bit & 1) for bit, flag in enumerate(flags)}})
    known = {token: i for i, token in enumerate(vocabulary_of(base))}
    ids = base["model"]["vocab"] if isinstance(base["model"]["vocab"], dict) else known
    next_id = len(known)
    for token in added["added_tokens"]:
        token["id"] = ids.get(token["content"], next_id)
        next_id += token["content"] not in ids
    return added


def wordpiece_variants(base):
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


def bpe_variants(base):
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}

    def split(regex):
        return {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False},
            {**byte_level, "use_regex": False}]}

    yield "no normaliser", {**base, "normalizer": None}
    yield "Llama 3's pattern", {**base, "pre_tokenizer": split(LLAMA3)}
    yield "GPT-2's pattern", {**base, "pre_tokenizer": split(GPT2)}
    yield "GPT-2's ByteLevel", {**base, "normalizer": None, "pre_tokenizer": {**byte_level,
                                                                         "use_regex": True}}
    yield "merges ignored", {**base, "model": {**base["model"], "ignore_merges": True}}
    merges = [merge if isinstance(merge, str) else " ".join(merge)
              for merge in base["model"]["merges"]]
    yield "merges as strings", {**base, "model": {**base["model"], "merges": merges}}
    # Fewer merges leave tokens of the vocabulary that no merges lead to.
    yield "some merges missing", {**base, "model": {**base["model"],
                                                   "merges": [merge for i, merge in
                                                              enumerate(merges) if i % 7]}}


VARIANTS = {"WordPiece": wordpiece_variants, "BPE": bpe_variants}


def variants(base, all_of_them):
    """(name, file, whether special tokens in texts are plain text)."""
    yield "as it is", base, False
    yield "specials as plain text", base, True
    if all_of_them:
        for name, file in VARIANTS[base["model"]["type"]](base):
            yield name, file, False
    yield "added tokens", with_added_tokens(base), False
    yield "added tokens, specials as plain text", with_added_tokens(base), True


def trained_bpe(lines, vocabulary_size=6000):
    """A byte-level BPE model of our own, for where no published one is at hand."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN2), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=vocabulary_size, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", normalized=False),
                                  AddedToken("<|im_end|>", normalized=False)])
    return json.loads(tokenizer.to_str())
