"""Tiny models of Qwen3's architecture with random weights, in each layout that exports come in.

    python tiny_qwen3.py FOLDER [--tokenizer TOKENIZER_JSON]

Makes FOLDER/tiny-qwen3-LAYOUT for every layout, with what a published model's folder holds beside the
graph (config.json, modules.json, 1_Pooling, prompts) and a manifest whose golden heads come from
qwen3_reference.py:

  pooled    ids and mask in; the last token's vector out, unit length
  hidden    ids, mask and positions in; hidden states out
  empty_kv  as hidden, with keys and values of earlier tokens, of which there are none
  fp16      as hidden, with float16 out
  uint8     as pooled, with bytes out that a scale and a zero point make numbers

Without --tokenizer a byte-level BPE of Qwen's kind is trained on the lines below.
"""
import argparse
import hashlib
import json
import pathlib

import numpy as np
import onnx
import tokenizers
from onnx import TensorProto

import qwen3_graph
import qwen3_reference as reference

LAYOUTS = ("pooled", "hidden", "empty_kv", "fp16", "uint8")
END = "<|endoftext|>"
SPECIALS = (END, "<|im_start|>", "<|im_end|>")
WINDOW = 64
OFFERED = (8, 16)
PROMPTS = {"query": "Instruct: {instruction}\nQuery:",
           "default_instruction": "Given a web search query, retrieve relevant passages that answer the query"}
GOLDEN = (("query", "which package owns a file?"), ("document", "Mount the file system and edit /etc/fstab."))
# Components of unit vectors, from -0.75 to 0.75.
SCALE, ZERO_POINT = np.float32(1.5 / 255), np.uint8(128)
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")
LINES = ("The quick brown fox jumps over the lazy dog.",
         "Given a web search query, retrieve relevant passages that answer the query",
         "Instruct: find the package that a file belongs to\nQuery: which package owns this file?",
         "Mount the file system, edit /etc/fstab and restart the server in 2026.",
         "Größe, façade, привет мир, 中文和日本語, 한국어.")


def trained_tokenizer():
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.normalizer = tokenizers.normalizers.NFC()
    made.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
        tokenizers.pre_tokenizers.Split(tokenizers.Regex(PATTERN), "isolated"),
        tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.post_processor = tokenizers.processors.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.train_from_iterator(LINES, tokenizers.trainers.BpeTrainer(
        vocab_size=400, show_progress=False, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    made.add_special_tokens(list(SPECIALS))
    return made


class Graph(qwen3_graph.Graph):
    """Builds one layout."""

    def __init__(self, config, weights, layout):
        super().__init__(config, weights)
        self.layout = layout

    def with_earlier(self, layer, name, x):
        if self.layout != "empty_kv":
            return x
        shape = ["texts", self.config.kv_heads, "earlier", self.config.head_width]
        earlier = self.take(f"past_key_values.{layer}.{name}", shape, TensorProto.FLOAT)
        both = self.op("Concat", earlier, x, axis=2)
        self.give(f"present.{layer}.{name}", both, ["texts", self.config.kv_heads, "all", self.config.head_width])
        return both

    def positions(self, places):
        if self.layout in ("pooled", "uint8"):
            return super().positions(places)
        return self.take("position_ids", ["texts", "tokens"])

    def build(self, layout="pooled"):
        if self.layout in ("pooled", "hidden"):
            return super().build(self.layout)
        ids = self.take("input_ids", ["texts", "tokens"])
        mask = self.take("attention_mask", ["texts", "tokens"])
        states = self.states(ids, mask)
        if self.layout == "uint8":
            data = self.op("QuantizeLinear", self.pooled(states, mask), self.floats(SCALE),
                           self.constant(ZERO_POINT, np.uint8))
            self.give("sentence_embedding", data, ["texts", self.config.width], TensorProto.UINT8)
        elif self.layout == "fp16":
            self.give("last_hidden_state", self.cast(states, TensorProto.FLOAT16),
                      ["texts", "tokens", self.config.width], TensorProto.FLOAT16)
        else:
            self.give("last_hidden_state", states, ["texts", "tokens", self.config.width])
        self.outputs.sort(key=lambda output: output.name.startswith("present"))  # as exports have them
        return self.model("tiny_qwen3")


def make_weights(config, seed=1):
    """float32 by name; scaled so that vectors of different texts differ."""
    random = np.random.Generator(np.random.PCG64(seed))

    def made(shape):
        if len(shape) == 1:
            return (1 + 0.1 * random.standard_normal(shape)).astype(np.float32)
        return (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)

    weights = {"embed": random.standard_normal((config.vocabulary, config.width)).astype(np.float32),
               "norm": made((config.width,))}
    for layer in range(config.layers):
        for name, shape in reference.layer_shapes(config).items():
            weights[f"{layer}.{name}"] = made(shape)
    return weights


def described(path):
    data = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def sequence(tokenizer, kind, text):
    """The ids that a model of this family is run on."""
    prompt = PROMPTS["query"].replace("{instruction}", PROMPTS["default_instruction"])
    text = prompt + text if kind == "query" else text
    return tokenizer.encode(text, add_special_tokens=False).ids + [tokenizer.token_to_id(END)]


def graph_members(config, layout):
    inputs = {"input_ids": "ids", "attention_mask": "mask"}
    if layout in ("hidden", "empty_kv", "fp16"):
        inputs["position_ids"] = "positions"
    members = {"inputs": inputs,
               "output": "sentence_embedding" if layout in ("pooled", "uint8") else "last_hidden_state"}
    if layout == "empty_kv":
        members["empty_kv"] = {"layers": config.layers, "heads": config.kv_heads, "head_dim": config.head_width,
                               "key": "past_key_values.{layer}.key", "value": "past_key_values.{layer}.value"}
    if layout == "fp16":
        members["output_type"] = "float16"
    if layout == "uint8":
        members["output_type"] = "uint8"
        members["dequantize"] = {"scale": float(SCALE), "zero_point": int(ZERO_POINT)}
    return members


def manifest(folder, layout, model):
    config, weights, tokenizer = model
    golden = []
    for kind, text in GOLDEN:
        head = reference.vector(config, weights, sequence(tokenizer, kind, text))[:16]
        golden.append({"type": kind, "text": text, "head": [round(float(x), 6) for x in head],
                       "min_cosine": 0.999 if layout == "uint8" else 0.99999})
    return {"id": f"tiny-qwen3-{layout.replace('_', '-')}", "revision": "1", "licence": "Apache-2.0",
            "tokenizer": {**described(folder / "tokenizer.json"), "append_ids": [tokenizer.token_to_id(END)]},
            "graph": {**described(folder / "model.onnx"), **graph_members(config, layout)},
            "prompts": PROMPTS, "max_tokens": WINDOW,
            "pooling": "in_graph" if layout in ("pooled", "uint8") else "last",
            "dims": {"native": config.width, "offered": list(OFFERED)}, "golden": golden}


def published_files(config, layout):
    """What stands beside the graph in the folders of such models, by path."""
    files = {
        "config.json": {
            "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": config.width,
            "num_hidden_layers": config.layers, "num_attention_heads": config.heads,
            "num_key_value_heads": config.kv_heads, "head_dim": config.head_width,
            "intermediate_size": config.inner, "rope_theta": config.theta, "rms_norm_eps": config.epsilon,
            "max_position_embeddings": config.positions, "vocab_size": config.vocabulary,
            "hidden_act": "silu", "tie_word_embeddings": True},
        "config_sentence_transformers.json": {
            "prompts": {"query": PROMPTS["query"].replace("{instruction}", PROMPTS["default_instruction"]),
                        "document": ""}, "default_prompt_name": None, "similarity_fn_name": "cosine"},
        "sentence_bert_config.json": {"max_seq_length": WINDOW, "do_lower_case": False},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}],
        "1_Pooling/config.json": {
            "word_embedding_dimension": config.width, "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False, "pooling_mode_weightedmean_tokens": False,
            "pooling_mode_lasttoken": True, "include_prompt": True}}
    assert layout in LAYOUTS
    return files


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_model(tokenizer_json):
    """(configuration, weights, tokenizer), the same at every call."""
    tokenizer = tokenizers.Tokenizer.from_str(tokenizer_json)
    config = reference.Config(vocabulary=tokenizer.get_vocab_size())
    return config, make_weights(config), tokenizer


def main(folder, tokenizer_json):
    model = load_model(tokenizer_json)
    for layout in LAYOUTS:
        target = folder / f"tiny-qwen3-{layout.replace('_', '-')}"
        target.mkdir(parents=True, exist_ok=True)
        (target / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
        graph = Graph(model[0], model[1], layout).build()
        onnx.checker.check_model(graph)
        onnx.save(graph, target / "model.onnx")
        for path, value in published_files(model[0], layout).items():
            write_json(target / path, value)
        # Last: AkiDB serves a folder by its manifest.
        write_json(target / "manifest.json", manifest(target, layout, model))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path)
    arguments = parser.parse_args()
    given = arguments.tokenizer
    main(arguments.folder, given.read_text(encoding="utf-8") if given else trained_tokenizer().to_str())
