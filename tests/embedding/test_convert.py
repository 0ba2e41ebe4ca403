"""`akidb models convert` over tiny models of Qwen3's and gte-Qwen2's architecture with random weights.

    AKIDB_BINARY=… build/reference/bin/python tests/embedding/test_convert.py

Folders are written as publishers leave them, by the safetensors library; what is made of them is held
against the forward pass in numpy over the weights they were written from.
"""
import base64
import contextlib
import dataclasses
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import jsonschema
import ml_dtypes
import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

from test_tiny_qwen3 import ROOT, library_missing, make_texts, reference, tiny_qwen3

import convert_qwen3  # on the path by test_tiny_qwen3
import qwen3_folder
import qwen3_judgement
import tokenizers
from server_process import Server, binary, program_environment

CARD = "---\nlicense: apache-2.0\n---\n# Tiny\n"
SCHEMA = json.loads((ROOT / "docs" / "models" / "manifest.schema.json").read_text(encoding="utf-8"))
TOKENIZER = tiny_qwen3.trained_tokenizer()
# On one line each, as files of texts have them.
TEXTS = [" ".join(["a", *text.split()]) for text in make_texts(60, 12)]
# Of what an int8, fp8 or int4w graph of random weights gives, and of the others what rounding allows.
LEAST = {"fp32": 0.999999, "fp16": 0.999, "bf16": 0.999, "int8": 0.98, "fp8": 0.98, "int8w": 0.98, "int4w": 0.9}
END = TOKENIZER.token_to_id(tiny_qwen3.END)


def sequences_of(kind, texts):
    """As cut to the window, of 128 tokens."""
    rows = [tiny_qwen3.sequence(TOKENIZER, kind, text) for text in texts]
    return [ids[:127] + ids[-1:] if len(ids) > 128 else ids for ids in rows]


def model(kind="qwen3", **changes):
    config = reference.Config(vocabulary=TOKENIZER.get_vocab_size())
    if kind == "qwen2":
        config = dataclasses.replace(config, head_norms=False, biases=True, causal=False, head_width=8)
    config = dataclasses.replace(config, **changes)
    return config, tiny_qwen3.make_weights(config)


def tensors_of(config, weights, dtype):
    """By the publisher's names, as in the published files: without `model.`, matrices as outputs x inputs."""
    names = {"embed": "embed_tokens.weight", "norm": "norm.weight"}
    for name in weights:
        if "." in name:
            layer, own = name.split(".")
            names[name] = f"layers.{layer}.{qwen3_folder.LAYER[own]}"
    return {names[name]: np.ascontiguousarray(array if name == "embed" else array.T).astype(dtype)
            for name, array in weights.items()}


def rounded(weights, dtype):
    return {name: array.astype(dtype).astype(np.float32) for name, array in weights.items()}


def write_settings(folder, config, **members):
    for path, value in tiny_qwen3.published_files(config, "pooled").items():
        if path == "config.json":
            if config.biases:
                value.update(model_type="qwen2", architectures=["Qwen2ForCausalLM"], is_causal=config.causal)
            value = {name: member for name, member in {**value, **members}.items() if member is not None}
        tiny_qwen3.write_json(folder / path, value)
    (folder / "tokenizer.json").write_text(TOKENIZER.to_str(), encoding="utf-8")
    (folder / "README.md").write_text(CARD, encoding="utf-8")


def publish(folder, made, dtype=ml_dtypes.bfloat16, shards=1, **members):
    folder.mkdir(parents=True)
    config, weights = made
    write_settings(folder, config, **members)
    tensors = tensors_of(config, weights, dtype)
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        return folder
    names = sorted(tensors)
    files = {name: f"model-{i * shards // len(names) + 1:05}-of-{shards:05}.safetensors"
             for i, name in enumerate(names)}
    for file in set(files.values()):
        save_file({name: tensors[name] for name in names if files[name] == file}, folder / file)
    tiny_qwen3.write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": files})
    return folder


def convert(*arguments):
    """(what it printed, what it refused or None)"""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            convert_qwen3.main([str(argument) for argument in arguments])
        except SystemExit as error:
            return printed.getvalue(), str(error.code)
    return printed.getvalue(), None


class Folders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="akidb-convert-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.texts = cls.folder / "texts.txt"
        cls.texts.write_text("\n".join(TEXTS[:40]) + "\n", encoding="utf-8")
        cls.others = cls.folder / "others.txt"
        cls.others.write_text("\n".join(TEXTS[40:]) + "\n", encoding="utf-8")

    def place(self):
        return self.folder / self.id().rsplit(".", 1)[1]

    def made(self, source, name, *options):
        out = self.folder / "models" / name
        printed, error = convert(source, out, *options)
        self.assertIsNone(error, printed)
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(SCHEMA).validate(manifest)
        return out, manifest


class Served(Folders):
    """Each precision that the processor runs, by the server."""

    NAMES = ("fp32", "fp16", "int8", "int8w", "int4w", "hidden", "qwen2", "variants")

    @classmethod
    def setUpClass(cls):
        if library_missing():
            raise unittest.SkipTest(library_missing())
        super().setUpClass()
        cls.models = {"qwen3": model(), "qwen2": model("qwen2")}
        cls.sources = {kind: publish(cls.folder / kind, made, np.float32, shards=2 + (kind == "qwen2"))
                       for kind, made in cls.models.items()}
        cls.manifests = {}
        case = cls()
        case.id = lambda: "Served.setup"
        calibration = ("--calibration", cls.texts, "--check", cls.others)
        for name in cls.NAMES:
            options = {"hidden": ("--layout", "hidden"), "qwen2": (),
                       "variants": ("--precision", "fp32,bf16,fp8,int8w", *calibration)}.get(
                           name, ("--precision", name, *calibration))
            source = cls.sources["qwen2" if name == "qwen2" else "qwen3"]
            cls.manifests[name] = case.made(source, name, "--offered", "8,16", *options)[1]
        cls.server = Server(environment={"AKIDB_MODELS_DIR": str(cls.folder / "models"),
                                         "AKIDB_DEFAULT_MODEL": "fp32"}).start()
        cls.addClassCleanup(cls.server.close)

    def runTest(self):
        """For `made`."""

    def embed(self, texts, name, **options):
        reply = self.server.request("POST", "/v1/embeddings", {
            "input": texts, "model": name, "encoding_format": "base64", **options})
        self.assertEqual(reply.status, 200, reply.text[:2000])
        return np.stack([np.frombuffer(base64.b64decode(row["embedding"]), np.float32)
                         for row in reply.json["data"]])

    def expected(self, kind, texts, name):
        config, weights = self.models["qwen2" if name == "qwen2" else "qwen3"]
        return reference.vectors(config, weights, sequences_of(kind, texts))

    def test_vectors_are_the_references(self):
        for name in self.NAMES:
            for kind in ("query", "document"):
                with self.subTest(name=name, kind=kind):
                    cosines = (self.embed(TEXTS, name, input_type=kind) * self.expected(kind, TEXTS, name)).sum(1)
                    print(f"{name}: {kind}: least cosine {cosines.min():.7f}, mean {cosines.mean():.7f}")
                    precision = "int8w" if name == "variants" else name
                    self.assertGreaterEqual(cosines.min(), LEAST.get(precision, LEAST["fp32"]))

    def test_shorter_vectors_and_instructions(self):
        whole = self.embed(TEXTS[:5], "fp32")
        short = self.embed(TEXTS[:5], "fp32", dimensions=8)
        cut = whole[:, :8] / np.linalg.norm(whole[:, :8], axis=1, keepdims=True)
        np.testing.assert_allclose(short, cut, atol=1e-6)
        other = self.embed(TEXTS[:5], "fp32", input_type="query", instruction="find the owner")
        self.assertLess((other * self.embed(TEXTS[:5], "fp32", input_type="query")).sum(1).max(), 0.9999)

    def test_the_manifest_says_what_was_written(self):
        variants = self.manifests["variants"]["variants"]
        self.assertEqual([(v["name"], v["providers"], v.get("compute_capability")) for v in variants],
                         [("bf16", ["cuda", "tensorrt"], None), ("fp8", ["tensorrt"], "8.9"), ("int8w", ["cpu"], None)])
        self.assertEqual(self.manifests["variants"]["prompts"], tiny_qwen3.PROMPTS)
        self.assertEqual(self.manifests["fp32"]["tokenizer"]["append_ids"], [END])
        self.assertEqual(self.manifests["fp32"]["pooling"], "in_graph")
        self.assertEqual(self.manifests["hidden"]["pooling"], "last")
        for golden in self.manifests["fp32"]["golden"]:
            ids = tiny_qwen3.sequence(TOKENIZER, golden["type"], golden["text"])
            wanted = reference.vector(*self.models["qwen3"], ids)
            np.testing.assert_allclose(golden["head"], wanted[:len(golden["head"])], atol=1e-5)

    def test_the_variant_for_the_processor_is_what_runs(self):
        self.assertTrue((self.embed(TEXTS, "variants") == self.embed(TEXTS, "int8w")).all())

    def test_what_only_a_gpu_serves_is_run_by_other_means(self):
        folder = self.folder / "models" / "variants"
        sequences = sequences_of("document", TEXTS)
        expected = self.expected("document", TEXTS, "variants")
        fp8 = qwen3_judgement.run(folder / "model.fp8.onnx", "pooled", sequences)
        bf16 = ReferenceEvaluator(onnx.load(folder / "model.bf16.onnx"))
        bf16 = np.stack([bf16.run(None, {"input_ids": np.array([ids]),
                                         "attention_mask": np.ones((1, len(ids)), np.int64)})[0][0]
                         for ids in sequences])
        for name, vectors in (("fp8", fp8), ("bf16", bf16)):
            cosines = (vectors * expected).sum(1)
            print(f"{name}: least cosine {cosines.min():.7f}, mean {cosines.mean():.7f}")
            self.assertGreaterEqual(cosines.min(), LEAST[name])

    def test_a_check_leaves_its_figures(self):
        figures = json.loads((self.folder / "models" / "variants" / "conversion.json").read_text())["figures"]
        self.assertEqual(set(figures), {"fp32", "fp8", "int8w"})
        self.assertEqual(figures["fp32"]["ndcg_at_10"], 1)
        self.assertGreater(figures["fp8"]["ndcg_at_10"], 0.95)


class Graphs(Folders):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = model()
        cls.source = publish(cls.folder / "published", cls.model)

    def quantized(self, name, *options, precision="fp8"):
        out, _ = self.made(self.source, name, "--precision", f"fp32,{precision}", "--min-cosine", "0.9", *options)
        loaded = onnx.load(out / f"model.{precision}.onnx")
        values = {value.name: value for value in loaded.graph.initializer}
        makers = {node.output[0]: node for node in loaded.graph.node}
        return loaded, values, makers

    def test_products_with_weights_stand_between_q_and_dq(self):
        for precision, kind in (("fp8", onnx.TensorProto.FLOAT8E4M3FN), ("int8", onnx.TensorProto.INT8)):
            loaded, values, makers = self.quantized(f"between-{precision}", "--calibration", self.texts,
                                                    precision=precision)
            products = [node for node in loaded.graph.node if node.op_type == "MatMul"
                        and makers[node.input[1]].op_type == "DequantizeLinear"]
            self.assertEqual(len(products), 7 * self.model[0].layers)
            for node in products:
                activation, weights = (makers[name] for name in node.input)
                self.assertEqual(activation.op_type, "DequantizeLinear")
                self.assertEqual(makers[activation.input[0]].op_type, "QuantizeLinear")
                self.assertEqual(values[activation.input[1]].dims, [])
                data, scales = values[weights.input[0]], values[weights.input[1]]
                self.assertEqual((data.data_type, list(scales.dims)), (kind, [data.dims[1]]))
            quantized = sum(node.op_type == "QuantizeLinear" for node in loaded.graph.node)
            self.assertEqual(quantized, 4 * self.model[0].layers)

    def activation_scales(self, name, *options):
        _, values, makers = self.quantized(name, *options)
        return np.array([onnx.numpy_helper.to_array(values[node.input[1]]) for node in makers.values()
                         if node.op_type == "QuantizeLinear"])

    def test_calibration_data_change_scales(self):
        one = self.folder / "one.txt"
        one.write_text(TEXTS[50] + "\n", encoding="utf-8")
        many = self.activation_scales("many", "--calibration", self.texts)
        again = self.activation_scales("again", "--calibration", self.texts)
        other = self.activation_scales("other", "--calibration", one)
        cut = self.activation_scales("cut", "--calibration", self.texts, "--percentile", 99)
        self.assertTrue((many == again).all())
        self.assertGreater((many != other).sum(), len(many) / 2)
        self.assertTrue((cut < many).all())
        # The greatest activation is the greatest number of FP8.
        most = {}
        qwen = rounded(self.model[1], ml_dtypes.bfloat16)
        sequences = [sequences_of(kind, [text])[0] for kind, text in qwen3_judgement.kinds(TEXTS[:40])]
        reference.hidden_states(self.model[0], qwen, sequences, lambda layer, place, x: most.__setitem__(
            (layer, place), max(most.get((layer, place), 0), np.abs(x).max())))
        np.testing.assert_allclose(sorted(many * 448), sorted(most.values()), rtol=1e-5)

    def test_types_and_shards_of_weights(self):
        sequences = sequences_of("document", TEXTS[:5])
        for dtype in (np.float32, np.float16, ml_dtypes.bfloat16):
            for shards in (1, 3):
                name = f"{np.dtype(dtype).name}-{shards}"
                source = publish(self.place() / name, self.model, dtype, shards, head_dim=self.model[0].head_width)
                out, _ = self.made(source, name)
                vectors = qwen3_judgement.run(out / "model.fp32.onnx", "pooled", sequences)
                wanted = reference.vectors(self.model[0], rounded(self.model[1], dtype), sequences)
                self.assertGreaterEqual((vectors * wanted).sum(1).min(), 0.999999, name)

    def test_the_same_folder_gives_the_same_files(self):
        first, second = (self.made(self.source, name, "--id", "m")[0] for name in ("first", "second"))
        for path in first.iterdir():
            self.assertEqual(path.read_bytes(), (second / path.name).read_bytes(), path.name)

    def test_a_tokenizer_that_adds_the_end_token_gets_no_second_one(self):
        source = publish(self.place() / "ends", self.model)
        own = tokenizers.Tokenizer.from_str(TOKENIZER.to_str())
        own.post_processor = tokenizers.processors.TemplateProcessing(
            single=f"$A {tiny_qwen3.END}", special_tokens=[(tiny_qwen3.END, END)])
        own.save(str(source / "tokenizer.json"))
        manifest = self.made(source, "ends")[1]
        self.assertNotIn("append_ids", manifest["tokenizer"])
        bare = self.made(self.source, "bare")[1]
        self.assertEqual(manifest["golden"], bare["golden"])


class Refusals(Folders):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = model(layers=1)

    def refused(self, words, source, *options):
        out = self.folder / "out" / "m"
        printed, error = convert(source, out, *options)
        self.assertIsNotNone(error, f"{words}: {printed}")
        self.assertIn(words, error)
        self.assertEqual(list(out.parent.iterdir()) if out.parent.exists() else [], [])

    def test_configurations_that_the_graph_does_not_compute(self):
        for words, members in (
            ("model_type is 'llama'", {"model_type": "llama"}), ("rope_scaling", {"rope_scaling": {"type": "yarn"}}),
            ("rope_scaling", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e6}}),
            ("use_sliding_window", {"use_sliding_window": True}),
            ("use_sliding_window", {"layer_types": ["sliding_attention"]}),
            ("attention_bias", {"attention_bias": True}), ("hidden_act", {"hidden_act": "gelu"}),
            ("quantization_config", {"quantization_config": {"bits": 4}}), ("is_causal", {"is_causal": False}),
            ("is_causal", {"model_type": "qwen2"}), ("rms_norm_eps", {"rms_norm_eps": None}),
            ("rope_theta", {"rope_theta": "1"}), ("num_key_value_heads", {"num_key_value_heads": 3}),
            ("config.json makes it", {"intermediate_size": 64}), ("no layers.1", {"num_hidden_layers": 2}),
            ("vocab_size", {"vocab_size": 10}),
        ):
            with self.subTest(words=words, members=members):
                shutil.rmtree(self.place(), ignore_errors=True)
                self.refused(words, publish(self.place(), self.model, **members))

    def test_folders_that_lack_or_say_other_things(self):
        def change(name, **members):
            def do(folder):
                value = json.loads((folder / name).read_text(encoding="utf-8"))
                value.update(members)
                (folder / name).write_text(json.dumps(value), encoding="utf-8")
            return do

        def remove(name):
            return lambda folder: (folder / name).unlink()

        def put(name, text):
            return lambda folder: (folder / name).write_text(text, encoding="utf-8")

        settings = "config_sentence_transformers.json"
        for words, do in (
            ("config.json is missing", remove("config.json")), ("config.json is no JSON", put("config.json", "{")),
            ("tokenizer.json is missing", remove("tokenizer.json")), ("tokenizer.json", put("tokenizer.json", "{}")),
            ("neither model.safetensors", remove("model.safetensors")), ("--licence", remove("README.md")),
            ("pooling_mode_max_tokens", change("1_Pooling/config.json", pooling_mode_max_tokens=True)),
            ("include_prompt", change("1_Pooling/config.json", include_prompt=False)),
            ("1_Pooling", lambda folder: shutil.rmtree(folder / "1_Pooling")),
            ("default_prompt_name", change(settings, default_prompt_name="query")),
            ("similarity_fn_name", change(settings, similarity_fn_name="dot")),
            ("`Dense`", put("modules.json", '[{"type": "sentence_transformers.models.Dense"}]')),
        ):
            with self.subTest(words=words):
                shutil.rmtree(self.place(), ignore_errors=True)
                folder = publish(self.place(), self.model)
                do(folder)
                self.refused(words, folder)
        self.refused("is no folder", self.folder / "nowhere")

    def test_damaged_weights(self):
        def cut(data, start, keep):
            return data[:start] + data[start + keep:]

        folder = publish(self.place() / "one", self.model)
        path = folder / "model.safetensors"
        whole = path.read_bytes()
        for words, data in (("breaks off: it has", whole[:-1]), ("breaks off", whole[:40]), ("breaks off", b""),
                            ("can't be read", whole[:8] + b"x" + whole[9:]),
                            ("another size", whole.replace(b"[32]", b"[31]")),
                            ("type F64", whole.replace(b'"BF16"', b'"F64" ')),
                            ("breaks off", cut(whole, len(whole) - 64, 64))):
            path.write_bytes(data)
            self.refused(words, folder)
        shards = publish(self.place() / "shards", self.model, shards=2)
        index = shards / "model.safetensors.index.json"
        text = index.read_text()
        for words, changed in (("outside", text.replace("model-00001", "../model-00001")),
                               ("is missing, which", text.replace("model-00002", "model-00003")),
                               ("no weight_map", "{}"),
                               ("index.json puts there", text.replace("norm.weight", "norm.wait"))):
            index.write_text(changed)
            self.refused(words, shards)
        tensors = tensors_of(*self.model, np.float32)
        save_file({**tensors, "layers.0.self_attn.q_proj.bias": np.zeros(64, np.float32)}, path)
        self.refused("q_proj.bias, which this architecture doesn't", folder)
        save_file({**tensors, "lm_head.weight": tensors["embed_tokens.weight"]}, path)
        self.assertIsNone(convert(folder, self.folder / "with_head")[1])

    def test_options_that_make_no_sense(self):
        folder = publish(self.place(), self.model)
        empty = self.folder / "empty.txt"
        empty.write_text("\n\n", encoding="utf-8")
        for words, options in (
            ("--precision", ("--precision", "fp4")), ("--precision", ("--precision", "fp32,fp32")),
            ("put another one before it", ("--precision", "fp8", "--calibration", self.texts)),
            ("put another one before it", ("--precision", "bf16")), ("--calibration", ("--precision", "fp32,fp8")),
            ("has no text", ("--precision", "int8", "--calibration", empty)),
            ("--check", ("--check", self.folder / "nowhere")), ("--offered", ("--offered", "4")),
            ("--offered", ("--offered", "32")), ("--percentile", ("--percentile", "101")),
            ("--max-tokens", ("--max-tokens", "2")),
            ("less than 1.0", ("--precision", "int8w", "--min-cosine", "1.0")),
            ("ndcg_at_10", ("--precision", "int8w", "--check", self.texts, "--min-ndcg", "1.0")),
        ):
            with self.subTest(words=words):
                self.refused(words, folder, *options)
        out = self.folder / "there"
        out.mkdir()
        self.assertIn("is there already", convert(folder, out)[1])


class Command(Folders):
    """The program, with the Python packages of these tests in place of those that it would fetch."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = publish(cls.folder / "Tiny-Model", model(layers=1))
        cls.tools, cls.models = cls.folder / "tools", cls.folder / "models"
        (cls.tools / "bin").mkdir(parents=True)
        python = cls.tools / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        shutil.copy(ROOT / "tools" / "models" / "convert_requirements.txt", cls.tools / "prepared")

    def start(self, *arguments):
        command = [binary(), "models", "convert", *map(str, arguments), "--models-dir", str(self.models),
                   "--tools-dir", str(self.tools)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=program_environment(None), start_new_session=True)

    def run_command(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def left(self):
        return sorted(path.name for path in self.models.iterdir()) if self.models.exists() else []

    def test_a_folder_becomes_a_model(self):
        code, out, err = self.run_command(self.source, "--precision", "fp32,fp8", "--calibration", self.texts,
                                          "--check", self.others, "--offered", "8,16", "--max-tokens", 64)
        self.assertEqual((code, err), (0, ""), out)
        self.assertIn("fp8: 26 texts, cosine to float32", out)
        self.assertEqual(self.left(), ["tiny-model"])
        manifest = json.loads((self.models / "tiny-model" / "manifest.json").read_text(encoding="utf-8"))
        self.assertEqual((manifest["id"], manifest["max_tokens"], manifest["dims"]["offered"]),
                         ("tiny-model", 64, [8, 16]))
        code, _, err = self.run_command(self.source)
        self.assertEqual((code, err.count("\n")), (1, 1), err)
        self.assertIn("is there already", err)
        shutil.rmtree(self.models)

    def test_a_refusal_leaves_nothing(self):
        for words, arguments in (("config.json is missing", (self.folder, "--id", "m")),
                                 ("is no folder", (self.folder / "nowhere",)),
                                 ("--id", (self.source, "--id", "../m")), ("--id", (self.source, "--id", "Ä")),
                                 ("--precision", (self.source, "--precision", "fp4"))):
            code, _, err = self.run_command(*arguments)
            self.assertEqual((code, err.count("\n")), (1, 1), err)
            self.assertIn(words, err)
            self.assertEqual(self.left(), [])

    def test_a_signal_ends_it_and_leaves_nothing(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)  # whose reader waits
        for send in (lambda process: os.killpg(process.pid, signal.SIGINT),
                     lambda process: process.send_signal(signal.SIGTERM)):
            process = self.start(self.source, "--precision", "int8", "--calibration", fifo)
            deadline = time.monotonic() + 60
            while not any(name.startswith(".tiny-model.") for name in self.left()):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            send(process)
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, err)
            self.assertIn("interrupted", err)
            self.assertEqual(self.left(), [])

    def test_its_help_tells_the_whole_way(self):
        done = subprocess.run([binary(), "models", "convert", "--help"], capture_output=True, text=True, check=True)
        for words in ("--calibration", "--check", "1_Pooling/", "nDCG@10", "selftest", "0.98"):
            self.assertIn(words, done.stdout)
        done = subprocess.run([binary(), "completion", "bash"], capture_output=True, text=True, check=True)
        self.assertIn("'models convert') words='", done.stdout)


if __name__ == "__main__":
    unittest.main()
