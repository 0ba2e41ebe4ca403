"""Calibration, and how near a written graph comes to the float32 reference.

The reference is the forward pass in numpy over the publisher's weights, all texts through one layer
before the next is read: what is held is a layer and the texts' states.
"""
import numpy as np

import qwen3_reference as reference

# The least cosine of a text, and the least nDCG@10 with the reference's order as what is right.
LEAST = {"fp32": (0.9999, 0.999), "fp16": (0.999, 0.99), "bf16": (0.999, 0.99),
         "int8": (0.98, 0.95), "fp8": (0.98, 0.95), "int8w": (0.98, 0.95), "int4w": (0.95, 0.9)}
CALIBRATION_TOKENS = 512
QUERY_EVERY = 8
DEPTH = 10


def read_texts(path, count):
    """One a line; empty ones are left out."""
    with open(path, encoding="utf-8") as file:
        lines = (line.strip() for line in file)
        return [line for line, _ in zip((line for line in lines if line), range(count))]


def kinds(texts):
    """Each as a document, and every eighth as a query, too."""
    return [("document", text) for text in texts] + [("query", text) for text in texts[::QUERY_EVERY]]


def calibrated(folder, texts, percentile):
    """By (layer, place), the greatest over texts of the percentile of the activations' magnitudes."""
    most = {}

    def observe(layer, place, x):
        found = np.abs(x).max() if percentile >= 100 else np.percentile(np.abs(x), percentile)
        most[layer, place] = max(most.get((layer, place), np.float32(0)), np.float32(found))

    sequences = [folder.texts.ids(kind, text) for kind, text in kinds(texts)]
    sequences = [ids[:CALIBRATION_TOKENS - 1] + ids[-1:] if len(ids) > CALIBRATION_TOKENS else ids
                 for ids in sequences]
    reference.hidden_states(folder.config, folder.weights, sequences, observe)
    return most


def ndcg(order, found):
    """Of one query: gains of 10 to 1 for the reference's first ten."""
    gains = {text: DEPTH - rank for rank, text in enumerate(order[:DEPTH])}
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))

    def of(texts):
        return sum(gains.get(text, 0) * discount for text, discount in zip(texts, discounts))

    return of(found) / of(order)


def compared(right, vectors, documents):
    """Figures; rows of documents come first, those of queries behind them."""
    cosines = (right * vectors).sum(1)
    scores = [ndcg(list(np.argsort(-(right[:documents] @ query), kind="stable")),
                   list(np.argsort(-(vectors[:documents] @ own), kind="stable")))
              for query, own in zip(right[documents:], vectors[documents:])]
    return {"texts": len(cosines), "cosine_least": round(float(cosines.min()), 6),
            "cosine_mean": round(float(cosines.mean()), 6),
            "ndcg_at_10": round(float(np.mean(scores)), 4) if scores and documents > DEPTH else None}


def run(path, layout, sequences):
    """Vectors by ONNX Runtime on the processor, a text at a time."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    # It would make INT8 operators of FP8 Q/DQ, which it then refuses.
    options.add_session_config_entry("session.disable_quant_qdq", "1" if ".fp8." in path.name else "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    rows = []
    for ids in sequences:
        tokens = np.array([ids], np.int64)
        row = session.run(None, {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})[0][0]
        rows.append(row if layout == "pooled" else row[-1] / np.linalg.norm(row[-1]))
    return np.stack(rows)


def failures(name, figures, least):
    """What of the figures isn't enough, in words."""
    wanted = dict(zip(("cosine_least", "ndcg_at_10"), least))
    return [f"{name}: {member} is {figures[member]}, less than {value}" for member, value in wanted.items()
            if figures[member] is not None and not figures[member] >= value]
