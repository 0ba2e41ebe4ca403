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

    def test_half_of_a_character_is_refused_by_its_place(self):
        begin = b'{"points":[{"id":1,"vector":{"text":"'
        for text, place in ((rb"\ud83d", 0), (rb"X\ud83d\n", 1), (rb"\\ud83d\ud83d\ude00\uDE00", 19)):
            error = self.refused(400, "PUT", self.path + "/points", begin + text + b'"}}]}')
            self.assertIn(f"a lone surrogate, {text[place:place + 6].decode()}, at byte {len(begin) + place} ", error)
        self.upsert([self.text_point(1, "\U0001f600")])  # escaped as two halves

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

    def test_ids_beyond_the_vocabulary_are_refused_by_place(self):
        for id in (30522, 2**31 - 1):
            reply = self.call("POST", "/v1/embeddings", {"input": [[101, 102], [7592, id]], "model": MODEL})
            self.assertEqual(reply.status, 400, reply.text)
            self.assertIn(f"text 1: id {id} at place 1", reply.json["error"]["message"])
        self.assertEqual(self.embed({"input": [[101, 30521]], "model": MODEL})["data"][0]["index"], 0)

    def test_texts_have_as_many_tokens_as_ids_may(self):
        # 254 of each are left of its window of 256, with its two special tokens.
        texts = ["word " * 300] * (300_000 // 256)
        self.assertEqual(self.embed({"input": texts, "model": MODEL})["usage"]["total_tokens"], 256 * len(texts))
        reply = self.call("POST", "/v1/embeddings", {"input": [*texts, "word " * 300], "model": MODEL})
        self.assertEqual(reply.status, 413, reply.text)
        self.assertIn(f"more than 300000 tokens, prompts and special tokens included, from text {len(texts)} on",
                      reply.json["error"]["message"])

    def test_models_are_listed(self):
        body = self.ok("GET", "/v1/models").json
        self.assertEqual(body["object"], "list")
        self.assertIn("all-minilm-l6-v2", [row["id"] for row in body["data"]])


@unittest.skipIf(model_missing(), model_missing())
class Tokens(ServerTestCase):
    def tokenize(self, body):
        return self.ok("POST", "/v1/tokenize", body).json

    def rejected(self, status, path, body):
        reply = self.call("POST", path, body)
        self.assertEqual(reply.status, status, reply.text)
        return reply.json["error"]["message"]

    def test_texts_become_ids_and_tokens(self):
        answer = self.tokenize({"input": ["The pumps.", ""], "model": MODEL})
        self.assertEqual((answer["object"], answer["model"], answer["max_tokens"]), ("list", "all-minilm-l6-v2", 256))
        first, second = answer["data"]
        self.assertEqual(first["tokens"], ["[CLS]", "the", "pumps", ".", "[SEP]"])
        self.assertEqual((first["index"], first["count"], len(first["ids"]), first["ids"][0]), (0, 5, 5, 101))
        self.assertEqual((second["index"], second["tokens"]), (1, ["[CLS]", "[SEP]"]))
        self.assertEqual(answer["usage"], {"prompt_tokens": 7, "total_tokens": 7})

    def test_the_text_alone(self):
        answer = self.tokenize({"input": "The pumps.", "add_special_tokens": False})
        self.assertEqual(answer["data"][0]["tokens"], ["the", "pumps", "."])

    def test_as_many_tokens_as_embedding_counts(self):
        texts = ["a", "pump " * 300, "[SEP] \u0001\u0000 \u200b", "\U0001f600 中文"]
        tokens = self.tokenize({"input": texts, "truncate": "end"})
        usage = self.ok("POST", "/v1/embeddings", {"input": texts}).json["usage"]
        self.assertEqual(tokens["usage"], usage)
        self.assertEqual([row["truncated"] for row in tokens["data"]], [False, True, False, False])
        whole = self.tokenize({"input": texts})
        self.assertEqual((whole["data"][1]["count"], whole["data"][1]["truncated"]), (302, False))

    def test_special_tokens_that_a_text_spells_out(self):
        self.assertEqual(self.tokenize({"input": "[SEP]", "add_special_tokens": False})["data"][0]["ids"], [102])

    def test_a_text_of_ten_megabytes(self):
        body = {"input": "word " * 2_000_000, "truncate": "end"}
        self.assertEqual(self.tokenize(body)["data"][0]["count"], 256)
        error = self.rejected(413, "/v1/tokenize", {"input": body["input"]})
        self.assertIn("300000 tokens", error)
        self.assertIn("256", self.rejected(413, "/v1/tokenize", {**body, "truncate": "none"}))

    def test_ids_become_text_again(self):
        ids = self.tokenize({"input": "The pump's lubricated!"})["data"][0]["ids"]
        answer = self.ok("POST", "/v1/detokenize", {"ids": ids}).json
        self.assertEqual(answer, {"model": "all-minilm-l6-v2", "text": "the pump ' s lubricated!"})
        answer = self.ok("POST", "/v1/detokenize", {"ids": ids, "skip_special_tokens": False}).json
        self.assertEqual(answer["text"], "[CLS] the pump ' s lubricated! [SEP]")
        self.assertEqual(self.ok("POST", "/v1/detokenize", {"ids": []}).json["text"], "")
        self.assertIn("30522 at place 1", self.rejected(400, "/v1/detokenize", {"ids": [101, 30522]}))

    def test_what_cannot_be_tokenized(self):
        for body, status, words in (
            ({"input": "x", "model": "no-such-model"}, 400, "no-such-model"),
            ({"input": "x", "model": "bge-small-en-v1.5", "instruction": "y"}, 400, "bge-small-en-v1.5"),
            ({"input": "x", "instruction": "y"}, 400, "takes no instruction"),
            ({"input": []}, 422, "input"),
            ({"input": ["x"] * 2049}, 422, "2049"),
            ({"input": [1, 2]}, 400, "input[0]"),
            (b'{"input":"\\ud800"}', 400, ""),
            (b'{"input":"\xff"}', 400, ""),
        ):
            self.assertIn(words, self.rejected(status, "/v1/tokenize", body))


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
