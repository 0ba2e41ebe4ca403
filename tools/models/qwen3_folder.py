"""A published folder of an embedding model on Qwen3's or Qwen2's decoder: what it holds, checked.

Whatever would make other vectors than the graph computes refuses the folder, by the file and the member
that say it.
"""
import collections.abc
import re

import numpy as np
import tokenizers

import qwen3_reference as reference
from safetensors_files import Refused, Tensors, read_json

FAMILIES = {"qwen3": {"head_norms": True, "biases": False}, "qwen2": {"head_norms": False, "biases": True}}
# The publisher's names of a layer's weights, by ours.
LAYER = {"q": "self_attn.q_proj.weight", "k": "self_attn.k_proj.weight", "v": "self_attn.v_proj.weight",
         "o": "self_attn.o_proj.weight", "gate": "mlp.gate_proj.weight", "up": "mlp.up_proj.weight",
         "down": "mlp.down_proj.weight", "input_norm": "input_layernorm.weight",
         "post_norm": "post_attention_layernorm.weight", "q_norm": "self_attn.q_norm.weight",
         "k_norm": "self_attn.k_norm.weight", "q_bias": "self_attn.q_proj.bias",
         "k_bias": "self_attn.k_proj.bias", "v_bias": "self_attn.v_proj.bias"}
# Not of an embedding model's forward pass: the head of the generating one, tables that are computed.
UNUSED = re.compile(r"lm_head\.weight|.*rotary_emb\.inv_freq")
END = "<|endoftext|>"
INSTRUCTION = re.compile(r"Instruct: (?P<instruction>[^{}]+)\n(?P<rest>Query: ?)")


def _number(config, name, kind=int):
    value = config.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, kind)) or value <= 0:
        raise Refused(f"config.json: {name} is {value!r}, not a positive number")
    return value


def _theta(config):
    """transformers 5 writes rope_parameters in place of rope_theta and rope_scaling."""
    rope = config.get("rope_parameters") or {}
    scaling = config.get("rope_scaling")
    if scaling or rope.get("rope_type", "default") != "default":
        raise Refused(f"config.json: rope_scaling: {scaling or rope} is not implemented")
    return float(_number({"rope_theta": rope.get("rope_theta", config.get("rope_theta"))}, "rope_theta", float))


def _check_architecture(config):
    family = config.get("model_type")
    if family not in FAMILIES:
        raise Refused(f"config.json: model_type is {family!r}; {' and '.join(FAMILIES)} are converted")
    # Both say nothing else of Qwen2, whose usual code looks back only.
    if family == "qwen2" and config.get("is_causal") is not False:
        raise Refused("config.json: is_causal isn't false: of qwen2 only models that look both ways, as gte-Qwen2, "
                      "are converted")
    if family == "qwen3" and (config.get("is_causal") is False or config.get("use_bidirectional_attention")):
        raise Refused("config.json: is_causal: a qwen3 that looks both ways isn't implemented")
    window = config.get("use_sliding_window") or set(config.get("layer_types", [])) - {"full_attention"}
    for wrong, name in ((window, "use_sliding_window"), (config.get("attention_bias"), "attention_bias"),
                        (config.get("quantization_config"), "quantization_config"),
                        (config.get("hidden_act") != "silu", "hidden_act")):
        if wrong:
            raise Refused(f"config.json: {name}: {config.get(name)!r} is not implemented")


def architecture(config, positions):
    """The Config of a config.json; tables of positions as long as the window."""
    _check_architecture(config)
    family = config["model_type"]
    width, heads = _number(config, "hidden_size"), _number(config, "num_attention_heads")
    default = 128 if family == "qwen3" else width // heads
    found = reference.Config(
        vocabulary=_number(config, "vocab_size"), layers=_number(config, "num_hidden_layers"), width=width,
        heads=heads, kv_heads=_number(config, "num_key_value_heads"),
        head_width=_number({"head_dim": default, **config}, "head_dim"), inner=_number(config, "intermediate_size"),
        positions=positions, theta=_theta(config), epsilon=float(_number(config, "rms_norm_eps", float)),
        causal=family == "qwen3", **FAMILIES[family])
    if found.heads % found.kv_heads or found.head_width % 2:
        raise Refused("config.json: num_key_value_heads must divide num_attention_heads, 2 head_dim")
    return found


class Weights(collections.abc.Mapping):
    """By the names of qwen3_reference.py, float32, matrices as inputs x outputs. Each is read anew."""

    def __init__(self, config, tensors):
        self.tensors = tensors
        prefix = "model." if "model.norm.weight" in tensors.places else ""
        shapes = {"embed": (config.vocabulary, config.width), "norm": (config.width,)}
        self.names = {"embed": f"{prefix}embed_tokens.weight", "norm": f"{prefix}norm.weight"}
        for layer in range(config.layers):
            for name, shape in reference.layer_shapes(config).items():
                shapes[f"{layer}.{name}"] = shape
                self.names[f"{layer}.{name}"] = f"{prefix}layers.{layer}.{LAYER[name]}"
        for name, theirs in self.names.items():
            wanted = shapes[name] if name == "embed" else shapes[name][::-1]
            if theirs not in tensors.places:
                raise Refused(f"the weights have no {theirs}")
            if tensors.shape(theirs) != wanted:
                raise Refused(f"{theirs} is {tensors.shape(theirs)}; config.json makes it {wanted}")
        for theirs in tensors.places.keys() - self.names.values():
            if not UNUSED.fullmatch(theirs):
                raise Refused(f"the weights have {theirs}, which this architecture doesn't")

    def __getitem__(self, name):
        array = self.tensors.read(self.names[name])
        if name != "embed":
            array = array.T
        return np.asarray(array, np.float32, order="C")

    def __iter__(self):
        return iter(self.names)

    def __len__(self):
        return len(self.names)


def check_pooling(folder):
    pooling = read_json(folder / "1_Pooling" / "config.json")
    modes = {name for name, value in pooling.items() if name.startswith("pooling_mode_") and value is True}
    if modes != {"pooling_mode_lasttoken"}:
        raise Refused(f"1_Pooling/config.json: {', '.join(sorted(modes)) or 'no mode'}; the last token's is converted")
    if pooling.get("include_prompt") is False:
        raise Refused("1_Pooling/config.json: include_prompt: false is not implemented")
    if not (folder / "modules.json").exists():
        return
    for module in read_json(folder / "modules.json"):
        kind = module["type"].rsplit(".", 1)[1]
        if kind not in ("Transformer", "Pooling", "Normalize"):
            raise Refused(f"modules.json: `{kind}` is not implemented")


def prompts(folder):
    """The manifest's, of what the folder writes with the default instruction in it."""
    path = folder / "config_sentence_transformers.json"
    settings = read_json(path)
    if settings.get("default_prompt_name") is not None:
        raise Refused(f"{path.name}: default_prompt_name is not implemented")
    if settings.get("similarity_fn_name") not in (None, "cosine"):
        raise Refused(f"{path.name}: similarity_fn_name: {settings['similarity_fn_name']!r}; cosine is converted")
    theirs, ours = settings.get("prompts", {}), {}
    for kind in ("query", "document"):
        text = theirs.get(kind) or ""
        known = INSTRUCTION.fullmatch(text)
        if known:
            ours[kind] = f"Instruct: {{instruction}}\n{known['rest']}"
            ours["default_instruction"] = known["instruction"]
        elif text:
            ours[kind] = text
    return ours


class Texts:
    """Sequences of ids as AkiDB makes them."""

    def __init__(self, tokenizer, prefixes, window):
        self.tokenizer, self.prefixes, self.window = tokenizer, prefixes, window
        self.end = tokenizer.token_to_id(END)
        if self.end is None:
            raise Refused(f"tokenizer.json has no {END}")
        # Never both: it would stand there twice.
        self.append_ids = [] if tokenizer.encode("x").ids[-1] == self.end else [self.end]

    def prompt(self, kind):
        return self.prefixes.get(kind, "").replace("{instruction}", self.prefixes.get("default_instruction", ""))

    def ids(self, kind, text):
        return self.within(self.tokenizer.encode(self.prompt(kind) + text).ids + self.append_ids)

    def within(self, ids):
        return ids if len(ids) <= self.window else ids[:self.window - 1] + ids[-1:]


class Folder:
    """All of it. `window`: the most tokens of a text; `texts` gives ids, `weights` weights."""

    def __init__(self, path, window):
        if not path.is_dir():
            raise Refused(f"{path} is no folder")
        self.path = path
        settings = read_json(path / "config.json")
        self.window = min(window, _number(settings, "max_position_embeddings"))
        self.config = architecture(settings, self.window)
        check_pooling(path)
        if not (path / "tokenizer.json").exists():
            raise Refused(f"tokenizer.json is missing in {path}")
        try:
            tokenizer = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
        except Exception as error:  # the library raises no narrower one
            raise Refused(f"tokenizer.json: {error}") from None
        if tokenizer.get_vocab_size() > self.config.vocabulary:
            raise Refused("tokenizer.json has more tokens than config.json's vocab_size")
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.prompts = prompts(path)
        self.texts = Texts(tokenizer, self.prompts, self.window)
        self.weights = Weights(self.config, Tensors(path))

    def licence(self):
        """Of the head of README.md; None where it says none."""
        path = self.path / "README.md"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        head = re.match(r"---\n(.*?)\n---\n", text, re.S)
        found = re.search(r"^license: *([^\s#]+)", head[1], re.M) if head else None
        return {"apache-2.0": "Apache-2.0", "mit": "MIT"}.get(found[1].lower(), found[1]) if found else None
