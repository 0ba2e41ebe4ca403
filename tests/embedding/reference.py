"""The reference pipeline: onnxruntime and tokenizers driven from Python, mean pooling, unit length.

Runs in the environment of prepare.sh. The default model must be installed (akidb models pull).
"""
import pathlib

import numpy as np
import onnxruntime
import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "build" / "models" / "all-minilm-l6-v2"
WINDOW = 256


class Reference:
    def __init__(self, threads=2, defaults=True):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(WINDOW)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        if not defaults:  # the session settings that AkiDB uses
            options.enable_cpu_mem_arena = False
            options.enable_mem_pattern = False
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            str(MODEL / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def embed(self, texts, batch=16):
        """Vectors in the order of `texts`; batches are sorted by length, the longest first."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        vectors = np.empty((len(texts), 384), np.float32)
        for begin in range(0, len(order), batch):
            rows = order[begin:begin + batch]
            vectors[rows] = self._run([ids[i] for i in rows])
        return vectors

    def _run(self, ids):
        length = max(map(len, ids))
        tokens = np.zeros((len(ids), length), np.int64)
        mask = np.zeros_like(tokens)
        for row, sequence in enumerate(ids):
            tokens[row, :len(sequence)] = sequence
            mask[row, :len(sequence)] = 1
        states = self.session.run(None, {"input_ids": tokens, "attention_mask": mask,
                                         "token_type_ids": np.zeros_like(tokens)})[0]
        weights = mask[:, :, None].astype(np.float32)
        pooled = (states * weights).sum(1) / weights.sum(1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
