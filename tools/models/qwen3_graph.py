"""Builds the ONNX graph of an embedding model on Qwen3's or Qwen2's decoder, in a layout and a precision.

Sums, norms, rotary positions and Softmax are float32 in every precision; what a precision chooses is
how products are computed (qwen3_precisions.py). Weights go into the graph, or, by a store, into a file
beside it, one after the other: what is held is the largest of them.
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

import qwen3_precisions
import qwen3_reference as reference

OPSET, IR_VERSION = 21, 10
ALIGNMENT = 4096  # of tensors in the file: it may be mapped
FLOAT = TensorProto.FLOAT


class Inline:
    """Keeps tensors in the graph."""

    def tensor(self, name, array, kind):
        return helper.make_tensor(name, kind, array.shape, np.ascontiguousarray(array).tobytes(), raw=True)


class BesideTheGraph:
    """Writes tensors of a kilobyte and more into a file in the graph's folder."""

    LEAST = 1024

    def __init__(self, path):
        self.path, self.file = path, open(path, "wb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def tensor(self, name, array, kind):
        if array.nbytes < self.LEAST:
            return Inline().tensor(name, array, kind)
        self.file.write(bytes(-self.file.tell() % ALIGNMENT))
        tensor = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", self.path.name), ("offset", self.file.tell()), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        self.file.write(np.ascontiguousarray(array).view(np.uint8).data)
        return tensor


class Graph:
    """The part that all layouts share: `states` and `pooled`. `weights` as qwen3_reference.py has them."""

    def __init__(self, config, weights, precision=None, store=None):
        self.config, self.weights = config, weights
        self.precision = precision or qwen3_precisions.Float32()
        self.store = store or Inline()
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []

    def op(self, kind, *inputs, **attributes):
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value, kind=np.int64):
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def floats(self, value):
        return self.tensor(np.asarray(value, np.float32), FLOAT)

    def tensor(self, array, kind):
        """A constant, where the store puts it."""
        name = f"weights_{len(self.constants)}"
        self.constants.append(self.store.tensor(name, array, kind))
        return name

    def cast(self, x, kind):
        return self.op("Cast", x, to=kind)

    def take(self, name, shape, kind=TensorProto.INT64):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def give(self, name, source, shape, kind=FLOAT):
        self.nodes.append(helper.make_node("Identity", [source], [name], name=name))
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def norm(self, x, gains):
        mean = self.op("ReduceMean", self.op("Mul", x, x), self.constant([-1]), keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, self.floats(self.config.epsilon)))
        return self.op("Mul", self.op("Div", x, root), self.floats(gains))

    def product(self, layer, name, x):
        """x with a matrix of weights."""
        return self.precision.product(self, x, (layer, name), self.weights[f"{layer}.{name}"])

    def heads(self, x, count):
        """texts x tokens x (count * head_width) as texts x tokens x count x head_width"""
        return self.op("Reshape", x, self.constant([0, 0, count, self.config.head_width]))

    def swapped(self, x):
        return self.op("Transpose", x, perm=[0, 2, 1, 3])

    def rotated(self, x, tables):
        half = self.config.head_width // 2
        low = self.op("Slice", x, self.constant([0]), self.constant([half]), self.constant([3]))
        high = self.op("Slice", x, self.constant([half]), self.constant([2 * half]), self.constant([3]))
        turned = self.op("Concat", self.op("Neg", high), low, axis=3)
        return self.op("Add", self.op("Mul", x, tables[0]), self.op("Mul", turned, tables[1]))

    def repeated(self, x):
        """Each head of keys or values for the queries that share it."""
        share = self.config.heads // self.config.kv_heads
        spread = self.op("Concat", *[self.op("Unsqueeze", x, self.constant([2]))] * share, axis=2)
        return self.op("Reshape", spread, self.constant([0, self.config.heads, -1, self.config.head_width]))

    def with_earlier(self, layer, name, x):
        """A layout may put keys or values of earlier tokens before x."""
        del layer, name
        return x

    def projected(self, layer, name, x):
        """Queries, keys or values: texts x heads x tokens x head_width, rotated yet not."""
        config = self.config
        x = self.product(layer, name, x)
        if config.biases:
            x = self.op("Add", x, self.floats(self.weights[f"{layer}.{name}_bias"]))
        x = self.heads(x, config.heads if name == "q" else config.kv_heads)
        if config.head_norms and name != "v":
            x = self.norm(x, self.weights[f"{layer}.{name}_norm"])
        return self.swapped(x)

    def attention(self, layer, x, tables, allowed):
        config = self.config
        q = self.rotated(self.projected(layer, "q", x), tables)
        q = self.op("Mul", q, self.floats(1 / np.sqrt(config.head_width)))
        k = self.with_earlier(layer, "key", self.rotated(self.projected(layer, "k", x), tables))
        v = self.with_earlier(layer, "value", self.projected(layer, "v", x))
        scores = self.precision.inner(self, q, self.op("Transpose", self.repeated(k), perm=[0, 1, 3, 2]))
        scores = self.op("Where", allowed, scores, self.floats(-1e30))
        mixed = self.precision.inner(self, self.op("Softmax", scores, axis=-1), self.repeated(v))
        joined = self.op("Reshape", self.swapped(mixed), self.constant([0, 0, config.heads * config.head_width]))
        return self.product(layer, "o", joined)

    def mlp(self, layer, x):
        gate, up = self.product(layer, "gate", x), self.product(layer, "up", x)
        gated = self.op("Mul", self.op("Mul", gate, self.op("Sigmoid", gate)), up)
        return self.product(layer, "down", gated)

    def positions(self, places):
        return self.op("Unsqueeze", places, self.constant([0]))

    def allowed(self, places, mask):
        real = self.op("Unsqueeze", self.cast(mask, TensorProto.BOOL), self.constant([1, 2]))
        if not self.config.causal:
            return real
        back = self.op("GreaterOrEqual", self.op("Unsqueeze", places, self.constant([1])),
                       self.op("Unsqueeze", places, self.constant([0])))
        return self.op("And", real, back)

    def states(self, ids, mask):
        count = self.op("Gather", self.op("Shape", ids), self.constant(1), axis=0)
        places = self.op("Range", self.constant(0), count, self.constant(1))
        positions = self.positions(places)
        tables = [self.op("Unsqueeze", self.op("Gather", self.floats(table), positions, axis=0), self.constant([1]))
                  for table in reference.rotary_tables(self.config)]
        allowed = self.allowed(places, mask)
        x = self.precision.rows(self, self.weights["embed"], ids)
        for layer in range(self.config.layers):
            normed = self.norm(x, self.weights[f"{layer}.input_norm"])
            x = self.op("Add", x, self.attention(layer, normed, tables, allowed))
            normed = self.norm(x, self.weights[f"{layer}.post_norm"])
            x = self.op("Add", x, self.mlp(layer, normed))
        return self.norm(x, self.weights["norm"])

    def pooled(self, states, mask):
        last = self.op("Sub", self.op("ReduceSum", mask, self.constant([1]), keepdims=1), self.constant(1))
        picked = self.op("GatherND", states, last, batch_dims=1)
        return self.op("Div", picked, self.op("ReduceL2", picked, self.constant([1]), keepdims=1))

    def build(self, layout="pooled"):
        """Ids and mask in; `pooled`: vectors out, `hidden`: hidden states."""
        ids = self.take("input_ids", ["texts", "tokens"])
        mask = self.take("attention_mask", ["texts", "tokens"])
        states = self.states(ids, mask)
        if layout == "pooled":
            self.give("sentence_embedding", self.pooled(states, mask), ["texts", self.config.width])
        else:
            self.give("last_hidden_state", states, ["texts", "tokens", self.config.width])
        return self.model("qwen3")

    def model(self, name):
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.constants)
        domains = {node.domain for node in self.nodes} - {""}
        opsets = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in domains)]
        return helper.make_model(graph, ir_version=IR_VERSION, opset_imports=opsets)
