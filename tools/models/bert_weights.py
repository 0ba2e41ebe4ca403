"""Float32 weights of a BERT encoder, by the names that its publishers give them, out of a package.

Two forms: a file of safetensors, and an ONNX graph that keeps the names of biases. There matrices may
bear names of the exporter's; each is known by the bias that is added to its product.
"""
import json
import struct

import numpy as np


def from_safetensors(data):
    length, = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(data[8 + length + begin:8 + length + end], "<f4")
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def from_onnx(data):
    import onnx
    from onnx import numpy_helper
    graph = onnx.load_from_string(data).graph
    tensors = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        for bias, product in (node.input[:2], node.input[1::-1]) if node.op_type == "Add" else ():
            maker = makers.get(product)
            if bias.endswith(".bias") and maker is not None and maker.op_type == "MatMul":
                tensors[bias.removesuffix("bias") + "weight"] = tensors[maker.input[1]].T
    return tensors


def read(path):
    """By the name of the file: .onnx or .safetensors."""
    return parse(path.name, path.read_bytes())


def parse(name, data):
    return from_onnx(data) if name.endswith(".onnx") else from_safetensors(data)
