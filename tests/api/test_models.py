"""Models of a running server: loading, unloading, how far they are; vectors of queries that are kept."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from server_process import ROOT, Server, ServerTestCase, binary, model_missing, models_folder, program_environment

MODEL = "all-minilm-l6-v2"
ALIAS = "sentence-transformers%2Fall-MiniLM-L6-v2"
MANIFESTS = ROOT / "src" / "embedding" / "built_in_manifests.cc"


class ModelTestCase(ServerTestCase):
    def state(self):
        rows = self.ok("GET", "/v1/models").json["data"]
        return next(row for row in rows if row["id"] == MODEL)["akidb"]

    def metric(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.ok("GET", "/metrics").text, re.MULTILINE)
        return float(found[1])

    def embed(self, text, **options):
        body = {"input": text, "encoding_format": "base64", **options}
        return self.ok("POST", "/v1/embeddings", body).json

    def ask(self, verb, model=MODEL, parameters=""):
        return self.call("POST", f"/akidb/models/{model}/{verb}{parameters}")


@unittest.skipIf(model_missing(), model_missing())
class Models(ModelTestCase):
    def test_a_model_is_loaded_and_unloaded(self):
        self.ask("unload")
        self.assertEqual(self.state()["state"], "installed")
        self.assertEqual(self.metric("akidb_models_loaded"), 0)
        loads = self.metric('akidb_model_loads_total{outcome="ok"}')
        reply = self.ask("load", ALIAS)
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual((reply.result["id"], reply.result["akidb"]["state"]), (MODEL, "ready"))
        self.assertEqual(self.ask("load").status, 200)
        self.assertEqual(self.state(), reply.result["akidb"])
        self.assertEqual(self.state()["requests"], 0)
        self.assertEqual(self.metric("akidb_models_loaded"), 1)
        self.assertEqual(self.metric("akidb_models_bytes"), self.state()["memory_bytes"])
        self.assertEqual(self.metric('akidb_model_loads_total{outcome="ok"}') - loads, 1)
        unloads = self.metric('akidb_model_unloads_total{reason="asked"}')
        for _ in range(2):
            reply = self.ask("unload")
            self.assertEqual((reply.status, reply.result["akidb"]["state"]), (200, "installed"))
        self.assertEqual(self.metric('akidb_model_unloads_total{reason="asked"}') - unloads, 1)
        self.assertEqual(len(self.embed("it is loaded at its next use")["data"]), 1)
        self.assertEqual(self.state()["state"], "ready")

    def test_providers_are_told_with_what_became_of_them(self):
        self.assertEqual(self.ask("load").status, 200)
        state = self.state()
        self.assertFalse(state["degraded"])
        self.assertEqual([one["provider"] for one in state["providers"]],
                         ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"])
        serving = [one for one in state["providers"] if one["serves"]]
        self.assertEqual([one["state"] for one in serving], ["ready"])
        for one in state["providers"]:
            self.assertEqual("reason" in one, one["state"] == "refused", one)
        name = serving[0]["provider"]
        self.assertEqual(self.metric(
            f'akidb_model_provider_serves{{model="{MODEL}",provider="{name}",variant=""}}'), 1)
        self.assertEqual(self.metric(
            f'akidb_model_provider_failures_total{{model="{MODEL}",provider="{name}",variant=""}}'), 0)
        # What runs take is learned from the first one on.
        self.ok("POST", "/v1/embeddings", {"input": "one and two", "model": MODEL})
        times = [self.metric(f'akidb_model_{name}_seconds{{model="{MODEL}",tokens_max="8"}}')
                 for name in ("run", "token")]
        self.assertGreater(sum(times), 0)
        self.assertGreaterEqual(min(times), 0)
        self.assertEqual(self.metric(f'akidb_model_queued_texts{{model="{MODEL}"}}'), 0)
        self.assertEqual(self.ask("unload").status, 200)
        self.assertNotIn("providers", self.state())

    def test_what_is_not_there_can_be_neither(self):
        for verb in ("load", "unload"):
            reply = self.ask(verb, "nonesuch")
            self.assertEqual(reply.status, 404, reply.text)
            self.assertIn(MODEL, reply.error)
            self.assertEqual(self.call("GET", f"/akidb/models/{MODEL}/{verb}").status, 405)
            self.assertEqual(self.ask(verb, "%zz").status, 400)
            self.assertEqual(self.ask(verb, parameters="?timeout=0").status, 400)
        self.assertEqual(self.call("POST", f"/akidb/models/{MODEL}").status, 404)

    def test_requests_in_flight_end_well(self):
        expected = self.embed(["one", "two"])["data"]
        failures = []
        done = threading.Event()

        def embed():
            while not done.is_set():
                reply = self.call("POST", "/v1/embeddings", {"input": ["one", "two"], "encoding_format": "base64"})
                if reply.status != 200 or reply.json["data"] != expected:
                    failures.append(reply.text)
                    return

        threads = [threading.Thread(target=embed) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            self.assertEqual(self.ask("unload").status, 200)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_by_the_command(self):
        url = f"http://127.0.0.1:{self.server.port}"
        for verb, state in (("load", "ready"), ("unload", "installed")):
            done = subprocess.run([binary(), "models", verb, MODEL, "--url", url], capture_output=True, text=True,
                                  env=program_environment(), timeout=60)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f"{MODEL}: {verb}ed\n", ""))
            self.assertEqual(self.state()["state"], state)
        done = subprocess.run([binary(), "models", "load", "nonesuch", "--url", url], capture_output=True, text=True,
                              env=program_environment(), timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nonesuch", done.stderr)


@unittest.skipIf(model_missing(), model_missing())
class Damaged(unittest.TestCase):
    """Two models of the same files, in a folder of their own: `other` is damaged, the default one serves."""

    def setUp(self):
        self.models = pathlib.Path(tempfile.mkdtemp(prefix="akidb-models-"))
        self.addCleanup(shutil.rmtree, self.models, ignore_errors=True)
        for name in (MODEL, "other"):
            shutil.copytree(models_folder() / MODEL, self.models / name)
        text = MANIFESTS.read_text(encoding="utf-8")
        manifest = json.loads(re.search(r'R"json\((\{\s*"id": "all-minilm-l6-v2".*?)\)json";', text, re.DOTALL)[1])
        self.manifest = {**manifest, "id": "other", "aliases": []}
        self.graph = self.models / "other" / "model.onnx"
        self.describe(self.manifest)
        self.server = None

    def describe(self, manifest):
        (self.models / "other" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def serve(self, **environment):
        self.server = Server(environment={"AKIDB_MODELS_DIR": str(self.models), **environment}).start()
        self.addCleanup(self.server.close)

    def rows(self):
        return {row["id"]: row["akidb"] for row in self.server.request("GET", "/v1/models").json["data"]}

    def load(self, model="other"):
        return self.server.request("POST", f"/akidb/models/{model}/load")

    def embed(self, model):
        return self.server.request("POST", "/v1/embeddings", {"input": "a text", "model": model})

    def check_fails(self, reason):
        reply = self.load()
        self.assertEqual(reply.status, 503, reply.text)
        self.assertIn(reason, reply.error)
        state = self.rows()["other"]
        self.assertEqual((state["state"], state["requests"]), ("failed", 0))
        self.assertIn(reason, state["state_reason"])
        self.assertGreaterEqual(state["failed_seconds_ago"], 0)
        self.assertNotIn("providers", state)
        reply = self.embed("other")
        self.assertEqual(reply.status, 503, reply.text)
        self.assertIn(reason, reply.json["error"]["message"])
        # The one beside it isn't concerned.
        self.assertEqual(self.embed(MODEL).status, 200)
        self.assertEqual(self.rows()[MODEL]["state"], "ready")

    def check_serves(self):
        reply = self.load()
        self.assertEqual(reply.status, 200, reply.text)
        state = self.rows()["other"]
        self.assertEqual(state["state"], "ready")
        for gone in ("state_reason", "failed_seconds_ago"):
            self.assertNotIn(gone, state)
        self.assertEqual(self.embed("other").json["data"], self.embed(MODEL).json["data"])

    def test_a_truncated_graph(self):
        whole = self.graph.read_bytes()
        self.graph.write_bytes(whole[:-1])
        self.serve()
        self.check_fails("it is truncated or another file")
        self.graph.write_bytes(whole)
        self.check_serves()

    def test_a_graph_with_another_checksum(self):
        whole = self.graph.read_bytes()
        self.graph.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        self.serve()
        self.check_fails("SHA-256")
        self.graph.write_bytes(whole)
        self.check_serves()

    def test_vectors_other_than_those_of_the_golden_texts(self):
        golden = [{**text, "head": [-number for number in text["head"]]} for text in self.manifest["golden"]]
        self.describe({**self.manifest, "golden": golden})
        self.serve()
        self.check_fails("golden")
        # Manifests are read when the program starts.
        self.server.close()
        self.describe(self.manifest)
        self.serve()
        self.check_serves()

    def test_absent_ones_are_listed_where_they_should_be_there(self):
        self.serve()
        self.server.request("PUT", "/collections/c", {"vectors": {"size": 384, "distance": "Cosine"}})
        point = {"id": 1, "vector": {"text": "oil", "model": "other"}}
        written = self.server.request("PUT", "/collections/c/points?wait=true", {"points": [point]})
        self.assertEqual(written.status, 200, written.text)
        self.assertEqual(self.server.stop(), 0)
        self.graph.rename(self.graph.with_suffix(".away"))
        (self.models / MODEL / "tokenizer.json").unlink()
        self.server.start()
        rows = self.rows()
        self.assertEqual(sorted(rows), [MODEL, "other"])
        for name, missing in ((MODEL, "tokenizer.json"), ("other", "model.onnx")):
            self.assertEqual(rows[name]["state"], "absent")
            self.assertIn(missing, rows[name]["state_reason"])
        reply = self.load()
        self.assertEqual(reply.status, 400, reply.text)
        state = self.rows()["other"]
        self.assertEqual(state["state"], "absent")
        self.assertGreaterEqual(state["failed_seconds_ago"], 0)
        self.graph.with_suffix(".away").rename(self.graph)
        self.assertEqual(self.load().status, 200)
        self.assertEqual(self.rows()["other"]["state"], "ready")
        # Nobody counts on it any more.
        self.assertEqual(self.server.request("DELETE", "/collections/c").status, 200)
        self.assertEqual(self.server.request("POST", "/akidb/models/other/unload").status, 200)
        self.graph.unlink()
        self.assertEqual(sorted(self.rows()), [MODEL])

    def test_a_pinned_one_too(self):
        self.graph.unlink()
        self.serve(AKIDB_PINNED_MODELS="other")
        self.assertEqual(self.rows()["other"]["state"], "absent")


@unittest.skipIf(model_missing(), model_missing())
class QueryCache(ModelTestCase):
    def lookups(self):
        return [self.metric(f'akidb_query_cache_lookups_total{{outcome="{outcome}"}}') for outcome in ("hit", "miss")]

    def test_queries_are_kept_and_documents_are_not(self):
        hits, misses = self.lookups()
        first = self.embed("asked again and again", input_type="query")
        again = self.embed("asked again and again", input_type="query")
        self.assertEqual(first, again)
        self.assertEqual(self.lookups(), [hits + 1, misses + 1])
        self.assertGreater(self.metric("akidb_query_cache_bytes"), 384 * 4)
        for _ in range(2):
            self.assertEqual(self.embed("asked again and again")["usage"], first["usage"])
        self.assertEqual(self.lookups(), [hits + 1, misses + 1])
        self.ask("unload")
        self.assertEqual(self.embed("asked again and again", input_type="query"), first)
        self.assertEqual(self.lookups(), [hits + 2, misses + 1])

    def test_texts_in_queries_too(self):
        self.create({"size": 384, "distance": "Cosine"})
        self.upsert([{"id": i, "vector": {"text": text}} for i, text in enumerate(["oil", "water"])])
        hits, misses = self.lookups()
        body = {"query": {"text": "lubrication of a pump"}, "limit": 2}
        answers = [self.ok("POST", self.path + "/points/query", body).json for _ in range(2)]
        self.assertEqual(answers[0]["result"], answers[1]["result"])
        self.assertEqual(answers[0]["usage"], answers[1]["usage"])
        self.assertEqual(self.lookups(), [hits + 1, misses + 1])


@unittest.skipIf(model_missing(), model_missing())
class NoCache(ModelTestCase):
    environment = {"AKIDB_QUERY_CACHE_BYTES": "0"}

    def test_it_can_be_done_without(self):
        vectors = [self.embed("again", input_type="query") for _ in range(2)]
        self.assertEqual(vectors[0], vectors[1])
        self.assertEqual(self.metric('akidb_query_cache_lookups_total{outcome="hit"}'), 0)
        self.assertEqual(self.metric("akidb_query_cache_bytes"), 0)


@unittest.skipIf(model_missing(), model_missing())
class Bounds(ModelTestCase):
    environment = {"AKIDB_MODELS_BYTES_MAX": "1000000"}

    def test_a_model_beyond_them_is_refused(self):
        for reply in (self.ask("load"), self.call("POST", "/v1/embeddings", {"input": "x"})):
            self.assertEqual(reply.status, 503)
            self.assertIn("models_bytes_max", reply.text)
        self.assertEqual(self.state()["state"], "installed")
        self.assertEqual(self.metric('akidb_model_loads_total{outcome="no_room"}'), 2)


@unittest.skipIf(model_missing(), model_missing())
class Providers(ModelTestCase):
    environment = {"AKIDB_EMBEDDING_PROVIDERS": "cpu", "AKIDB_EMBEDDING_RUN_TIMEOUT": "1"}

    def test_only_those_that_were_named_are_tried(self):
        self.embed("a text")
        self.assertEqual([one["provider"] for one in self.state()["providers"]], ["CPUExecutionProvider"])

    def test_wrong_names_keep_the_server_from_starting(self):
        for names in ("rocm", "cpu,cpu", ",", "cpu;cuda"):
            with self.subTest(names=names), tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(
                    [binary(), "serve", "--data-dir", folder], capture_output=True, text=True, timeout=60, check=False,
                    env=program_environment({"AKIDB_EMBEDDING_PROVIDERS": names}))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("embedding_providers", done.stderr)


@unittest.skipIf(model_missing(), model_missing())
class Pinned(ModelTestCase):
    environment = {"AKIDB_PINNED_MODELS": " all-MiniLM-L6-v2 ,"}

    def test_a_pinned_model_stays(self):
        self.assertTrue(self.state()["pinned"])
        self.assertEqual(self.ask("load").status, 200)
        reply = self.ask("unload")
        self.assertEqual(reply.status, 400)
        self.assertIn("pinned", reply.error)
        self.assertEqual(self.state()["state"], "ready")

    def test_pins_that_cannot_be_keep_the_server_from_starting(self):
        for changes, told in (({"AKIDB_PINNED_MODELS": "nonesuch"}, "nonesuch"),
                              ({"AKIDB_PINNED_MODELS": f"{MODEL},e5-small-v2", "AKIDB_MODELS_MAX": "1"}, "models_max"),
                              ({"AKIDB_PINNED_MODELS": MODEL, "AKIDB_MODELS_BYTES_MAX": "9"}, "models_bytes_max")):
            with self.subTest(changes=changes), tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(
                    [binary(), "serve", "--http-port", "0", "--data-dir", os.path.join(folder, "data")],
                    capture_output=True, text=True, env=program_environment(changes), timeout=60)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("pinned_models", done.stderr)
                self.assertIn(told, done.stderr)


if __name__ == "__main__":
    unittest.main()
