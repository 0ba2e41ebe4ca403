"""The graph of a BERT encoder: ids and mask in, hidden states out; float32, or INT8 by rows.

FloatGraph has the operators that ONNX Runtime would fuse already fused. RowGraph multiplies bytes: each
token's activations have a scale of their own (QuantizeLinear with one for each row), so that a text's
vector doesn't depend on the batch. FastGelu, GELU by tanh, moves vectors by less than the bytes do.
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "com.microsoft"
EMBEDDINGS = "embeddings."
# The matrices of a layer, by the activations that they multiply.
SITES = {"source": ("attention.self.query", "attention.self.key", "attention.self.value"),
         "mixed": ("attention.output.dense",),
         "attended": ("intermediate.dense",),
         "wide": ("output.dense",)}
# Bytes are unsigned (on x86-64 the runtime has no fast product of signed ones); their zero. What GELU
# gives is hardly negative.
ZERO = {"source": 128, "mixed": 128, "attended": 128, "wide": 32}
# A row's largest number is taken for no less: nothing is divided by zero, and -0.17, the least that GELU
# gives, fits the bytes below zero.
LEAST = {"source": 1e-6, "mixed": 1e-6, "attended": 1e-6, "wide": 1.2}


def layers(weights):
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))


def sites(weights):
    """(name of the activations, kind, names of the matrices that multiply them) of all layers."""
    for i in range(layers(weights)):
        for kind, matrices in SITES.items():
            yield (f"encoder.layer.{i}.{kind}", kind,
                   [f"encoder.layer.{i}.{matrix}" for matrix in matrices])


class FloatGraph:
    def __init__(self, weights, heads):
        self.weights, self.heads = weights, heads
        self.width = weights[EMBEDDINGS + "LayerNorm.weight"].shape[0]
        self.nodes, self.values = [], {}

    def constant(self, name, array):
        self.values.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind, inputs, output, **attributes):
        domain = DOMAIN if kind in ("MultiHeadAttention", "SkipLayerNormalization", "BiasGelu", "FastGelu",
                                    "MatMulIntegerToFloat") else ""
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def tensor(self, name):
        return self.constant(name, self.weights[name])

    # The three below are what RowGraph does its own way.
    def activations(self, source, name):
        return self.node("Identity", [source], name)

    def product(self, activations, matrix):
        weight = self.constant(matrix + ".weight", self.weights[matrix + ".weight"].T)
        return self.node("MatMul", [activations, weight], matrix + ".product")

    def gelu(self, source, bias, output):
        return self.node("BiasGelu", [source, bias], output)

    def normalized(self, product, source, names):
        """Of product + its bias + source. `names`: of the norm, of the matrix, of the result."""
        norm, matrix, output = names
        inputs = [product, source, self.tensor(norm + ".weight"), self.tensor(norm + ".bias"),
                  self.tensor(matrix + ".bias")]
        return self.node("SkipLayerNormalization", inputs, output, epsilon=1e-12)

    def embeddings(self):
        """Rows: tokens of all texts x width."""
        w = self.weights
        words = self.node("Gather", [self.tensor(EMBEDDINGS + "word_embeddings.weight"), "input_ids"], "words")
        # Every text is of type 0.
        table = (w[EMBEDDINGS + "position_embeddings.weight"]
                 + w[EMBEDDINGS + "token_type_embeddings.weight"][0])
        length = self.node("Shape", ["input_ids"], "length", start=1, end=2)
        places = self.node("Slice", [self.constant("places.weight", table),
                                     self.constant("zero", np.array([0], np.int64)), length], "places")
        embedded = self.node("Add", [words, places], "embedded")
        rows = self.node("Reshape", [embedded, self.constant("as_rows", np.array([-1, self.width], np.int64))],
                         "embedded_rows")
        norm = [self.tensor(EMBEDDINGS + "LayerNorm." + part) for part in ("weight", "bias")]
        return self.node("LayerNormalization", [rows, *norm], "states", axis=-1, epsilon=1e-12)

    def attention(self, layer, source):
        activations = self.activations(source, layer + "source")
        parts = []
        for matrix in SITES["source"]:
            rows = self.product(activations, layer + matrix)
            parts.append(self.node("Reshape", [rows, "as_texts"], layer + matrix + ".texts"))
        biases = [self.weights[layer + matrix + ".bias"] for matrix in SITES["source"]]
        bias = self.constant(layer + "attention.bias", np.concatenate(biases))
        mixed = self.node("MultiHeadAttention", [*parts, bias, "mask"], layer + "mixed.texts",
                          num_heads=self.heads)
        return self.node("Reshape", [mixed, "as_rows"], layer + "mixed.rows")

    def layer(self, i, source):
        name = f"encoder.layer.{i}."
        mixed = self.activations(self.attention(name, source), name + "mixed")
        attended = self.normalized(
            self.product(mixed, name + "attention.output.dense"), source,
            (name + "attention.output.LayerNorm", name + "attention.output.dense", name + "attended.rows"))
        wide = self.product(self.activations(attended, name + "attended"), name + "intermediate.dense")
        wide = self.gelu(wide, self.tensor(name + "intermediate.dense.bias"), name + "wide.rows")
        narrow = self.product(self.activations(wide, name + "wide"), name + "output.dense")
        return self.normalized(narrow, attended,
                               (name + "output.LayerNorm", name + "output.dense", name + "states"))

    def prepare(self):
        self.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
        shape = self.node("Shape", ["input_ids"], "shape")
        width = self.constant("width", np.array([self.width], np.int64))
        self.node("Concat", [shape, width], "as_texts", axis=0)

    def build(self, outputs=()):
        """`outputs`: names of activations to give out, too."""
        self.prepare()
        states = self.embeddings()
        for i in range(layers(self.weights)):
            states = self.layer(i, states)
        self.node("Reshape", [states, "as_texts"], "last_hidden_state")
        info = helper.make_tensor_value_info
        inputs = [info(name, TensorProto.INT64, ["texts", "tokens"])
                  for name in ("input_ids", "attention_mask")]
        results = [info("last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", self.width])]
        results += [info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "bert", inputs, results, list(self.values.values()))
        return helper.make_model(graph, ir_version=10, opset_imports=[
            helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)])


class RowGraph(FloatGraph):
    def __init__(self, weights, heads, quantized):
        """`quantized`: int8_weights.Quantized."""
        super().__init__(weights, heads)
        self.quantized = quantized

    def prepare(self):
        super().prepare()
        flat = self.node("Reshape", ["input_ids", self.constant("as_list", np.array([-1], np.int64))], "flat")
        rows = self.node("Shape", [flat], "rows")
        self.constant("one", np.float32(1))
        for zero in set(ZERO.values()):
            number = self.constant(f"zero.{zero}", np.uint8(zero))
            self.node("Expand", [number, rows], f"zeros.{zero}")

    def activations(self, source, name):
        """Bytes, the scale of each row as a column, and the bytes' zero."""
        kind = name.rsplit(".", 1)[1]
        factors = self.quantized.factors.get(name)
        if factors is not None:
            source = self.node("Mul", [source, self.constant(name + ".factors", 1 / factors)], name + ".even")
        zero = ZERO[kind]
        last = self.constant("last", np.array([-1], np.int64))
        # The largest of what GELU gives is positive.
        size = source if kind == "wide" else self.node("Abs", [source], name + ".size")
        most = self.node("ReduceMax", [size, last], name + ".most", keepdims=0)
        most = self.node("Max", [most, self.constant(f"least.{kind}", np.float32(LEAST[kind]))], name + ".bound")
        step = self.constant(f"step.{zero}", np.float32(1 / (255 - zero)))
        scale = self.node("Mul", [most, step], name + ".scale")
        rows = self.node("QuantizeLinear", [source, scale, f"zeros.{zero}"], name + ".bytes", axis=0)
        return rows, self.node("Unsqueeze", [scale, last], name + ".column"), f"zero.{zero}"

    def product(self, activations, matrix):
        rows, column, zero = activations
        numbers, scales = self.quantized.matrices[matrix]
        numbers = self.constant(matrix + ".numbers", numbers.T)
        scales = self.constant(matrix + ".scales", scales)
        product = self.node("MatMulIntegerToFloat", [rows, numbers, "one", scales, zero], matrix + ".sums")
        return self.node("Mul", [product, column], matrix + ".product")

    def gelu(self, source, bias, output):
        return self.node("FastGelu", [source, bias], output)
