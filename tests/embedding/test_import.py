"""`akidb models import` over tiny models and the default one: what it finds out, and what it refuses.

    AKIDB_BINARY=… build/reference/bin/python tests/embedding/test_import.py
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import jsonschema
import numpy as np
import onnx
from onnx import helper, numpy_helper

from test_tiny_qwen3 import HIDDEN, ROOT, library_missing, reference, tiny_qwen3

from server_process import binary, program_environment  # on the path by test_tiny_qwen3

CARD = "---\ntags:\n- x\nlicense: apache-2.0\n---\n# Tiny\nlicense: mit\n"
SCHEMA = json.loads((ROOT / "docs" / "models" / "manifest.schema.json").read_text(encoding="utf-8"))


def run(*arguments, environment=None):
    done = subprocess.run([binary(), "models", "import", *map(str, arguments)], capture_output=True, text=True,
                          env=program_environment(environment), timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def encoder_graph(rows, width=384, layers=12, positions=512, looks_back=False):
    """Attention without weights of its own over a table of tokens and one of positions."""
    chance = np.random.default_rng(1)
    tables = {"tokens": chance.normal(size=(rows, width)), "places": chance.normal(size=(positions, width)),
              "scale": np.array(0.05), "below": np.triu(np.full((512, 512), -1e9), 1)}
    numbers = {"first": [0], "start": [0, 0], "axes": [0, 1]}
    values = [numpy_helper.from_array(np.asarray(value, np.float32), key) for key, value in tables.items()]
    values += [numpy_helper.from_array(np.array(value, np.int64), key) for key, value in numbers.items()]
    values += [numpy_helper.from_array(np.array(value, np.int64), key) for key, value in (("zero", 0), ("one", 1))]
    make = helper.make_node
    nodes = [make("Gather", ["tokens", "input_ids"], ["words"]), make("Shape", ["input_ids"], ["shape"]),
             make("Gather", ["shape", "one"], ["length"]), make("Range", ["zero", "length", "one"], ["range"]),
             make("Unsqueeze", ["length", "first"], ["end"]), make("Concat", ["end", "end"], ["square"], axis=0),
             make("Slice", ["below", "start", "square", "axes"], ["future"])]
    nodes += [make("Gather", ["places", "range"], ["place"]), make("Add", ["words", "place"], ["x0"])] if positions \
        else [make("Identity", ["words"], ["x0"])]
    for i in range(layers):
        x = f"x{i}"
        nodes += [make("Transpose", [x], [f"t{i}"], perm=[0, 2, 1]), make("MatMul", [x, f"t{i}"], [f"s{i}"]),
                  make("Mul", [f"s{i}", "scale"], [f"m{i}"])]
        nodes += [make("Add", [f"m{i}", "future"], [f"f{i}"])] if looks_back else []
        nodes += [make("Softmax", [f"f{i}" if looks_back else f"m{i}"], [f"p{i}"], axis=-1),
                  make("MatMul", [f"p{i}", x], [f"a{i}"]), make("Add", [x, f"a{i}"], [f"b{i}"]),
                  make("LpNormalization", [f"b{i}"], [f"x{i + 1}"], axis=-1, p=2)]
    shape = ["texts", "tokens"]
    graph = helper.make_graph(
        nodes + [make("Identity", [f"x{layers}"], ["last_hidden_state"])], "encoder",
        [helper.make_tensor_value_info("input_ids", onnx.TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("last_hidden_state", onnx.TensorProto.FLOAT, [*shape, width])], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@unittest.skipIf(library_missing(), library_missing())
class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="akidb-import-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.made = cls.folder / "made"
        tokenizer_json = tiny_qwen3.trained_tokenizer().to_str()
        tiny_qwen3.main(cls.made, tokenizer_json)
        cls.end = tiny_qwen3.load_model(tokenizer_json)[2].token_to_id(tiny_qwen3.END)

    def copy(self, model=HIDDEN):
        """A folder as its publisher would leave it."""
        target = self.folder / self.id().rsplit(".", 1)[1] / model
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.made / model, target)
        (target / "manifest.json").unlink()
        (target / "README.md").write_text(CARD, encoding="utf-8")
        return target

    def default_model(self, name):
        """Its graph and tokenizer in a folder, without what describes them."""
        models = pathlib.Path(os.environ.get("AKIDB_MODELS_DIR") or ROOT / "build" / "models")
        source = models / "all-minilm-l6-v2"
        if not (source / "model.onnx").exists():
            self.skipTest(f"no {source}; `akidb models pull` gets it")
        folder = self.folder / name
        folder.mkdir()
        for file in ("model.onnx", "tokenizer.json"):
            shutil.copy(source / file, folder)
        return folder

    def imported(self, folder, *options):
        code, out, err = run(folder, *options)
        self.assertEqual(code, 0, err)
        self.assertIn("manifest.json", out)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(SCHEMA).validate(manifest)
        return manifest

    def refused(self, words, folder, *options):
        code, out, err = run(folder, *options)
        self.assertIn(code, (1, 4), out + err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertIn(words, err)
        self.assertFalse((folder / "manifest.json").exists())

    def change(self, folder, name, **members):
        path = folder / name
        value = json.loads(path.read_text(encoding="utf-8"))
        value.update(members)
        path.write_text(json.dumps(value), encoding="utf-8")

    def test_every_layout_is_found_out(self):
        for layout in tiny_qwen3.LAYOUTS:
            name = f"tiny-qwen3-{layout.replace('_', '-')}"
            with self.subTest(layout=layout):
                options = ["--append-ids", self.end, "--offered", "8,16"]
                if layout == "uint8":
                    options += ["--scale", repr(float(tiny_qwen3.SCALE)), "--zero-point", 128]
                found = self.imported(self.copy(name), *options)
                wanted = json.loads((self.made / name / "manifest.json").read_text(encoding="utf-8"))
                self.assertEqual(found["graph"].pop("empty_kv", {}).pop("type", "float32"), "float32")
                wanted["graph"].pop("empty_kv", None)
                scale = found["graph"].get("dequantize", {}).pop("scale", 0)
                self.assertAlmostEqual(scale, wanted["graph"].get("dequantize", {}).pop("scale", 0), places=8)
                for member in ("id", "tokenizer", "graph", "max_tokens", "pooling", "dims"):
                    self.assertEqual(found[member], wanted[member])
                self.assertEqual((found["licence"], found["batch"]), ("Apache-2.0", "any"))
                self.assertEqual(found["prompts"]["query"], tiny_qwen3.PROMPTS["query"].replace(
                    "{instruction}", tiny_qwen3.PROMPTS["default_instruction"]))

    def test_its_golden_texts_are_the_references(self):
        folder = self.copy()
        manifest = self.imported(folder, "--append-ids", self.end)
        config, weights, tokenizer = tiny_qwen3.load_model((folder / "tokenizer.json").read_text(encoding="utf-8"))
        for golden in manifest["golden"]:
            vector = reference.vector(config, weights, tiny_qwen3.sequence(tokenizer, golden["type"], golden["text"]))
            for got, wanted in zip(golden["head"], vector):
                self.assertAlmostEqual(got, float(wanted), places=5)

    def test_the_default_model(self):
        folder = self.default_model("minilm")
        self.refused("--licence", folder)
        self.refused("--pooling", folder, "--licence", "Apache-2.0")
        self.refused("--max-tokens", folder, "--licence", "Apache-2.0", "--pooling", "mean")
        manifest = self.imported(folder, "--licence", "Apache-2.0", "--pooling", "mean", "--max-tokens", 256)
        self.assertEqual(manifest["dims"], {"native": 384})
        self.assertEqual(manifest["graph"]["inputs"], {
            "input_ids": "ids", "attention_mask": "mask", "token_type_ids": "token_types"})

    def test_a_published_model(self):
        folder = self.default_model("published")
        name = ["--model", "sentence-transformers/all-MiniLM-L6-v2"]
        # With another way of pooling its publisher's example isn't met.
        self.refused("vectors are not those of all-minilm-l6-v2", folder, *name, "--pooling", "cls")
        self.refused("table of tokens is 384 instead of 1024", folder, "--model", "bge-m3")
        self.refused("config.json beside the graph", folder, "--model", "bge-small-en-v1.5")
        self.refused("known are qwen3-embedding-0.6b", folder, "--model", "qwen4")
        code, _, err = run(folder, *name, "--print")
        self.assertEqual(code, 0, err)
        self.assertIn("the publisher's example is met; worst cosine of query 1", err)
        manifest = self.imported(folder, *name)
        self.assertEqual(manifest["aliases"], ["sentence-transformers/all-minilm-l6-v2"])
        self.assertEqual((manifest["id"], manifest["licence"], manifest["pooling"], manifest["max_tokens"]),
                         ("all-minilm-l6-v2", "Apache-2.0", "mean", 256))

    def pretend(self, graph, **settings):
        """A folder that says it is of bge-small-en-v1.5, with that graph in it."""
        folder = self.copy()
        shutil.rmtree(folder / "1_Pooling")
        vocabulary = len(json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
        self.change(folder, "config.json", hidden_size=384, num_hidden_layers=12, num_attention_heads=12,
                    num_key_value_heads=12, max_position_embeddings=512, vocab_size=vocabulary + 64, **settings)
        onnx.save(encoder_graph(**{"rows": vocabulary + 64, **graph}), folder / "model.onnx")
        return folder

    def test_what_the_graph_shows_counts_whatever_config_says(self):
        name = ("--model", "bge-small-en-v1.5")
        for graph, words in (
            ({"rows": 7000}, "the rows of its table of tokens are 7000, vocab_size is "),
            ({"width": 256}, "table of tokens is 256 instead of 384"),
            ({"layers": 6}, "the number of attentions in the graph is 6 instead of 12"),
            ({"positions": 128}, "the rows of its table of positions are 128, max_position_embeddings is 512"),
            ({"positions": 0}, "it uses no positions, bge-small-en-v1.5 does"),
            ({"looks_back": True}, "don't see those behind them, those of bge-small-en-v1.5 do"),
        ):
            with self.subTest(words=words):
                self.refused(words, self.pretend(graph), *name)
        folder = self.pretend({})
        code, _, err = run(folder, *name, "--print")
        self.assertEqual(code, 0, err)
        self.assertNotIn("is believed", err)
        self.assertIn("shows no figures", err)

    def test_another_model_than_the_one_named(self):
        folder = self.copy()
        width = tiny_qwen3.reference.Config(1).width
        self.refused(f"hidden_size is {width} instead of 1024", folder, "--model", "qwen3-embedding-0.6b")
        self.change(folder, "config.json", hidden_size=1024, num_hidden_layers=28, num_attention_heads=16,
                    num_key_value_heads=4)
        self.refused("num_key_value_heads is 4 instead of 8", folder, "--model", "Qwen/Qwen3-Embedding-0.6B")

    def test_a_graph_whose_vectors_depend_on_the_batch_is_run_text_by_text(self):
        folder = self.copy()
        model = onnx.load(folder / "model.onnx")
        # One scale for all texts of a run, as dynamic quantization has.
        model.graph.node.extend([
            helper.make_node("DynamicQuantizeLinear", ["last_hidden_state"], ["bytes", "scale", "zero"]),
            helper.make_node("DequantizeLinear", ["bytes", "scale", "zero"], ["rounded"])])
        shape = ["texts", "tokens", tiny_qwen3.reference.Config(1).width]
        del model.graph.output[:]
        model.graph.output.append(helper.make_tensor_value_info("rounded", onnx.TensorProto.FLOAT, shape))
        onnx.save(model, folder / "model.onnx")
        self.assertEqual(self.imported(folder, "--append-ids", self.end)["batch"], "one")

    def test_a_graph_that_takes_one_text_is_run_text_by_text(self):
        def declared(model, texts=1):
            for input in model.graph.input:
                input.type.tensor_type.shape.dim[0].dim_value = texts

        def within(model):
            # A shape of a single text that no input declares.
            shape = numpy_helper.from_array(np.array([1, -1], np.int64), "one_text")
            model.graph.initializer.append(shape)
            flat = helper.make_node("Reshape", ["input_ids", "one_text"], ["text"])
            for node in model.graph.node:
                node.input[:] = ["text" if name == "input_ids" else name for name in node.input]
            model.graph.node.insert(0, flat)

        for change, note in ((declared, "takes one text at a time"), (within, "fails for several texts")):
            with self.subTest(note=note):
                folder = self.copy()
                model = onnx.load(folder / "model.onnx")
                change(model)
                onnx.save(model, folder / "model.onnx")
                code, out, err = run(folder, "--append-ids", self.end)
                self.assertEqual(code, 0, err)
                self.assertIn(note, out + err)
                manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
                self.assertEqual(manifest["batch"], "one")
        folder = self.copy()
        model = onnx.load(folder / "model.onnx")
        declared(model, 4)
        onnx.save(model, folder / "model.onnx")
        self.refused("takes exactly 4 texts", folder, "--append-ids", self.end)

    def test_weights_beside_the_graph(self):
        folder = self.copy()
        inside = self.imported(folder, "--append-ids", self.end)
        model = onnx.load(folder / "model.onnx")
        (folder / "manifest.json").unlink()
        (folder / "model.onnx").unlink()
        (folder / "onnx").mkdir()
        onnx.save(model, folder / "onnx" / "model.onnx", save_as_external_data=True, size_threshold=256,
                  location="model.onnx_data")
        beside = self.imported(folder, "--append-ids", self.end)
        self.assertEqual([file["path"] for file in beside["graph"]["external"]], ["onnx/model.onnx_data"])
        self.assertEqual(beside["golden"], inside["golden"])
        (folder / "manifest.json").unlink()
        # One that the graph calls elsewhere is not followed.
        graph = onnx.load(folder / "onnx" / "model.onnx", load_external_data=False)
        for tensor in graph.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = "../model.onnx_data"
        shutil.copy(folder / "onnx" / "model.onnx_data", folder)
        (folder / "onnx" / "model.onnx").write_bytes(graph.SerializeToString())
        self.refused("outside its folder", folder, "--append-ids", self.end)

    def test_what_is_not_proven_has_to_be_said(self):
        folder = self.copy()
        self.refused("--append-ids", folder)
        self.assertNotIn("append_ids", self.imported(folder, "--append-ids", "none")["tokenizer"])
        (folder / "manifest.json").unlink()
        (folder / "README.md").write_text("license: mit\n", encoding="utf-8")
        self.refused("--licence", folder, "--append-ids", "none")
        shutil.copy(folder / "model.onnx", folder / "other.onnx")
        self.refused("model.onnx, other.onnx", folder, "--licence", "MIT", "--append-ids", "none")
        manifest = self.imported(folder, "--licence", "MIT", "--append-ids", "none", "--graph", "other.onnx")
        self.assertEqual((manifest["graph"]["path"], manifest["licence"]), ("other.onnx", "MIT"))
        self.assertIn("--replace", run(folder, "--licence", "MIT")[2])
        self.refused("--scale", self.copy("tiny-qwen3-uint8"), "--append-ids", self.end)
        self.refused("--append-ids", self.copy("tiny-qwen3-pooled"))

    def test_models_that_do_what_we_do_not(self):
        end = ("--append-ids", self.end)
        for name, members, words in (
            ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "pooling_mode_"),
            ("1_Pooling/config.json", {"include_prompt": False}, "include_prompt"),
            ("1_Pooling/config.json", {"pooling_mode_lasttoken": False}, "--pooling"),
            ("config.json", {"hidden_size": 64}, "hidden_size is 64"),
            ("config_sentence_transformers.json", {"default_prompt_name": "query"}, "default_prompt_name"),
            ("config_sentence_transformers.json", {"prompts": {"query": 1}}, "no string"),
            ("tokenizer.json", {"normalizer": {"type": "Lowercase"}}, "Lowercase"),
        ):
            with self.subTest(words=words):
                folder = self.copy()
                self.change(folder, name, **members)
                self.refused(words, folder, *end)
        folder = self.copy()
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        modules.append({"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
        (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        self.refused("`Dense`", folder, *end)
        del modules[2:]
        (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        self.change(folder, "config_sentence_transformers.json", similarity_fn_name="dot")
        self.refused("`dot`", folder, *end)

    def test_graphs_that_are_none_of_ours(self):
        def rename(model):
            model.graph.input[0].name = "tokens"
            for node in model.graph.node:
                node.input[:] = ["tokens" if name == "input_ids" else name for name in node.input]

        def add_output(model):
            model.graph.output.append(helper.make_tensor_value_info(
                model.graph.node[-2].output[0], onnx.TensorProto.FLOAT, None))

        def add_input(model):
            model.graph.input.append(helper.make_tensor_value_info("pixels", onnx.TensorProto.FLOAT, ["n", 3]))

        for change, words in ((rename, "it takes tokens, "), (add_output, "--output"), (add_input, "`pixels`")):
            with self.subTest(words=words):
                folder = self.copy()
                model = onnx.load(folder / "model.onnx")
                change(model)
                onnx.save(model, folder / "model.onnx")
                self.refused(words, folder, "--append-ids", self.end)

    def test_broken_folders(self):
        end = ("--append-ids", self.end)
        for name, content, words in (
            ("model.onnx", b"no model", "model.onnx: not an ONNX file"), ("tokenizer.json", b"{", "tokenizer"),
            ("modules.json", b"[", "modules.json"), ("config.json", b"\xff", "config.json"),
        ):
            folder = self.copy()
            (folder / name).write_bytes(content)
            self.refused(words, folder, *end)
        for name in ("model.onnx", "tokenizer.json"):
            folder = self.copy()
            (folder / name).unlink()
            self.refused(name.split(".")[1], folder, *end)
        self.refused("bad", self.copy(), "--append-ids", "bad")
        self.refused("no token of that id", self.copy(), "--append-ids", "99999")
        missing = self.folder / "nowhere"
        self.assertEqual(run(missing, *end)[0], 1)
        self.refused("--graph", self.copy(), *end, "--graph", "../x.onnx")


if __name__ == "__main__":
    unittest.main()
