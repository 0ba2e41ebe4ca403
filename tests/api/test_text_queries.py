"""Queries that rank points by the texts in a field: {"text": …} with `using`."""

import math
import re
import unittest

from server_process import ServerTestCase

TEXTS = (
    "The coolant hose leaks at the clamp",
    ["Hose, hose and hose", "clamp"],
    "Replace the coolant",
    "Nothing of it",
    None,
    7,
    "A hose that is much longer than others " + "and longer " * 40,
)


def tokens(text):
    return re.findall(r"\w+", text.lower())


class TextQueries(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "64"}

    def setUp(self):
        super().setUp()
        self.create({"size": 3, "distance": "Dot"})
        self.texts = {}
        self.put({i: text for i, text in enumerate(TEXTS)})
        self.index({"type": "text", "scoring": True})

    def put(self, texts):
        self.texts.update(texts)
        self.upsert([{"id": i, "vector": [1, i, 0], "payload": {"t": text, "n": i}} for i, text in texts.items()])

    def index(self, schema, field="t"):
        self.ok("PUT", self.path + "/index?wait=true", {"field_name": field, "field_schema": schema})

    def ranked(self, words, **more):
        return [(h["id"], round(h["score"], 4)) for h in self.query({"query": words, "using": "t", **more})]

    def expected(self, words, k1=1.2, b=0.75):
        documents = {}
        for i, text in self.texts.items():
            found = [t for each in (text if isinstance(text, list) else [text]) if isinstance(each, str)
                     for t in tokens(each)]
            if found:
                documents[i] = found
        mean = sum(map(len, documents.values())) / len(documents)
        scores = {}
        for term in set(tokens(words)):
            having = sum(term in found for found in documents.values())
            rare = math.log((len(documents) - having + 0.5) / (having + 0.5) + 1)
            for i, found in documents.items():
                if count := found.count(term):
                    part = rare * count * (k1 + 1) / (count + k1 * (1 - b + b * len(found) / mean))
                    scores[i] = scores.get(i, 0) + part
        return [(i, round(score, 4)) for i, score in sorted(scores.items(), key=lambda each: (-each[1], each[0]))]

    def test_scores_are_those_of_bm25_in_memory_and_in_segments(self):
        for words in ("hose", "coolant hose HOSE", "clamp the", "nobody", ""):
            self.assertEqual(self.ranked({"text": {"query": words}}, limit=100), self.expected(words))
            self.assertEqual(self.ranked({"text": words}, limit=100), self.expected(words))
        self.put({i: f"hose {'clamp ' * (i % 7)} number {i % 13}" for i in range(100, 400)})
        self.assertEqual(self.ranked({"text": "hose clamp 3"}, limit=1000), self.expected("hose clamp 3"))
        scoring = {"bm25": {"k": 0.5, "b": 0}}
        asked = {"text": {"query": "clamp 3", "scoring": scoring}}
        self.assertEqual(self.ranked(asked, limit=1000), self.expected("clamp 3", 0.5, 0))
        self.put({1: "no more"})
        self.ok("POST", self.path + "/points/delete?wait=true", {"points": [0, 150, 151, 152]})
        for gone in (0, 150, 151, 152):
            self.texts.pop(gone)
        for _ in range(2):
            self.assertEqual(self.ranked({"text": "hose clamp 3"}, limit=1000), self.expected("hose clamp 3"))
            self.server.stop()
            self.server.start()

    def test_filters_pages_thresholds_and_payloads(self):
        everything = self.expected("hose coolant")
        below = {"filter": {"must": [{"key": "n", "range": {"lt": 2}}]}}
        self.assertEqual(self.ranked({"text": "hose coolant"}, **below), [e for e in everything if e[0] < 2])
        self.assertEqual(self.ranked({"text": "hose coolant"}, offset=1, limit=2), everything[1:3])
        threshold = self.query({"query": {"text": "hose coolant"}, "using": "t"})[1]["score"]
        self.assertEqual(self.ranked({"text": "hose coolant"}, score_threshold=threshold), everything[:1])
        hit = self.query({"query": {"text": "hose"}, "using": "t", "limit": 1, "with_payload": ["n"],
                          "with_vector": True})[0]
        self.assertEqual((hit["payload"], hit["vector"]), ({"n": 1}, [1.0, 1.0, 0.0]))

    def test_words_are_rare_among_the_points_of_a_corpus(self):
        corpus = {"must": [{"has_id": [0, 1, 6]}]}
        kept = self.texts
        self.texts = {i: kept[i] for i in (0, 1, 6)}
        wanted = self.expected("hose coolant")
        self.texts = kept
        got = self.ranked({"text": "hose coolant"}, params={"idf": {"corpus": corpus}})
        self.assertEqual([each for each in got if each[0] != 2], wanted)

    def test_beside_vectors_in_one_request(self):
        text = {"query": {"text": {"query": "hose"}}, "using": "t", "limit": 5}
        hits = self.query({"prefetch": [text, {"query": [1, 3, 0], "limit": 5}], "query": {"fusion": "rrf"}})
        self.assertEqual(len(hits), 7)
        again = self.query({"prefetch": [text], "query": [0, 1, 0], "limit": 5})
        self.assertEqual(sorted(h["id"] for h in again), sorted(i for i, _ in self.expected("hose")))
        groups = self.ok("POST", self.path + "/points/query/groups",
                         {"query": {"text": "hose"}, "using": "t", "group_by": "n", "limit": 2}).result["groups"]
        self.assertEqual([g["id"] for g in groups], [i for i, _ in self.expected("hose")[:2]])

    def test_what_makes_no_sense(self):
        self.index("text", "plain")
        path = self.path + "/points/query"
        for using, wanted in (("other", "BM25 requires a text index on field other, which has none"),
                              ("plain", "does not score: set `scoring` on it to query it")):
            self.assertIn(wanted, self.refused(400, "POST", path, {"query": {"text": {"query": "x"}}, "using": using}))
        self.assertIn("needs `using`", self.refused(400, "POST", path, {"query": {"text": {"query": "x"}}}))
        rescoring = {"query": {"text": {"query": "x"}}, "using": "t", "prefetch": {"query": [1, 2, 3]}}
        self.assertIn("cannot rescore prefetches", self.refused(400, "POST", path, rescoring))
        for wrong in ({"query": 1}, {"query": "x", "scoring": 1}, {"query": "x", "scoring": {}},
                      {"query": "x", "scoring": {"bm25": {"k": "1"}}}, {"query": "x", "scoring": {"bm25": {"l": 1}}},
                      {"query": "x", "more": 1}, {"query": "x", "scoring": {"bm25": {"k": -1}}},
                      {"query": "x", "scoring": {"bm25": {"b": 1.5}}},
                      {"query": "x", "scoring": {"bm25": {"k": 1e99}}}):
            with self.subTest(wrong=wrong):
                reply = self.call("POST", path, {"query": {"text": wrong}, "using": "t"})
                self.assertIn(reply.status, (400, 422), reply.text)

    def test_the_description_says_that_a_field_ranks(self):
        schema = self.ok("GET", self.path).result["payload_schema"]
        self.assertEqual(schema["t"]["params"], {"type": "text", "scoring": {"type": "bm25"}})
        self.index({"type": "text", "scoring": False})
        schema = self.ok("GET", self.path).result["payload_schema"]
        self.assertEqual(schema["t"]["params"], {"type": "text"})


if __name__ == "__main__":
    unittest.main()
