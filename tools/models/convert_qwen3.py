"""An embedding model on Qwen3's or gte-Qwen2's decoder, as published, into a folder that AkiDB serves.

FOLDER is what the publisher's repository holds: config.json, model.safetensors or its shards with their
index, tokenizer.json, config_sentence_transformers.json, modules.json, 1_Pooling/, README.md. OUT, which
must not exist, gets a graph a precision (ids and mask in, vectors of unit length out; weights in a file
beside it), tokenizer.json and manifest.json, and appears when all is done.

The first precision is the manifest's graph, the others are its variants:

  fp32   for every processor and GPU
  fp16   16 bits for GPUs; the range ends at 65,504
  bf16   16 bits for GPUs; what the models were trained in; not for the processor
  int8   INT8 with calibration, for GPUs by TensorRT, and the processor
  fp8    FP8 with calibration, by TensorRT on compute capability 8.9 and later; not for the processor
  int8w  8-bit weights in blocks, for the processor; no calibration
  int4w  4-bit weights likewise, for the processor and CUDA: the least memory

How good it is: texts of your own, one a line, of the kind that will be stored, some hundreds to
--calibration, others to --check. Each precision's vectors are compared with float32: the least cosine,
and nDCG@10 with float32's order as what is right. Where one is below the least (8 bits: 0.98 and 0.95;
4 bits: 0.95 and 0.9) nothing is written. bf16 can't be run on a processor and isn't judged here; on the
GPU `akidb selftest` compares what each provider computes, and a variant serves only if it gives the
manifest's golden texts.

Memory: to write, twice the largest tensor (0.6B: 1 GB, 8B: 4 GB); with --calibration a layer and
256 x 512 tokens more; to judge, the whole model in float32 (0.6B: 3 GB, 8B: 32 GB), unless --no-run.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import sys

STOPS = (signal.SIGINT, signal.SIGTERM)
# Threads that the libraries start now inherit this: a signal is for the main one, whose waiting it ends.
signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
import numpy as np  # noqa: E402
import onnx  # noqa: E402

import qwen3_folder  # noqa: E402
import qwen3_graph  # noqa: E402
import qwen3_judgement as judgement  # noqa: E402
import qwen3_precisions as precisions  # noqa: E402
import qwen3_reference as reference  # noqa: E402
from safetensors_files import Refused  # noqa: E402

signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

PROVIDERS = {"fp32": ["cpu"], "fp16": ["cuda", "tensorrt"], "bf16": ["cuda", "tensorrt"], "int8": ["tensorrt"],
             "fp8": ["tensorrt"], "int8w": ["cpu"], "int4w": ["cpu", "cuda"]}
ONLY_ON_GPUS = ("bf16", "fp8")
NEVER_RUN = ("bf16",)
GOLDEN = (("query", "which package owns a file?"), ("document", "Mount the file system and edit /etc/fstab."),
          ("document", "挂载文件系统，并修改 /etc/fstab 使其永久生效。"))
HEAD = 512
REVISION = 1  # of what is made of the same folder
ID = r"[a-z0-9_-][a-z0-9_.-]{0,127}"
TEXTS = {"calibration": 256, "check": 256}


def numbers(text):
    return [int(part) for part in text.split(",")]


def options(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("out", metavar="OUT", type=pathlib.Path)
    parser.add_argument("--precision", default="fp32", metavar="LIST", help="default: fp32; e.g. fp32,bf16,fp8")
    parser.add_argument("--calibration", type=pathlib.Path, metavar="TEXTS", help="a line a text; of int8 and fp8")
    parser.add_argument("--percentile", type=float, default=100,
                        help="of the activations of a text, what is still represented (default: 100, all)")
    parser.add_argument("--check", type=pathlib.Path, metavar="TEXTS", help="a line a text, others than to calibrate")
    parser.add_argument("--min-cosine", type=float, help="instead of each precision's own")
    parser.add_argument("--min-ndcg", type=float, help="likewise")
    parser.add_argument("--no-run", action="store_true", help="write graphs without running them")
    parser.add_argument("--layout", choices=("pooled", "hidden"), default="pooled",
                        help="hidden: hidden states out, AkiDB pools them (default: pooled)")
    parser.add_argument("--max-tokens", type=int, default=2048, help="the window (default: 2048)")
    parser.add_argument("--offered", type=numbers, default=[], metavar="DIMS",
                        help="shorter lengths that the model was trained for, as 32,64,128,256,512,768")
    parser.add_argument("--id", help="the model's name (default: the folder's)")
    parser.add_argument("--licence", help="SPDX expression (default: README.md's)")
    parsed = parser.parse_args(arguments)
    parsed.precision = parsed.precision.split(",")
    return parsed


def check_options(given):
    unknown = [name for name in given.precision if name not in precisions.NAMES]
    if unknown or len(set(given.precision)) < len(given.precision):
        known = ", ".join(precisions.NAMES)
        raise Refused(f"--precision: each of {known} at most once, not {','.join(given.precision)}")
    if given.precision[0] in ONLY_ON_GPUS:
        raise Refused(f"--precision: {given.precision[0]} doesn't run on a processor; put another one before it")
    if set(given.precision) & set(precisions.CALIBRATED) and given.calibration is None:
        raise Refused("--calibration: int8 and fp8 take their scales from texts of yours")
    if not 50 <= given.percentile <= 100:
        raise Refused("--percentile is from 50 to 100")
    if given.max_tokens < 8:
        raise Refused("--max-tokens is at least 8")
    if given.id is not None and not re.fullmatch(ID, given.id):
        raise Refused(f"--id: {given.id!r}: lower-case letters, digits, `-`, `_`, `.`; not beginning with `.`")
    if os.path.lexists(given.out):
        raise Refused(f"{given.out} is there already")


def say(line):
    print(line, flush=True)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def described(path):
    return {"path": path.name, "sha256": sha256(path), "bytes": path.stat().st_size}


def texts_of(given, name):
    path = getattr(given, name)
    if path is None:
        return []
    try:
        texts = judgement.read_texts(path, TEXTS[name])
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"--{name}: {error}") from None
    if not texts:
        raise Refused(f"--{name}: {path} has no text")
    return texts


class Conversion:
    """Of one folder into `target`, step by step."""

    def __init__(self, given, target):
        self.given, self.target = given, target
        self.folder = qwen3_folder.Folder(given.folder, given.max_tokens)
        self.id = given.id or re.sub(r"[^a-z0-9_.-]", "-", given.out.name.lower())
        self.licence = given.licence or self.folder.licence()
        if not self.licence:
            raise Refused("README.md names no licence: --licence says it")
        if any(not 8 <= length < self.folder.config.width for length in given.offered):
            raise Refused(f"--offered: lengths from 8 to below {self.folder.config.width}")
        self.calibration, self.check = texts_of(given, "calibration"), texts_of(given, "check")
        self.figures = {}

    def path(self, precision):
        return self.target / f"model.{precision}.onnx"

    def write(self, precision, most):
        path, folder = self.path(precision), self.folder
        with qwen3_graph.BesideTheGraph(path.with_name(path.name + "_data")) as store:
            graph = qwen3_graph.Graph(folder.config, folder.weights, precisions.made(precision, most), store)
            model = graph.build(self.given.layout)
        onnx.save(model, path)
        onnx.checker.check_model(str(path))
        say(f"{precision}: wrote {store.path.stat().st_size / 1e6:,.1f} MB of weights")

    def judge(self, precision, right, documents):
        if self.given.no_run or precision in NEVER_RUN:
            say(f"{precision}: not run" + ("" if self.given.no_run else ": the processor can't"))
            return
        vectors = judgement.run(self.path(precision), self.given.layout, self.sequences())
        figures = judgement.compared(right, vectors, documents)
        self.figures[precision] = figures
        ndcg = figures["ndcg_at_10"]
        say(f"{precision}: {figures['texts']} texts, cosine to float32 at least {figures['cosine_least']}, "
            f"mean {figures['cosine_mean']}" + ("" if ndcg is None else f"; nDCG@10 {ndcg}"))
        own = judgement.LEAST[precision]
        least = (self.given.min_cosine or own[0], self.given.min_ndcg or own[1])
        failed = judgement.failures(precision, figures, least) + self.golden_failures(precision, right, vectors)
        if failed:
            raise Refused("; ".join(failed))

    def golden_cosine(self):
        """What the manifest asks for of every precision."""
        own = min(judgement.LEAST[name][0] for name in self.given.precision)
        return max(self.given.min_cosine or own, 0.9)

    def golden_failures(self, precision, right, vectors):
        """Of the heads, which are less than the vectors: the program would refuse to serve it."""
        rows = [self.kinds().index(pair) for pair in GOLDEN]
        heads = [each[rows, :HEAD] / np.linalg.norm(each[rows, :HEAD], axis=1, keepdims=True)
                 for each in (right, vectors)]
        least = float((heads[0] * heads[1]).sum(1).min())
        return [] if least >= self.golden_cosine() else [f"{precision}: a golden text's cosine is {least:.6f}"]

    def kinds(self):
        """Documents first."""
        return sorted([*judgement.kinds(self.check), *GOLDEN], key=lambda pair: pair[0])

    def sequences(self):
        return [self.folder.texts.ids(kind, text) for kind, text in self.kinds()]

    def graph_members(self, precision):
        path = self.path(precision)
        return {**described(path), "external": [described(path.with_name(path.name + "_data"))],
                "inputs": {"input_ids": "ids", "attention_mask": "mask"},
                "output": "sentence_embedding" if self.given.layout == "pooled" else "last_hidden_state"}

    def variant(self, precision):
        members = {"name": precision, "providers": PROVIDERS[precision], "precision": precision,
                   "graph": self.graph_members(precision)}
        return {**members, "compute_capability": "8.9"} if precision == "fp8" else members

    def revision(self):
        first = self.given.precision[0]
        scales = [self.given.percentile, self.calibration] if first in precisions.CALIBRATED else []
        digest = hashlib.sha256(json.dumps([REVISION, first, *scales]).encode())
        for path in self.folder.weights.tensors.files:
            digest.update(sha256(path).encode())
        return digest.hexdigest()[:16]

    def manifest(self, right):
        kinds, folder = self.kinds(), self.folder
        golden = [{"type": kind, "text": text, "min_cosine": self.golden_cosine(),
                   "head": [round(float(x), 6) for x in right[kinds.index((kind, text))][:HEAD]]}
                  for kind, text in GOLDEN]
        shutil.copy(folder.path / "tokenizer.json", self.target)
        ends = {"append_ids": folder.texts.append_ids} if folder.texts.append_ids else {}
        dims = {"native": folder.config.width}
        if self.given.offered:
            dims["offered"] = sorted(set(self.given.offered))
        made = {"id": self.id, "revision": self.revision(), "licence": self.licence,
                "tokenizer": {**described(self.target / "tokenizer.json"), **ends},
                "graph": self.graph_members(self.given.precision[0])}
        if len(self.given.precision) > 1:
            made["variants"] = [self.variant(name) for name in self.given.precision[1:]]
        if folder.prompts:
            made["prompts"] = folder.prompts
        return {**made, "max_tokens": folder.window, "dims": dims, "golden": golden,
                "pooling": "in_graph" if self.given.layout == "pooled" else "last"}

    def run(self):
        given, folder = self.given, self.folder
        most = None
        if set(given.precision) & set(precisions.CALIBRATED):
            say(f"calibrating with {len(self.calibration)} texts")
            most = judgement.calibrated(folder, self.calibration, given.percentile)
        kinds = self.kinds()
        say(f"computing the float32 reference of {len(kinds)} texts")
        right = reference.vectors(folder.config, folder.weights, self.sequences())
        for precision in given.precision:
            self.write(precision, most)
            self.judge(precision, right, sum(kind == "document" for kind, _ in kinds))
        manifest = self.manifest(right)
        if self.figures:
            self.write_json("conversion.json", {"percentile": given.percentile, "figures": self.figures,
                                                "calibration_texts": len(self.calibration)})
        self.write_json("manifest.json", manifest)

    def write_json(self, name, value):
        text = json.dumps(value, ensure_ascii=False, indent=1)
        (self.target / name).write_text(text + "\n", encoding="utf-8")


def end(*_):
    """By a signal: nothing is left behind. A second one finds it under way."""
    for kind in STOPS:
        signal.signal(kind, lambda *_: None)
    sys.exit("interrupted")


def main(arguments=None):
    given = options(arguments)
    target = given.out.with_name(f".{given.out.name}.{os.getpid()}")
    try:
        check_options(given)
        target.mkdir(parents=True)
        Conversion(given, target).run()
        target.rename(given.out)
    except Refused as error:
        sys.exit(str(error))
    except (OSError, MemoryError) as error:
        sys.exit(str(error) or "out of memory")
    finally:
        shutil.rmtree(target, ignore_errors=True)
    say(f"{given.out}: done")


if __name__ == "__main__":
    for stop in STOPS:
        signal.signal(stop, end)
    with np.errstate(over="ignore"):
        main()
