"""Tokenizer files to compare over: as published, trained here, and each in many variants."""
import base64
import copy
import io
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


def unigram_variants(base):
    def metaspace(**options):
        return {"type": "Metaspace", "replacement": "\u2581", **options}

    def sequence(*normalizers):
        return {"type": "Sequence", "normalizers": list(normalizers)}

    precompiled = base["normalizer"]["normalizers"][0]
    runs = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}
    separated = {"type": "Sequence", "pretokenizers": [
        {"type": "WhitespaceSplit"}, metaspace(add_prefix_space=True)]}
    yield "words separated", {**base, "normalizer": precompiled, "pre_tokenizer": separated}
    yield "words separated, no normaliser", {**base, "normalizer": None, "pre_tokenizer": separated}
    for scheme in ("first", "never"):
        yield f"prepend {scheme}", {**base, "pre_tokenizer": metaspace(prepend_scheme=scheme)}
    yield "another mark", {**base, "pre_tokenizer": {"type": "Metaspace", "replacement": "_"}}
    yield "stripped", {**base, "normalizer": sequence(
        precompiled, {"type": "Strip", "strip_left": False, "strip_right": True}, runs)}
    yield "stripped on the left", {**base, "normalizer": sequence(
        {"type": "Strip", "strip_left": True, "strip_right": False}, precompiled)}
    yield "Nmt, NFKC, Lowercase", {**base, "normalizer": sequence(
        {"type": "Nmt"}, {"type": "NFKC"}, {"type": "Lowercase"},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})}
    yield "NFC, Replace, Prepend", {**base, "normalizer": sequence(
        {"type": "NFC"}, {"type": "Replace", "pattern": {"String": "''"}, "content": '"'},
        {"type": "Replace", "pattern": {"String": "e "}, "content": " b"},
        {"type": "Prepend", "prepend": "\u2581"})}
    # With every byte a token, what is unknown is spelled.
    fallback = copy.deepcopy(base)
    worst = min(score for _, score in fallback["model"]["vocab"])
    fallback["model"]["vocab"][-1:-1] = [[f"<0x{byte:02X}>", worst] for byte in range(256)]
    fallback["model"]["byte_fallback"] = True
    fallback["added_tokens"][-1]["id"] += 256
    yield "bytes for what is unknown", fallback
    # Scores that are equal show which of several best ways is taken.
    equal = [[token, -float(len(token) > 3)] for token, _ in base["model"]["vocab"]]
    yield "equal scores", {**base, "model": {**base["model"], "vocab": equal}}


VARIANTS = {"WordPiece": wordpiece_variants, "BPE": bpe_variants, "Unigram": unigram_variants}


def variants(base, all_of_them):
    """(name, file, whether special tokens in texts are plain text)."""
    yield "as it is", base, False
    yield "specials as plain text", base, True
    if all_of_them:
        for name, file in VARIANTS[base["model"]["type"]](base):
            yield name, file, False
    yield "added tokens", with_added_tokens(base), False
    if base["model"]["type"] != "Unigram":  # see without_specials_in_model: ids would differ
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


def added_token(content, token_id, lstrip=False):
    return {"id": token_id, "content": content, "single_word": False, "lstrip": lstrip,
            "rstrip": False, "normalized": False, "special": True}


def unigram_file(pieces, charsmap):
    """XLM-R's layout: `pieces` are [token, score], the charsmap is SentencePiece's, as bytes."""
    vocabulary = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], *pieces, ["<mask>", 0.0]]
    specials = [added_token(vocabulary[i][0], i) for i in range(4)]
    specials.append(added_token("<mask>", len(vocabulary) - 1, lstrip=True))
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": specials,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {token: {"id": token, "ids": [i], "tokens": [token]}
                               for token, i in (("<s>", 0), ("</s>", 2))}},
        "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": False, "vocab": vocabulary}}


def trained_unigram(lines, vocabulary_size=4000):
    """A model that SentencePiece trains, with its rules of the name nmt_nfkc, those of XLM-R."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=written, vocab_size=vocabulary_size,
        model_type="unigram", normalization_rule_name="nmt_nfkc", hard_vocab_limit=False,
        minloglevel=2)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(written.getvalue())
    pieces = [[piece.piece, piece.score] for piece in model.pieces if piece.type == piece.NORMAL]
    return unigram_file(pieces, model.normalizer_spec.precompiled_charsmap)


def without_specials_in_model(file):
    """A Unigram file in whose model no text finds a special token: its tokens' names hold spaces."""
    changed = copy.deepcopy(file)
    specials = {token["content"] for token in file["added_tokens"] if token["special"]}
    for entry in changed["model"]["vocab"]:
        if entry[0] in specials:
            entry[0] = " " + entry[0]
    return changed
