"""What AkiDB is measured against by figures.py: the same ONNX file and tokenizer in other programs' hands. Each
has embed(texts), which gives unit vectors in the order of the texts."""
import json
import pathlib
import shutil
import time

import fastembed
import numpy
import onnxruntime
import tokenizers
from fastembed.common.model_description import ModelSource, PoolingType

WINDOW = 256
NAME = "akidb/figures"


class Fastembed:
    """Its own batches (256 texts in the order given), threads and session settings; the model by its support
    of custom ones: mean pooling, normalised."""

    def __init__(self, model, folder):
        folder = pathlib.Path(folder)
        for name in ("model.onnx", "tokenizer.json"):
            shutil.copy(model / name, folder / name)
        (folder / "config.json").write_text(json.dumps({"pad_token_id": 0}), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"model_max_length": WINDOW, "pad_token": "[PAD]"}), encoding="utf-8")
        fastembed.TextEmbedding.add_custom_model(
            model=NAME, pooling=PoolingType.MEAN, normalization=True, sources=ModelSource(hf=NAME), dim=384,
            model_file="model.onnx")
        self.model = fastembed.TextEmbedding(
            NAME, specific_model_path=str(folder), providers=["CPUExecutionProvider"])

    def embed(self, texts):
        return numpy.array(list(self.model.embed(texts)))


class Onnxruntime:
    """Batches of `batch` texts sorted by length, the session's settings left as they are but for the threads."""

    def __init__(self, model, threads, batch=8):
        self.batch = batch
        self.tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(WINDOW)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def ids(self, texts):
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]

    def embed(self, texts):
        ids = self.ids(texts)
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        vectors = numpy.empty((len(texts), 384), numpy.float32)
        for begin in range(0, len(order), self.batch):
            rows = order[begin:begin + self.batch]
            vectors[rows] = self.run([ids[i] for i in rows])
        return vectors

    def inputs(self, ids):
        tokens = numpy.zeros((len(ids), max(map(len, ids))), numpy.int64)
        mask = numpy.zeros_like(tokens)
        for row, sequence in enumerate(ids):
            tokens[row, :len(sequence)] = sequence
            mask[row, :len(sequence)] = 1
        return {"input_ids": tokens, "attention_mask": mask, "token_type_ids": numpy.zeros_like(tokens)}

    def run(self, ids):
        inputs = self.inputs(ids)
        states = self.session.run(None, inputs)[0]
        weights = inputs["attention_mask"][:, :, None].astype(numpy.float32)
        pooled = (states * weights).sum(1) / weights.sum(1)
        return pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)

    def bare_ms(self, ids):
        """Of the session's run alone, for one text whose ids are there."""
        inputs = self.inputs([ids])
        begin = time.perf_counter()
        self.session.run(None, inputs)
        return (time.perf_counter() - begin) * 1000


def peak_gflops(size=1536):
    """(by the clock, a second of processor time): one product of two square matrices in single precision by
    numpy's OpenBLAS, on all cores."""
    left = numpy.ones((size, size), numpy.float32)
    right = numpy.ones((size, size), numpy.float32)
    numpy.dot(left, right)
    begin, processor = time.perf_counter(), time.process_time()
    for _ in range(4):
        numpy.dot(left, right)
    flop = 4 * 2 * size**3 / 1e9
    return flop / (time.perf_counter() - begin), flop / (time.process_time() - processor)
