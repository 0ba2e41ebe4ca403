"""The forward pass of embedding models on Qwen3's and Qwen2's decoders in numpy, without padding.

What an ONNX file or a runtime makes of a text is held against this. Architecture: Qwen3 (Yang et al.,
arXiv:2505.09388), as its published configuration names the parts: RMSNorm before attention and before
the MLP, RMSNorm over each head of queries and keys, rotary positions, grouped-query attention that
looks back only, SwiGLU. Qwen2 has biases of queries, keys and values in place of the norms of heads;
gte-Qwen2 looks both ways.

Weights are a mapping, matrices as inputs x outputs. Of one that reads them when they are asked for
(qwen3_folder.py) a layer at a time is held.
"""
import dataclasses

import numpy as np

# The inputs of products with weights, of which some share one.
PLACES = {"q": "qkv", "k": "qkv", "v": "qkv", "o": "o", "gate": "gate_up", "up": "gate_up", "down": "down"}


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
    head_norms: bool = True
    biases: bool = False
    causal: bool = True


def layer_shapes(config):
    """Of a layer's weights, by name."""
    queries, keys = config.heads * config.head_width, config.kv_heads * config.head_width
    shapes = {"q": (config.width, queries), "k": (config.width, keys), "v": (config.width, keys),
              "o": (queries, config.width), "gate": (config.width, config.inner),
              "up": (config.width, config.inner), "down": (config.inner, config.width),
              "input_norm": (config.width,), "post_norm": (config.width,)}
    if config.head_norms:
        shapes.update(q_norm=(config.head_width,), k_norm=(config.head_width,))
    if config.biases:
        shapes.update(q_bias=(queries,), k_bias=(keys,), v_bias=(keys,))
    return shapes


def rotary_tables(config, count=None):
    """cos and sin, positions x head_width."""
    half = np.arange(0, config.head_width, 2) / config.head_width
    angles = np.outer(np.arange(config.positions if count is None else count), config.theta ** -half)
    angles = np.concatenate([angles, angles], axis=1)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _norm(x, gains, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * gains


def _rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + np.concatenate([-x[..., half:], x[..., :half]], axis=-1) * sin


def _attention(config, w, x):
    """What goes into the product with `o`."""
    count = len(x)
    cos, sin = (table[:, None] for table in rotary_tables(config, count))
    q, k, v = ((x @ w[name] + w.get(f"{name}_bias", 0)).reshape(count, -1, config.head_width) for name in "qkv")
    if config.head_norms:
        q, k = (_norm(each, w[f"{name}_norm"], config.epsilon) for name, each in (("q", q), ("k", k)))
    q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
    k, v = (np.repeat(each, config.heads // config.kv_heads, axis=1) for each in (k, v))
    scores = np.einsum("qhd,khd->hqk", q, k, optimize=True) / np.sqrt(config.head_width)
    if config.causal:
        scores += np.triu(np.full((count, count), -np.inf, np.float32), 1)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return np.einsum("hqk,khd->qhd", shares, v, optimize=True).reshape(count, -1)


def _layer(config, w, x, observe):
    normed = _norm(x, w["input_norm"], config.epsilon)
    observe("qkv", normed)
    mixed = _attention(config, w, normed)
    observe("o", mixed)
    x = x + mixed @ w["o"]
    normed = _norm(x, w["post_norm"], config.epsilon)
    observe("gate_up", normed)
    gate = normed @ w["gate"]
    gated = gate / (1 + np.exp(-gate)) * (normed @ w["up"])
    observe("down", gated)
    return x + gated @ w["down"]


def hidden_states(config, weights, sequences, observe=lambda layer, place, x: None):
    """Of each sequence of ids, tokens x width, behind the last norm. `observe` sees what goes into
    products with weights (PLACES)."""
    table = weights["embed"]
    states = [table[ids] for ids in sequences]
    del table
    for layer in range(config.layers):
        w = {name: weights[f"{layer}.{name}"] for name in layer_shapes(config)}
        states = [_layer(config, w, x, lambda place, x, layer=layer: observe(layer, place, x)) for x in states]
    return [_norm(x, weights["norm"], config.epsilon) for x in states]


def vectors(config, weights, sequences, observe=lambda layer, place, x: None):
    """Of the last tokens, unit length, a row a sequence."""
    last = np.stack([states[-1] for states in hidden_states(config, weights, sequences, observe)])
    return last / np.linalg.norm(last, axis=1, keepdims=True)


def vector(config, weights, ids):
    return vectors(config, weights, [ids])[0]
