"""Bytes for the matrices of a BERT encoder, and the factors that make its activations fit bytes.

Factors: a few channels of activations are much larger than the rest, and would take a row's scale for
themselves. Each channel is divided by a factor, and its row of the matrix multiplied by it (SmoothQuant,
https://arxiv.org/abs/2211.10438, section 4); POWERS says how much of the difference goes to the matrix.
Bytes: rounded one input at a time, each error spread over the inputs still to come, by the moments of
the activations (GPTQ, https://arxiv.org/abs/2210.17323, section 3). One scale for each output.
The activations are those of CALIBRATION texts: the descriptions of operators that the package onnx
brings along. They are in English, pinned, and no part of any test.
"""
import dataclasses
import re

import numpy as np
import onnx
import onnx.defs
import onnxruntime

import bert_graph

POWERS = {"source": 0.8, "attended": 0.5}
DAMPING = 0.01
BLOCK = 32
TEXT_CHARACTERS = 900


@dataclasses.dataclass
class Quantized:
    factors: dict   # of activations, by name: what each channel is divided by
    matrices: dict  # by name: bytes (outputs x inputs) and a scale for each output


def calibration_texts():
    texts = (re.sub(r"\s+", " ", schema.doc).strip()[:TEXT_CHARACTERS]
             for schema in onnx.defs.get_all_schemas() if schema.domain == "" and schema.doc)
    return sorted({text for text in texts if len(text) > 200})


def moments(graph, sequences):
    """By name of activations: the largest size of each channel, and the sums of products of two."""
    names = [name for name, *_ in bert_graph.sites(graph.weights)]
    options = onnxruntime.SessionOptions()
    # Its threads would wait by spinning, in the way of numpy's.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph.build(outputs=names).SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    sizes, products = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for sequence in sequences:
        ids = np.array([sequence], np.int64)
        rows = session.run(names, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        for name, values in zip(names, rows):
            sizes[name] = np.maximum(sizes[name], np.abs(values).max(0))
            products[name] = products[name] + values.T @ values
    return sizes, products


def even_factors(sizes, matrices, power):
    """Of each channel, their geometric mean 1. `matrices`: all that multiply these activations."""
    largest = np.max([np.abs(matrix).max(0) for matrix in matrices], axis=0)
    factors = np.maximum(sizes, 1e-3) ** power / np.maximum(largest, 1e-4) ** (1 - power)
    return (factors / np.exp(np.log(factors).mean())).astype(np.float32)


def best_scales(matrix, weights):
    """For each output that scale, of some from its largest number's down, whose rounding errs least."""
    full = np.abs(matrix).max(1) / 127
    scales, least = full, np.full(len(matrix), np.inf)
    for part in np.arange(1, 0.55, -0.05):
        tried = full * part
        numbers = np.clip(np.rint(matrix / tried[:, None]), -127, 127)
        errors = ((matrix - numbers * tried[:, None]) ** 2 * weights).sum(1)
        scales, least = np.where(errors < least, tried, scales), np.minimum(errors, least)
    return scales


class Rounding:
    """For matrices whose inputs have these sums of products."""

    def __init__(self, products):
        inputs = len(products)
        products = products + np.eye(inputs) * DAMPING * np.trace(products) / inputs
        self.weights = np.diag(products)
        self.order = np.argsort(-self.weights, kind="stable")
        ordered = products[np.ix_(self.order, self.order)]
        self.spread = np.linalg.cholesky(np.linalg.inv(ordered)).T

    def rounded(self, matrix):
        """Bytes and scales of `matrix` (outputs x inputs)."""
        inputs = matrix.shape[1]
        scales = best_scales(matrix, self.weights)
        # Inputs x outputs, that each step takes what lies together.
        rest = np.ascontiguousarray(matrix.T[self.order], np.float64)
        numbers = np.empty_like(rest)
        for begin in range(0, inputs, BLOCK):
            end = min(begin + BLOCK, inputs)
            errors = np.empty((end - begin, rest.shape[1]))
            for i in range(begin, end):
                numbers[i] = np.clip(np.rint(rest[i] / scales), -127, 127)
                errors[i - begin] = (rest[i] - numbers[i] * scales) / self.spread[i, i]
                rest[i:end] -= np.outer(self.spread[i, i:end], errors[i - begin])
            rest[end:] -= self.spread[begin:end, end:].T @ errors
        return numbers[np.argsort(self.order)].T.astype(np.int8), scales.astype(np.float32)


def quantized(graph, sequences):
    """`graph`: a FloatGraph, not yet built. `sequences`: ids of the calibration texts."""
    sizes, products = moments(graph, sequences)
    result = Quantized({}, {})
    for name, kind, matrices in bert_graph.sites(graph.weights):
        tensors = [graph.weights[matrix + ".weight"] for matrix in matrices]
        factors = np.ones(len(products[name]), np.float32)
        if kind in POWERS:
            factors = result.factors[name] = even_factors(sizes[name], tensors, POWERS[kind])
        rounding = Rounding(products[name].astype(np.float64) / np.outer(factors, factors))
        for matrix, tensor in zip(matrices, tensors):
            result.matrices[matrix] = rounding.rounded(tensor * factors)
    return result
