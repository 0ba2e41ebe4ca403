"""The forward pass of a Qwen3 embedding model in numpy, one text at a time, without padding.

What an ONNX file or a runtime makes of a text is held against this. Architecture: Qwen3 (Yang et al.,
arXiv:2505.09388), as its published configuration names the parts: RMSNorm before attention and before
the MLP, RMSNorm over each head of queries and keys, rotary positions, grouped-query attention that
looks back only, SwiGLU.
"""
import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Config:
    vocabulary: int
    layers: int = 4
    width: int = 32
    heads: int = 4
    kv_heads: int = 2
    head_width: int = 16  # not width / heads: no code may take the one for the other
    inner: int = 48
    positions: int = 128
    theta: float = 1e6
    epsilon: float = 1e-6


def make_weights(config, seed=1):
    """float32 by name; scaled so that vectors of different texts differ."""
    random = np.random.Generator(np.random.PCG64(seed))

    def matrix(rows, columns):
        return (random.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)

    def gains(width):
        return (1 + 0.1 * random.standard_normal(width)).astype(np.float32)

    weights = {"embed": random.standard_normal((config.vocabulary, config.width)).astype(np.float32),
               "norm": gains(config.width)}
    for layer in range(config.layers):
        for name, shape in (("q", (config.width, config.heads * config.head_width)),
                            ("k", (config.width, config.kv_heads * config.head_width)),
                            ("v", (config.width, config.kv_heads * config.head_width)),
                            ("o", (config.heads * config.head_width, config.width)),
                            ("gate", (config.width, config.inner)), ("up", (config.width, config.inner)),
                            ("down", (config.inner, config.width))):
            weights[f"{layer}.{name}"] = matrix(*shape)
        for name, width in (("input_norm", config.width), ("post_norm", config.width),
                            ("q_norm", config.head_width), ("k_norm", config.head_width)):
            weights[f"{layer}.{name}"] = gains(width)
    return weights


def rotary_tables(config):
    """cos and sin, positions x head_width."""
    half = np.arange(0, config.head_width, 2) / config.head_width
    angles = np.outer(np.arange(config.positions), config.theta ** -half)
    angles = np.concatenate([angles, angles], axis=1)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _norm(x, gains, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * gains


def _rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + np.concatenate([-x[..., half:], x[..., :half]], axis=-1) * sin


def hidden_states(config, weights, ids):
    """tokens x width, behind the last norm."""
    x = weights["embed"][ids]
    count = len(ids)
    cos, sin = (table[:count, None] for table in rotary_tables(config))
    ahead = np.triu(np.full((count, count), -np.inf, np.float32), 1)

    for layer in range(config.layers):
        w = {name.split(".")[1]: value for name, value in weights.items() if name.startswith(f"{layer}.")}
        normed = _norm(x, w["input_norm"], config.epsilon)
        q, k, v = ((normed @ w[name]).reshape(count, -1, config.head_width) for name in "qkv")
        q = _rotate(_norm(q, w["q_norm"], config.epsilon), cos, sin)
        k = _rotate(_norm(k, w["k_norm"], config.epsilon), cos, sin)
        k, v = (np.repeat(each, config.heads // config.kv_heads, axis=1) for each in (k, v))
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(config.head_width) + ahead
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        x = x + np.einsum("hqk,khd->qhd", shares, v).reshape(count, -1) @ w["o"]
        normed = _norm(x, w["post_norm"], config.epsilon)
        gate = normed @ w["gate"]
        x = x + (gate / (1 + np.exp(-gate)) * (normed @ w["up"])) @ w["down"]
    return _norm(x, weights["norm"], config.epsilon)


def vector(config, weights, ids):
    """Of the last token, unit length."""
    last = hidden_states(config, weights, ids)[-1]
    return last / np.linalg.norm(last)
