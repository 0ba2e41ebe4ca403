"""The rules for models of Qwen3's kind, over tiny models of that architecture with random weights.

    AKIDB_BINARY=… build/reference/bin/python tests/embedding/test_tiny_qwen3.py

tools/models/tiny_qwen3.py makes one for each layout of exports; vectors are held against the forward
pass in numpy (qwen3_reference.py), which sees one text at a time and no padding.
"""
import base64
import json
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import unittest

import jsonschema
import numpy as np
import onnx
import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "api"), str(ROOT / "tools" / "models")]

import qwen3_reference as reference  # noqa: E402
import tiny_qwen3  # noqa: E402
from server_process import Server, binary  # noqa: E402

# The least cosine to the reference.
LAYOUTS = {"tiny-qwen3-pooled": 0.999999, "tiny-qwen3-hidden": 0.999999, "tiny-qwen3-empty-kv": 0.999999,
           "tiny-qwen3-fp16": 0.99999, "tiny-qwen3-uint8": 0.999}
HIDDEN = "tiny-qwen3-hidden"
WORDS = ("the package that owns a file mounts /etc/fstab quick brown fox 中文 größe мир 2026 don't "
         "restart-server '42' \n  x y é ☃").split(" ")
SEED = int(os.environ.get("AKIDB_TEST_SEED", "1"))


def library_missing():
    given = os.environ.get("AKIDB_ORT_LIB")
    folder = pathlib.Path(binary()).resolve().parent.parent / "lib"
    if given or list(folder.glob("libonnxruntime.so*")):
        return None
    return f"no ONNX Runtime in {folder}; `akidb models pull` gets it"


def make_texts(count, words_max):
    source = random.Random(SEED)
    return [" ".join(source.choice(WORDS) for _ in range(source.randint(1, words_max))) for _ in range(count)]


def vary(models, name, change):
    """A copy of the layout `hidden` with another manifest; `change` may return the new one's name."""
    folder = models / name
    shutil.copytree(models / HIDDEN, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["id"] = name
    change(manifest, folder)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def copy_graph(models, layout):
    """Describes that layout's graph by the manifest's members for `hidden`."""
    def change(manifest, folder):
        shutil.copy(models / layout / "model.onnx", folder)
        manifest["graph"].update(tiny_qwen3.described(folder / "model.onnx"))
    return change


class TinyModels(unittest.TestCase):
    """One server over all layouts."""

    @classmethod
    def setUpClass(cls):
        if library_missing():
            raise unittest.SkipTest(library_missing())
        print(f"AKIDB_TEST_SEED={SEED}")
        cls.folder = tempfile.mkdtemp(prefix="akidb-tiny-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.models = pathlib.Path(cls.folder) / "models"
        tokenizer_json = cls.tokenizer_json()
        cls.config, cls.weights, cls.tokenizer = tiny_qwen3.load_model(tokenizer_json)
        tiny_qwen3.main(cls.models, tokenizer_json)
        cls.add_variants()
        cls.server = Server(environment={"AKIDB_MODELS_DIR": str(cls.models),
                                         "AKIDB_DEFAULT_MODEL": HIDDEN}).start()
        cls.addClassCleanup(cls.server.close)

    @classmethod
    def tokenizer_json(cls):
        return tiny_qwen3.trained_tokenizer().to_str()

    @classmethod
    def add_variants(cls):
        pass

    def post(self, path, body, status=200):
        reply = self.server.request("POST", path, body)
        self.assertEqual(reply.status, status, reply.text[:2000])
        return reply.json if status == 200 else reply.json["error"]["message"]

    def embed(self, texts, model=HIDDEN, **options):
        body = {"input": texts, "model": model, "encoding_format": "base64", **options}
        rows = self.post("/v1/embeddings", body)["data"]
        return np.stack([np.frombuffer(base64.b64decode(row["embedding"]), np.float32) for row in rows])

    def ids(self, kind, text):
        return tiny_qwen3.sequence(self.tokenizer, kind, text)

    @staticmethod
    def in_window(ids):
        return ids if len(ids) <= tiny_qwen3.WINDOW else ids[:tiny_qwen3.WINDOW - 1] + ids[-1:]

    def expected(self, ids):
        return reference.vector(self.config, self.weights, ids)

    def check_close(self, got, ids, least=0.999999):
        self.assertGreaterEqual(float(got @ self.expected(ids)), least)


class Rules(TinyModels):
    @classmethod
    def add_variants(cls):
        def without_end(manifest, _):
            del manifest["tokenizer"]["append_ids"]
            for golden in manifest["golden"]:
                ids = tiny_qwen3.sequence(cls.tokenizer, golden["type"], golden["text"])[:-1]
                golden["head"] = reference.vector(cls.config, cls.weights, ids)[:16].tolist()

        def plain(manifest, _):
            manifest["tokenizer"]["specials_in_text"] = "plain"

        def beside(manifest, folder):
            model = onnx.load(folder / "model.onnx")
            (folder / "model.onnx").unlink()
            onnx.save(model, folder / "model.onnx", save_as_external_data=True, size_threshold=256, location="weights")
            manifest["graph"].update(tiny_qwen3.described(folder / "model.onnx"))
            manifest["graph"]["external"] = [tiny_qwen3.described(folder / "weights")]

        def variant(manifest, folder):
            """Another layout of the same network, for the processor."""
            shutil.copy(cls.models / "tiny-qwen3-pooled" / "model.onnx", folder / "pooled.onnx")
            manifest["variants"] = [
                {"name": "for-another-gpu", "providers": ["cpu"], "compute_capability": "99.0",
                 "graph": manifest["graph"]},
                {"name": "pooled", "providers": ["cpu"],
                 "graph": {**tiny_qwen3.described(folder / "pooled.onnx"), "pooled": True,
                           **tiny_qwen3.graph_members(cls.config, "pooled")}}]

        vary(cls.models, "tiny-beside", beside)
        vary(cls.models, "tiny-variant", variant)
        vary(cls.models, "tiny-no-end", without_end)
        vary(cls.models, "tiny-plain", plain)

    def test_every_layout_gives_the_references_vectors(self):
        texts = make_texts(30, 12)
        for model, least in LAYOUTS.items():
            for kind in ("document", "query"):
                with self.subTest(model=model, kind=kind):
                    vectors = self.embed(texts, model, input_type=kind)
                    self.assertEqual(vectors.shape, (len(texts), self.config.width))
                    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
                    for text, vector in zip(texts, vectors):
                        self.check_close(vector, self.in_window(self.ids(kind, text)), least)

    def test_a_vector_does_not_depend_on_its_batch(self):
        texts = make_texts(48, 25)
        order = list(range(len(texts)))
        for model in LAYOUTS:
            alone = np.stack([self.embed([text], model)[0] for text in texts])
            for size in (2, 7, 48):
                random.Random(SEED + size).shuffle(order)
                for begin in range(0, len(order), size):
                    part = order[begin:begin + size]
                    together = self.embed([texts[i] for i in part], model)
                    self.assertEqual(together.tobytes(), alone[part].tobytes(), (model, part))

    def test_neither_does_it_among_texts_of_its_length(self):
        texts = [word for word in ("fox", "dog", "jumps", "over", "lazy", "brown", "quick", "the", "file")
                 if len(self.ids("document", word)) == len(self.ids("document", "fox"))]
        self.assertGreater(len(texts), 2)
        for model in LAYOUTS:
            alone = np.stack([self.embed([text], model)[0] for text in texts])
            self.assertEqual(self.embed(texts, model).tobytes(), alone.tobytes(), model)

    def test_the_end_token_is_what_is_pooled(self):
        text = "which package owns a file?"
        ids = self.ids("document", text)
        self.assertEqual(ids[-1], self.tokenizer.token_to_id(tiny_qwen3.END))
        self.check_close(self.embed([text])[0], ids)
        self.check_close(self.embed([text], "tiny-no-end")[0], ids[:-1])
        self.assertLess(float(self.embed([text])[0] @ self.embed([text], "tiny-no-end")[0]), 0.9)

    def test_weights_beside_the_graph(self):
        texts = make_texts(5, 12)
        np.testing.assert_array_equal(self.embed(texts, "tiny-beside"), self.embed(texts))

    def test_a_variant_takes_the_graphs_place(self):
        texts = make_texts(5, 12)
        np.testing.assert_array_equal(self.embed(texts, "tiny-variant"), self.embed(texts, "tiny-qwen3-pooled"))
        rows = self.server.request("GET", "/v1/models").json["data"]
        providers = next(row for row in rows if row["id"] == "tiny-variant")["akidb"]["providers"]
        self.assertEqual([(one.get("variant"), one["state"]) for one in providers if one["serves"]],
                         [("pooled", "ready")])

    def test_an_empty_text_is_its_end_token_unless_there_is_none(self):
        self.check_close(self.embed([""])[0], self.ids("document", ""))
        self.assertIn("has no tokens", self.post("/v1/embeddings", {"input": [""], "model": "tiny-no-end"}, 400))

    def test_a_prefix_is_made_unit_length_again(self):
        texts = make_texts(5, 10)
        for model in LAYOUTS:
            whole = self.embed(texts, model)
            for dims in tiny_qwen3.OFFERED:
                short = self.embed(texts, model, dimensions=dims)
                wanted = whole[:, :dims] / np.linalg.norm(whole[:, :dims], axis=1, keepdims=True)
                np.testing.assert_allclose(short, wanted, atol=1e-6)
        error = self.post("/v1/embeddings", {"input": "x", "model": HIDDEN, "dimensions": 12}, 400)
        self.assertIn("8, 16, 32", error)

    def test_prompts_and_instructions(self):
        text = "who owns it?"
        query = self.embed([text], input_type="query")[0]
        self.check_close(query, self.ids("query", text))
        self.assertLess(float(query @ self.embed([text])[0]), 0.999)
        prompt = tiny_qwen3.PROMPTS["query"].replace("{instruction}", "find the owner")
        own = self.embed([text], input_type="query", instruction="find the owner")[0]
        self.check_close(own, self.ids("document", prompt + text))
        body = {"input": text, "model": HIDDEN, "input_type": "query", "instruction": "word " * 100}
        self.assertIn("too little room", self.post("/v1/embeddings", body, 400))

    def test_only_the_text_is_cut(self):
        text = " ".join(make_texts(20, 25))
        end = self.tokenizer.token_to_id(tiny_qwen3.END)
        for kind in ("document", "query"):
            whole = self.ids(kind, text)[:-1]
            prompt = len(self.ids(kind, "")) - 1 if kind == "query" else 0
            self.assertGreater(len(whole), 2 * tiny_qwen3.WINDOW)
            room = tiny_qwen3.WINDOW - 1
            self.check_close(self.embed([text], input_type=kind, truncate="end")[0], whole[:room] + [end])
            kept = whole[:prompt] + whole[len(whole) - (room - prompt):]
            self.check_close(self.embed([text], input_type=kind, truncate="start")[0], kept + [end])
        body = {"input": text, "model": HIDDEN, "truncate": "none"}
        self.assertIn("64 tokens", self.post("/v1/embeddings", body, 413))

    def test_an_end_token_spelt_out_by_a_text(self):
        text = f"a {tiny_qwen3.END} b"
        ids = self.ids("document", text)
        self.assertEqual(ids.count(ids[-1]), 2)
        self.check_close(self.embed([text])[0], ids)
        plain = self.post("/v1/tokenize", {"input": text, "model": "tiny-plain"})["data"][0]["ids"]
        self.assertEqual(plain.count(ids[-1]), 1)
        self.check_close(self.embed([text], "tiny-plain")[0], plain)

    def test_ids_in_place_of_texts_give_the_same_vectors(self):
        texts = make_texts(20, 10) + [""]
        ids = [self.ids("document", text)[:-1] for text in texts]
        for model in LAYOUTS:
            self.assertEqual(self.embed(ids, model).tobytes(), self.embed(texts, model).tobytes())
        self.assertEqual(self.embed(ids[0]).tobytes(), self.embed(texts[:1]).tobytes())
        end = self.ids("document", "")
        prompt = self.ids("query", "")[:-1]
        self.check_close(self.embed(ids[:1], input_type="query")[0], prompt + ids[0][:63 - len(prompt)] + end)
        long = (ids[0] + ids[1]) * 20
        self.check_close(self.embed([long])[0], long[:63] + end)
        self.check_close(self.embed([long], truncate="start")[0], long[-63:] + end)
        for wrong, status, words in (([10 ** 6], 400, "id 1000000 at place 0"), ([[5], [10 ** 6]], 400, "text 1: id"),
                                     ([long], 413, "64 tokens"), ([2 ** 31], 422, "no token"),
                                     ([1, "a"], 400, "input[1]"), ([1] * 300_001, 413, "300000")):
            body = {"input": wrong, "model": HIDDEN, "truncate": "none"}
            self.assertIn(words, self.post("/v1/embeddings", body, status))

    def test_tokens_are_those_of_the_reference(self):
        texts = make_texts(40, 20) + ["", "\u0000\u0001", "\U0001f600"]
        for kind in ("document", "query"):
            data = self.post("/v1/tokenize", {"input": texts, "model": HIDDEN, "input_type": kind})["data"]
            for text, row in zip(texts, data):
                self.assertEqual(row["ids"], self.ids(kind, text))
                self.assertEqual(row["tokens"], [self.tokenizer.id_to_token(i) for i in row["ids"]])
                decoded = self.post("/v1/detokenize", {"ids": row["ids"], "model": HIDDEN})["text"]
                self.assertEqual(decoded, self.tokenizer.decode(row["ids"]))


class Refusals(TinyModels):
    """Manifests that don't describe their graph."""

    @classmethod
    def add_variants(cls):
        def zero_point(manifest, folder):
            copy_graph(cls.models, "tiny-qwen3-uint8")(manifest, folder)
            manifest.update(pooling="in_graph")
            manifest["graph"].update(
                tiny_qwen3.graph_members(cls.config, "uint8"), dequantize={"scale": 1, "zero_point": 0})

        def empty_kv(**changes):
            def change(manifest, folder):
                copy_graph(cls.models, "tiny-qwen3-empty-kv")(manifest, folder)
                manifest["graph"].update(tiny_qwen3.graph_members(cls.config, "empty_kv"))
                manifest["graph"]["empty_kv"].update(changes)
            return change

        def beside(change):
            def describe(manifest, folder):
                model = onnx.load(folder / "model.onnx")
                onnx.save(model, folder / "model.onnx", save_as_external_data=True, size_threshold=256,
                          location="weights")
                manifest["graph"].update(tiny_qwen3.described(folder / "model.onnx"))
                manifest["graph"]["external"] = [tiny_qwen3.described(folder / "weights")]
                change(manifest, folder)
            return describe

        def shorter(_, folder):
            (folder / "weights").write_bytes((folder / "weights").read_bytes()[:-1])

        def flipped(_, folder):
            data = bytearray((folder / "weights").read_bytes())
            data[0] ^= 1
            (folder / "weights").write_bytes(data)

        def wrong_variant(manifest, folder):
            zero_point(manifest, folder)
            graph = manifest["graph"]
            manifest.update(json.loads((cls.models / HIDDEN / "manifest.json").read_text(encoding="utf-8")))
            shutil.copy(folder / "model.onnx", folder / "bytes.onnx")
            shutil.copy(cls.models / HIDDEN / "model.onnx", folder)
            manifest.update(id="wrong-variant", variants=[
                {"name": "bytes", "providers": ["cpu"], "graph": {**graph, "path": "bytes.onnx", "pooled": True}}])

        def one_token_more(manifest, folder):
            path = folder / "tokenizer.json"
            tokenizer = tokenizers.Tokenizer.from_file(str(path))
            tokenizer.add_special_tokens(["<|of another model|>"])
            tokenizer.save(str(path))
            manifest["tokenizer"].update(tiny_qwen3.described(path))

        def one_token_more_in_golden_texts(manifest, folder):
            one_token_more(manifest, folder)
            manifest["golden"][0]["text"] += "<|of another model|>"

        def flipped_with_other_tokenizer(manifest, folder):
            one_token_more_in_golden_texts(manifest, folder)
            path = folder / "model.onnx"
            path.write_bytes(path.read_bytes()[:-1] + b"\xff")

        vary(cls.models, "more-tokens", one_token_more)
        vary(cls.models, "other-tokenizer", one_token_more_in_golden_texts)
        vary(cls.models, "other-tokenizer-flipped", flipped_with_other_tokenizer)
        vary(cls.models, "beside-not-named", beside(lambda manifest, _: manifest["graph"].pop("external")))
        vary(cls.models, "beside-missing", beside(lambda _, folder: (folder / "weights").unlink()))
        vary(cls.models, "beside-shorter", beside(shorter))
        vary(cls.models, "beside-flipped", beside(flipped))
        vary(cls.models, "wrong-variant", wrong_variant)
        vary(cls.models, "zero-point", zero_point)
        vary(cls.models, "no-empty-kv", copy_graph(cls.models, "tiny-qwen3-empty-kv"))
        vary(cls.models, "few-layers", empty_kv(layers=3))
        vary(cls.models, "other-names", empty_kv(key="past.{layer}.key"))
        vary(cls.models, "other-heads", empty_kv(heads=4))
        vary(cls.models, "other-type", empty_kv(type="float16"))
        vary(cls.models, "other-output", copy_graph(cls.models, "tiny-qwen3-fp16"))

    def test_each_says_what_is_wrong(self):
        rows = self.config.vocabulary
        for model, words in (
            ("beside-not-named", "the graph's weights lie in `weights`"),
            ("beside-shorter", "weights has"),
            ("beside-flipped", "SHA-256"),
            ("other-tokenizer", f"golden texts the id {rows}, but model.onnx knows only {rows} "),
            ("other-tokenizer-flipped", "SHA-256"),
            ("zero-point", "golden text 0"),
            ("no-empty-kv", "takes 11 inputs"),
            ("few-layers", "takes 11 inputs"),
            ("other-names", "past.0.key"),
            ("other-heads", "past_key_values"),
            ("other-type", "past_key_values"),
            ("other-output", "float16"),
        ):
            error = self.post("/v1/embeddings", {"input": "x", "model": model}, 503)
            self.assertIn(words, error, model)
        # A token without a row fails the text that has it, and no other.
        self.post("/v1/embeddings", {"input": "x", "model": "more-tokens"})
        error = self.post("/v1/embeddings", {"input": ["x", "<|of another model|>"], "model": "more-tokens"}, 400)
        self.assertIn(f"text 1 has the token id {rows} at place 0", error)
        # The model's own graph stands behind a variant that is bad.
        self.post("/v1/embeddings", {"input": "x", "model": "wrong-variant"})
        rows = self.server.request("GET", "/v1/models").json["data"]
        state = next(row for row in rows if row["id"] == "wrong-variant")["akidb"]
        self.assertTrue(state["degraded"])
        one, = (one for one in state["providers"] if one.get("variant") == "bytes")
        self.assertEqual(one["state"], "refused")
        self.assertIn("golden text 0", one["reason"])
        error = self.post("/v1/embeddings", {"input": "x", "model": "beside-missing"}, 400)
        self.assertIn("weights is missing", error)


class Schema(unittest.TestCase):
    """docs/models/manifest.schema.json, which editors use, says what the program says."""

    @classmethod
    def setUpClass(cls):
        schema = json.loads((ROOT / "docs" / "models" / "manifest.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        cls.validator = jsonschema.Draft202012Validator(schema)

    def full(self):
        sha256, head = "0" * 64, [0.1] * 8
        return {"id": "m", "aliases": ["M"], "revision": "1", "licence": "MIT", "batch": "one",
                "tokenizer": {"path": "t.json", "sha256": sha256, "bytes": 1, "append_ids": [7],
                              "specials_in_text": "plain", "source": "pypi:a==1#t.json"},
                "graph": {"path": "sub/m.onnx", "sha256": sha256, "bytes": 1, "inputs": {"i": "ids"}, "output": "o",
                          "output_type": "uint8", "dequantize": {"scale": 0.5, "zero_point": 128},
                          "empty_kv": {"layers": 1, "heads": 1, "head_dim": 1, "key": "k{layer}", "value": "v{layer}"}},
                "variants": [{"name": "v", "precision": "fp8", "providers": ["tensorrt"], "compute_capability": "8.9",
                              "options": {"device_id": "0"},
                              "graph": {"path": "v.onnx", "sha256": sha256, "bytes": 1, "inputs": {"i": "ids"},
                                        "output": "o", "pooled": True,
                                        "external": [{"path": "w", "sha256": sha256, "bytes": 1}]}}],
                "image": {"path": "i.onnx", "sha256": sha256, "bytes": 1, "input": "i", "output": "o", "size": 224,
                          "fit": "crop", "mean": [0.5, 0.5, 0], "deviation": [1, 0.25, 0.25]},
                "engine_profile": {"items_max": 8, "items_typical": 1, "tokens_typical": 8},
                "prompts": {"query": "q", "document": "d", "default_instruction": "i"}, "max_tokens": 8,
                "pooling": "last", "dims": {"native": 16, "offered": [8]},
                "golden": [{"type": "query", "text": "x", "head": head, "min_cosine": 0.99}]}

    def test_it_takes_every_manifest_that_is_served(self):
        source = (ROOT / "src" / "embedding" / "built_in_manifests.cc").read_text(encoding="utf-8")
        texts = re.findall(r'R"json\((\{.*?\n\})\)json";', re.sub(r'\)json"\s*R"json\(', "", source), re.S)
        self.assertGreater(len(texts), 3)
        for text in texts:
            self.validator.validate(json.loads(text))
        self.validator.validate(self.full())
        config, weights, tokenizer = tiny_qwen3.load_model(tiny_qwen3.trained_tokenizer().to_str())
        with tempfile.TemporaryDirectory() as folder:
            for name in ("tokenizer.json", "model.onnx"):
                pathlib.Path(folder, name).write_text("x", encoding="utf-8")
            for layout in tiny_qwen3.LAYOUTS:
                self.validator.validate(
                    tiny_qwen3.manifest(pathlib.Path(folder), layout, (config, weights, tokenizer)))

    def test_it_refuses_what_the_program_refuses(self):
        for path, value in (
            (("id",), "Up"), (("id",), ".x"), (("more",), 1), (("batch",), "two"), (("pooling",), "max"),
            (("max_tokens",), 0), (("graph", "path"), "../x"), (("graph", "path"), "/x"), (("graph", "path"), "a//b"),
            (("graph", "path"), "a/../b"), (("graph", "path"), "a\\b"), (("graph", "sha256"), "A" * 64),
            (("graph", "inputs"), {"i": "other"}), (("graph", "output_type"), "int64"),
            (("graph", "output_type"), "float16"), (("graph", "dequantize", "scale"), 0),
            (("graph", "dequantize", "zero_point"), 256), (("graph", "empty_kv", "key"), "k"),
            (("graph", "empty_kv", "layers"), 0), (("graph", "empty_kv", "type"), "uint8"),
            (("image", "size"), 4097), (("image", "fit"), "pad"), (("image", "mean"), [0.5]),
            (("image", "deviation"), [0, 1, 1]), (("image", "path"), "../i"),
            (("tokenizer", "append_ids"), []), (("tokenizer", "append_ids"), [-1]), (("golden",), []),
            (("variants", 0, "providers"), ["rocm"]), (("variants", 0, "compute_capability"), "sm_89"),
            (("variants", 0, "options", "device_id"), 0), (("variants", 0, "graph", "external", 0, "path"), "../w"),
            (("engine_profile", "items_max"), 0), (("dims", "native"), 70000),
            (("golden", 0, "head"), [1]), (("golden", 0, "min_cosine"), 0.5),
        ):
            manifest = self.full()
            place = manifest
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            self.assertFalse(self.validator.is_valid(manifest), (path, value))


class RealTokenizer(TinyModels):
    """The published tokenizer of Qwen 3 before the same network."""

    PATH = ROOT / "build" / "tokenizers" / "qwen3" / "tokenizer.json"

    @classmethod
    def setUpClass(cls):
        if not cls.PATH.exists():
            raise unittest.SkipTest(f"no {cls.PATH}; tests/tokenizer/fetch.sh gets it")
        super().setUpClass()

    @classmethod
    def tokenizer_json(cls):
        return cls.PATH.read_text(encoding="utf-8")

    def test_vectors_and_end_token(self):
        texts = make_texts(10, 12)
        self.assertEqual(self.ids("document", "x")[-1], 151643)
        for kind in ("document", "query"):
            for text, vector in zip(texts, self.embed(texts, "tiny-qwen3-pooled", input_type=kind)):
                self.check_close(vector, self.in_window(self.ids(kind, text)))


if __name__ == "__main__":
    unittest.main()
