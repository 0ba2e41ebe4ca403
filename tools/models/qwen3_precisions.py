"""How a graph of qwen3_graph.py computes its products.

  fp32   as it stands
  fp16   products in float16; its range ends at 65,504
  bf16   products in bfloat16, as the model was trained; ONNX Runtime has none for the processor
  int8   Q/DQ: INT8, a scale for each column of weights, one for each activation, from calibration
  fp8    Q/DQ: FLOAT8E4M3FN, likewise; for GPUs of compute capability 8.9 and later
  int8w  MatMulNBits: 8-bit weights, a scale for each 32; for the processor, needs no calibration
  int4w  likewise with 4 bits; ONNX Runtime has it for CUDA, too

Q/DQ stand where TensorRT fuses them with a product: at both its inputs, the weights stored quantized
and only dequantized. Scales are float32: of the weights' the least would be no normal number in
float16. The table of words and, in fp8, the products within attention are float16.
"""
import dataclasses

import ml_dtypes
import numpy as np
from onnx import TensorProto

import qwen3_reference as reference

FLOAT, FLOAT16, BFLOAT16 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16
TYPES = {FLOAT: np.float32, FLOAT16: np.float16, BFLOAT16: ml_dtypes.bfloat16}
NAMES = ("fp32", "fp16", "bf16", "int8", "fp8", "int8w", "int4w")
CALIBRATED = ("int8", "fp8")
BLOCK = 32
# What has no column of weights or no activation to take a scale from.
LEAST_SCALE = np.float32(2.0 ** -100)


class Float32:
    attention = table = FLOAT

    def rows(self, graph, table, ids):
        data = graph.tensor(table.astype(TYPES[self.table], copy=False), self.table)
        picked = graph.op("Gather", data, ids, axis=0)
        return picked if self.table == FLOAT else graph.cast(picked, FLOAT)

    def inner(self, graph, a, b):
        """The product of two activations."""
        return self._in(self.attention, graph, a, b)

    def product(self, graph, x, place, matrix):
        del place
        return graph.op("MatMul", x, graph.tensor(matrix, FLOAT))

    @staticmethod
    def _in(kind, graph, a, b):
        if kind == FLOAT:
            return graph.op("MatMul", a, b)
        return graph.cast(graph.op("MatMul", graph.cast(a, kind), graph.cast(b, kind)), FLOAT)


class Half(Float32):
    """16 bits."""

    def __init__(self, kind):
        self.attention = self.table = kind

    def product(self, graph, x, place, matrix):
        data = graph.tensor(matrix.astype(TYPES[self.table]), self.table)
        return graph.cast(graph.op("MatMul", graph.cast(x, self.table), data), FLOAT)


@dataclasses.dataclass(frozen=True)
class Eighth:
    """A type of 8 bits."""
    kind: int
    type: type
    most: float
    whole: bool

    def rounded(self, array):
        array = np.clip(array, -self.most, self.most)
        return (np.rint(array) if self.whole else array).astype(self.type)


INT8 = Eighth(TensorProto.INT8, np.int8, 127, True)
FP8 = Eighth(TensorProto.FLOAT8E4M3FN, ml_dtypes.float8_e4m3fn, 448, False)


class Quantized(Float32):
    """Q/DQ. `most` by (layer, PLACES): the greatest activation to be represented."""

    table = FLOAT16

    def __init__(self, eighth, most, attention=FLOAT):
        self.eighth, self.most, self.attention = eighth, most, attention
        self.done = {}

    def _activation(self, graph, x, place):
        """Once for the products that share it."""
        if (id(graph), x) not in self.done:
            layer, name = place
            most = np.float32(self.most[layer, reference.PLACES[name]])
            scale = graph.tensor(np.maximum(most / np.float32(self.eighth.most), LEAST_SCALE), FLOAT)
            zero = graph.tensor(np.zeros((), self.eighth.type), self.eighth.kind)
            data = graph.op("QuantizeLinear", x, scale, zero)
            self.done[id(graph), x] = graph.op("DequantizeLinear", data, scale, zero)
        return self.done[id(graph), x]

    def product(self, graph, x, place, matrix):
        scales = np.maximum(np.abs(matrix).max(0) / np.float32(self.eighth.most), LEAST_SCALE)
        data = graph.tensor(self.eighth.rounded(matrix / scales), self.eighth.kind)
        zero = graph.tensor(np.zeros(matrix.shape[1], self.eighth.type), self.eighth.kind)
        weights = graph.op("DequantizeLinear", data, graph.tensor(scales, FLOAT), zero, axis=1)
        return graph.op("MatMul", self._activation(graph, x, place), weights)


class Blocks(Float32):
    """Weights of 8 or 4 bits in blocks along the inputs; ONNX Runtime's own operator."""

    table = FLOAT16

    def __init__(self, bits):
        self.bits = bits

    def product(self, graph, x, place, matrix):
        inputs, outputs = matrix.shape
        blocks = -(-inputs // BLOCK)
        columns = np.zeros((outputs, blocks * BLOCK), np.float32)
        columns[:, :inputs] = matrix.T
        columns = columns.reshape(outputs, blocks, BLOCK)
        scales, data = self.rounded(columns)
        return graph.op("MatMulNBits", x, graph.tensor(data, TensorProto.UINT8),
                        graph.tensor(scales.reshape(-1), FLOAT), domain="com.microsoft",
                        K=inputs, N=outputs, bits=self.bits, block_size=BLOCK, accuracy_level=4)


    def rounded(self, columns):
        """A scale for each block, and unsigned numbers, half their range being zero."""
        middle = 1 << (self.bits - 1)
        if self.bits == 8:
            scales = np.maximum(np.abs(columns).max(2) / np.float32(middle - 1), LEAST_SCALE)
        else:
            # Of so few numbers the one without an opposite counts: the largest weight gets it.
            largest = np.take_along_axis(columns, np.abs(columns).argmax(2)[:, :, None], 2)[:, :, 0]
            scales = largest / np.float32(-middle)
            scales = np.where(np.abs(scales) < LEAST_SCALE, LEAST_SCALE, scales)
        data = np.clip(np.rint(columns / scales[:, :, None]), -middle, middle - 1)
        data = (data + middle).astype(np.uint8)
        # The first of two has the low bits.
        return scales, data if self.bits == 8 else data[:, :, ::2] | data[:, :, 1::2] << 4


def made(name, most=None):
    """By NAMES; `most` for those of CALIBRATED."""
    return {"fp32": Float32, "fp16": lambda: Half(FLOAT16), "bf16": lambda: Half(BFLOAT16),
            "int8": lambda: Quantized(INT8, most), "fp8": lambda: Quantized(FP8, most, FLOAT16),
            "int8w": lambda: Blocks(8), "int4w": lambda: Blocks(4)}[name]()
