"""Texts in place of vectors, and OpenAI's endpoints."""

import base64
import json
import math
import struct
import unittest

from server_process import ServerTestCase, model_missing

MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


@unittest.skipIf(model_missing(), model_missing())
class Texts(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.create({"size": 384, "distance": "Cosine"})

    def text_point(self, id, text):
        return {"id": id, "vector": {"text": text, "model": MODEL}, "payload": {"text": text}}

    def test_texts_are_found_by_meaning_and_cost_is_reported(self):
        texts = ["The pump is lubricated every 500 hours.", "Bananas are yellow.", "dpkg -S finds a file's package."]
        written = self.upsert([self.text_point(i, text) for i, text in enumerate(texts)]).json
        self.assertGreater(written["usage"]["inference"]["models"][MODEL]["tokens"], 20)
        body = {"query": {"text": "how often does the machine need oil?", "model": MODEL}, "limit": 1}
        answer = self.ok("POST", self.path + "/points/query", body).json
        self.assertEqual(answer["result"]["points"][0]["id"], 0)
        self.assertGreater(answer["usage"]["inference"]["models"][MODEL]["tokens"], 5)
        self.assertGreater(answer["akidb"]["embed_ms"], 0)

    def test_the_text_of_a_point_finds_that_point_with_score_one(self):
        self.upsert([self.text_point(1, "a sentence of its own")])
        body = {"query": {"nearest": {"text": "a sentence of its own", "model": MODEL}}}
        self.assertAlmostEqual(self.query(body)[0]["score"], 1.0, places=5)

    def test_an_empty_text_and_one_of_a_megabyte(self):
        reply = self.upsert([self.text_point(1, ""), self.text_point(2, "word " * 200_000)])
        self.assertEqual(reply.json["akidb"]["truncated_texts"], 1)
        self.assertEqual(self.ok("POST", self.path + "/points/count", {}).result["count"], 2)

    def test_a_text_of_invalid_utf8_is_refused(self):
        body = b'{"points":[{"id":1,"vector":{"text":"a\xff\xfeb"}}]}'
        self.assertIn("UTF-8", self.refused(400, "PUT", self.path + "/points", body))

    def test_a_model_of_another_length_names_both(self):
        self.path += "_narrow"
        self.create({"size": 4, "distance": "Cosine"})
        error = self.refused(400, "PUT", self.path + "/points", {"points": [self.text_point(1, "x")]})
        self.assertIn("384", error)
        self.assertIn("has 4", error)


@unittest.skipIf(model_missing(), model_missing())
class OpenAi(ServerTestCase):
    def embed(self, body):
        return self.ok("POST", "/v1/embeddings", body).json

    def test_floats_and_base64_are_the_same_vector(self):
        floats = self.embed({"input": "hello", "model": MODEL})
        self.assertEqual(floats["object"], "list")
        vector = floats["data"][0]["embedding"]
        self.assertEqual((len(vector), floats["data"][0]["index"]), (384, 0))
        self.assertEqual(floats["usage"]["prompt_tokens"], floats["usage"]["total_tokens"])
        encoded = self.embed({"input": ["hello"], "model": MODEL, "encoding_format": "base64"})
        raw = base64.b64decode(encoded["data"][0]["embedding"])
        self.assertGreater(cosine(vector, struct.unpack("<384f", raw)), 0.999999)

    def test_lists_keep_their_order(self):
        data = self.embed({"input": ["cat", "kitten", "carburettor"], "model": MODEL})["data"]
        self.assertEqual([row["index"] for row in data], [0, 1, 2])
        a, b, c = (row["embedding"] for row in data)
        self.assertGreater(cosine(a, b), cosine(a, c))

    def test_models_are_listed(self):
        body = self.ok("GET", "/v1/models").json
        self.assertEqual(body["object"], "list")
        self.assertIn("all-minilm-l6-v2", [row["id"] for row in body["data"]])


class OpenAiErrors(ServerTestCase):
    def test_errors_have_openais_form(self):
        for body, status in (
            (b"{", 400),
            ({"model": "x"}, 400),
            ({"input": "x", "model": "no-such-model"}, 400),
            ({"input": [], "model": "x"}, 422),
        ):
            reply = self.call("POST", "/v1/embeddings", body)
            self.assertEqual(reply.status, status, reply.text)
            error = json.loads(reply.text)["error"]
            self.assertEqual(error["type"], "invalid_request_error")
            self.assertTrue(error["message"])
            self.assertEqual((error["param"], error["code"]), (None, None))


class WithoutOnnxRuntime(ServerTestCase):
    """Vectors work; texts get a clear error that says what to install."""

    environment = {"AKIDB_ORT_LIB": "/nonexistent/libonnxruntime.so"}

    def test_vectors_work_and_texts_are_refused_clearly(self):
        self.create({"": {"size": 384, "distance": "Cosine"}, "raw": {"size": 1, "distance": "Dot"}})
        self.upsert([{"id": 1, "vector": {"raw": [1]}}])
        body = {"points": [{"id": 2, "vector": {"text": "x", "model": MODEL}}]}
        error = self.refused(400, "PUT", self.path + "/points", body)
        self.assertTrue("onnxruntime" in error.lower() or "not installed" in error.lower(), error)
        self.assertEqual(self.ok("POST", self.path + "/points/count", {}).result["count"], 1)


if __name__ == "__main__":
    unittest.main()
