"""A BERT encoder in INT8, as a folder that AkiDB serves, out of its float32 weights.

    python bert_int8.py WEIGHTS TOKENIZER FOLDER --id NAME --revision NAME --licence NAME --pooling cls
                        [--max-tokens N] [--heads N] [--query-prompt TEXT] [--float32]

WEIGHTS is a file of safetensors or an ONNX graph (bert_weights.py). Writes model.onnx, tokenizer.json and
manifest.json; with --float32 the weights as they are: what quality_gate.py compares with. How numbers are
rounded: int8_weights.py; the graph: bert_graph.py. minilm_int8.py and bge_small_int8.py call it.
"""
import argparse
import dataclasses
import pathlib

import onnx
import tokenizers

import bert_graph
import bert_weights
import int8_weights
import model_folder

GOLDEN = [("query", "How do I find which package a file belongs to?"),
          ("document", "Mount the file system and edit /etc/fstab to keep it so.")]


def calibration(tokenizer, window):
    tokenizer = tokenizers.Tokenizer.from_str(tokenizer.decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(window)
    return [encoding.ids for encoding in tokenizer.encode_batch(int8_weights.calibration_texts())]


def about(name, revision, licence):
    """A manifest without what the files themselves tell."""
    return {"id": name, "revision": revision, "licence": licence,
            "graph": {"output": "last_hidden_state",
                      "inputs": {"input_ids": "ids", "attention_mask": "mask"}}}


def write(folder, graph, tokenizer, manifest):
    """`graph`: built; `tokenizer`: the bytes of its file."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / "model.onnx")
    (folder / "tokenizer.json").write_bytes(tokenizer)
    # Processors without dot products of bytes round otherwise: the heads need only be near.
    model_folder.finish(folder, manifest, GOLDEN, min_cosine=0.98)


def built(weights, heads, sequences):
    """`sequences`: of calibration; none: float32."""
    graph = bert_graph.FloatGraph(weights, heads)
    if sequences:
        graph = bert_graph.RowGraph(weights, heads, int8_weights.quantized(graph, sequences))
    return graph.build()


@dataclasses.dataclass(frozen=True)
class Packaged:
    """A model with float32 weights in a package's archive. Files: the member, and its SHA-256."""
    name: str
    licence: str
    weights: tuple  # safetensors, or a graph
    tokenizer: tuple
    max_tokens: int
    pooling: str
    query_prompt: str = ""
    heads: int = 12

    def convert(self, archive, folder, float32=False):
        weights = bert_weights.parse(self.weights[0], model_folder.member(archive, *self.weights))
        tokenizer = model_folder.member(archive, *self.tokenizer)
        kind, revision = ("float32", "float32-1") if float32 else ("int8", "rows-int8-1")
        manifest = {**about(f"{self.name}-{kind}", revision, self.licence), "max_tokens": self.max_tokens,
                    "pooling": self.pooling, "dims": {"native": weights["embeddings.LayerNorm.weight"].shape[0]}}
        if self.query_prompt:
            manifest["prompts"] = {"query": self.query_prompt}
        sequences = [] if float32 else calibration(tokenizer, self.max_tokens)
        write(folder, built(weights, self.heads, sequences), tokenizer, manifest)

    def main(self, about_it):
        parser = argparse.ArgumentParser(description=about_it, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("archive")
        parser.add_argument("folder", type=pathlib.Path)
        parser.add_argument("--float32", action="store_true")
        arguments = parser.parse_args()
        self.convert(arguments.archive, arguments.folder, arguments.float32)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("weights", "tokenizer", "folder"):
        parser.add_argument(name, type=pathlib.Path)
    for name in ("--id", "--revision", "--licence"):
        parser.add_argument(name, required=True)
    parser.add_argument("--pooling", required=True, choices=("cls", "mean"))
    parser.add_argument("--max-tokens", type=int, default=512, help="(default: 512)")
    parser.add_argument("--heads", type=int, default=12, help="of attention (default: 12)")
    parser.add_argument("--query-prompt", default="", help="put before queries")
    parser.add_argument("--float32", action="store_true")
    return parser.parse_args()


def main():
    arguments = options()
    weights = bert_weights.read(arguments.weights)
    tokenizer = arguments.tokenizer.read_bytes()
    manifest = {**about(arguments.id, arguments.revision, arguments.licence),
                "max_tokens": arguments.max_tokens, "pooling": arguments.pooling,
                "dims": {"native": weights["embeddings.LayerNorm.weight"].shape[0]}}
    if arguments.query_prompt:
        manifest["prompts"] = {"query": arguments.query_prompt}
    sequences = [] if arguments.float32 else calibration(tokenizer, arguments.max_tokens)
    write(arguments.folder, built(weights, arguments.heads, sequences), tokenizer, manifest)


if __name__ == "__main__":
    main()
