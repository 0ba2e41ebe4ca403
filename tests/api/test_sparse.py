"""Sparse vectors: written, changed, found, fused with others; over segments, merges and a restart."""

import math
import os
import random
import unittest

from server_process import ServerTestCase, wait_until

POINTS = 900


def dot(a, b):
    shared = set(a) & set(b)
    return sum(a[i] * b[i] for i in shared) if shared else None


def wire(vector):
    return {"indices": list(vector), "values": list(vector.values())}


class Sparse(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "256"}

    def create_both(self, **options):
        self.ok("PUT", self.path, {"vectors": {"d": {"size": 2, "distance": "Dot"}},
                                   "sparse_vectors": {"s": options}})

    def put(self, status, vector):
        body = {"points": [{"id": 1, "vector": vector}]}
        return self.refused(status, "PUT", self.path + "/points", body)

    def scores(self, **query):
        return [(h["id"], round(h["score"], 5)) for h in self.query(query)]

    def test_vectors_come_back_sorted_and_the_description_names_them(self):
        options = {"index": {"full_scan_threshold": 10, "on_disk": True, "datatype": "float16"}, "modifier": "idf"}
        self.create_both(**options)
        params = self.ok("GET", self.path).result["config"]["params"]
        self.assertEqual(params["sparse_vectors"], {"s": options})
        self.assertEqual(list(params["vectors"]), ["d"])
        unsorted = {"indices": [9, 4294967295, 3], "values": [1, 2, 3.5]}
        self.upsert([{"id": 1, "vector": {"s": unsorted, "d": [1, 2]}},
                     {"id": 2, "vector": {"s": {"indices": [], "values": []}}}])
        self.assertEqual(self.ok("GET", self.path + "/points/1").result["vector"],
                         {"d": [1.0, 2.0], "s": {"indices": [3, 9, 4294967295], "values": [3.5, 1.0, 2.0]}})
        self.assertEqual(self.ok("GET", self.path + "/points/2").result["vector"],
                         {"s": {"indices": [], "values": []}})
        self.ok("PUT", self.path + "/points/vectors?wait=true",
                {"points": [{"id": 2, "vector": {"s": {"indices": [5], "values": [1]}}}]})
        self.ok("POST", self.path + "/points/vectors/delete?wait=true", {"points": [1], "vector": ["s"]})
        page = self.ok("POST", self.path + "/points/scroll", {"with_vector": ["s"]}).result["points"]
        self.assertEqual([p["vector"] for p in page], [{}, {"s": {"indices": [5], "values": [1.0]}}])
        count = self.ok("POST", self.path + "/points/count", {"filter": {"must": [{"has_vector": "s"}]}})
        self.assertEqual(count.result["count"], 1)

    def test_a_collection_may_have_nothing_else(self):
        self.ok("PUT", self.path, {"sparse_vectors": {"s": {}}})
        self.assertEqual(self.ok("GET", self.path).result["config"]["params"]["vectors"], {})
        self.upsert([{"id": 1, "vector": {"s": {"indices": [1], "values": [2]}}}])
        self.assertEqual(self.scores(query={"indices": [1], "values": [3]}, using="s"), [(1, 6.0)])

    def test_what_is_no_sparse_vector_is_refused(self):
        self.create_both()
        place = "Validation error in JSON body: [points[0].vector.s."
        self.assertEqual(self.put(422, {"s": {"indices": [1], "values": [1, 2]}}),
                         place + "values: must be the same length as indices]")
        self.assertEqual(self.put(422, {"s": {"indices": [1, 2, 1], "values": [1, 2, 3]}}),
                         place + "indices: must be unique]")
        mixed = "Wrong input: Conversion between sparse and regular vectors failed"
        self.assertEqual(self.put(400, {"s": [1, 2]}), mixed)
        self.assertEqual(self.put(400, {"d": {"indices": [1], "values": [1]}}), mixed)
        for bad in ({"indices": [1]}, {"values": [1]}, {"indices": [-1], "values": [1]},
                    {"indices": [4294967296], "values": [1]}, {"indices": [1.5], "values": [1]},
                    {"indices": ["1"], "values": [1]}, {"indices": [1], "values": ["1"]},
                    {"indices": [1], "values": [None]}, {"indices": 1, "values": 1},
                    {"indices": [1], "values": [1], "more": 1}):
            self.assertIn("points[0].vector.s", self.put(400, {"s": bad}))
        self.assertIn("finite", self.put(400, {"s": {"indices": [1], "values": [1e39]}}))
        query = self.path + "/points/query"
        of_dense = {"query": {"indices": [1], "values": [1]}, "using": "d"}
        self.assertEqual(self.refused(400, "POST", query, of_dense), mixed)
        self.assertEqual(self.refused(400, "POST", query, {"query": [1, 2], "using": "s"}), mixed)
        self.assertIn("[query.indices: must be unique]", self.refused(
            422, "POST", query, {"query": {"indices": [1, 1], "values": [1, 1]}, "using": "s"}))
        self.assertIn("Not existing vector name error: t", self.refused(
            400, "POST", query, {"query": {"indices": [1], "values": [1]}, "using": "t"}))
        other = self.path + "x"
        self.assertIn("Dense and sparse vector names must be unique", self.refused(400, "PUT", other, {
            "vectors": {"a": {"size": 2, "distance": "Dot"}}, "sparse_vectors": {"a": {}}}))
        for bad in ({"s": {"modifier": "rare"}}, {"s": 1}, {"s": {"index": {"datatype": "float8"}}}, [1]):
            self.refused(400, "PUT", other, {"sparse_vectors": bad})

    def test_queries_of_every_kind(self):
        self.create_both()
        self.upsert([{"id": 1, "vector": {"s": wire({1: 1.0, 2: 2.0}), "d": [1, 0]}, "payload": {"g": "a"}},
                     {"id": 2, "vector": {"s": wire({2: 1.0, 3: -4.0}), "d": [0, 1]}, "payload": {"g": "b"}},
                     {"id": 3, "vector": {"s": wire({7: 5.0}), "d": [1, 1]}, "payload": {"g": "a"}},
                     {"id": 4, "vector": {"d": [5, 5]}}])
        q = wire({2: 1.0, 3: 1.0})
        self.assertEqual(self.scores(query=q, using="s"), [(1, 2.0), (2, -3.0)])
        self.assertEqual(self.scores(query=q, using="s", score_threshold=0), [(1, 2.0)])
        self.assertEqual(self.scores(query=q, using="s", offset=1), [(2, -3.0)])
        self.assertEqual(self.scores(query=q, using="s", filter={"must": [{"has_id": [2, 3]}]}), [(2, -3.0)])
        self.assertEqual(self.scores(query=2, using="s"), [(1, 2.0)])
        self.assertIn("no vector", self.refused(400, "POST", self.path + "/points/query", {"query": 4, "using": "s"}))
        hits = self.ok("POST", self.path + "/points/search",
                       {"vector": {"name": "s", "vector": q}, "limit": 3, "with_vector": ["s"]}).result
        self.assertEqual([h["id"] for h in hits], [1, 2])
        self.assertEqual(hits[0]["vector"], {"s": {"indices": [1, 2], "values": [1.0, 2.0]}})
        # mean(1) + mean(1) - mean(2) = {1: 2, 2: 3, 3: 4}; examples are left out.
        recommend = {"positive": [wire({1: 1, 2: 2})], "negative": [wire({2: 1, 3: -4})]}
        self.assertEqual(self.scores(query={"recommend": recommend}, using="s"), [(1, 8.0), (2, -13.0)])
        sums = dict(self.scores(query={"recommend": recommend | {"strategy": "sum_scores"}}, using="s"))
        self.assertEqual(sums, {1: 3.0, 2: -15.0, 3: 0.0})
        best = self.scores(query={"recommend": recommend | {"strategy": "best_score"}}, using="s")
        self.assertEqual(best[0][0], 1)
        pairs = {"context": [{"positive": wire({7: 1}), "negative": wire({1: 1})}]}
        self.assertEqual(self.scores(query=pairs, using="s")[0][0], 3)
        self.assertEqual(self.scores(query={"discover": {"target": wire({7: 1}), **pairs}}, using="s")[0][0], 3)
        diverse = {"nearest": wire({1: 1, 2: 1, 7: 0.1}), "mmr": {"diversity": 0.9}}
        self.assertEqual([i for i, _ in self.scores(query=diverse, using="s", limit=2)], [1, 2])
        fused = self.scores(prefetch=[{"query": q, "using": "s"}, {"query": [1, 1], "using": "d"}],
                            query={"fusion": "rrf"})
        self.assertEqual(len(fused), 4)
        self.assertEqual(len(self.scores(prefetch=[{"query": q, "using": "s"}, {"query": [1, 1], "using": "d"}],
                                         query={"fusion": "dbsf"})), 4)
        rescored = self.scores(prefetch={"query": [1, 1], "using": "d", "limit": 3}, query=q, using="s")
        self.assertEqual(rescored, [(1, 2.0)])
        groups = self.ok("POST", self.path + "/points/query/groups",
                         {"query": q, "using": "s", "group_by": "g"}).result["groups"]
        self.assertEqual([(g["id"], g["hits"][0]["id"]) for g in groups], [("a", 1), ("b", 2)])
        batch = self.ok("POST", self.path + "/points/query/batch",
                        {"searches": [{"query": q, "using": "s"}, {"query": [1, 0], "using": "d"}]}).result
        self.assertEqual([h["id"] for h in batch[0]["points"]], [1, 2])
        matrix = self.ok("POST", self.path + "/points/search/matrix/pairs", {"using": "s", "sample": 3, "limit": 2})
        self.assertEqual({(p["a"], p["b"], p["score"]) for p in matrix.result["pairs"]}, {(1, 2, 2.0), (2, 1, 2.0)})

    def test_texts_by_bm25(self):
        self.create_both(modifier="idf")
        texts = ["The quick brown fox jumps over the lazy dog", "A dog and blue dogs", "Foxes are quick", "Nothing"]

        def words(text, **options):
            return {"text": text, "model": "Qdrant/BM25", **({"options": options} if options else {})}

        self.upsert([{"id": i, "vector": {"s": words(t), "d": [i, 1]}} for i, t in enumerate(texts)])
        stored = self.ok("GET", self.path + "/points/1").result["vector"]["s"]
        self.assertEqual(len(stored["indices"]), 2)  # "dog" twice, "blue"; stop words are left out
        length = 0.25 + 0.75 * 3 / 256
        self.assertAlmostEqual(max(stored["values"]), 2 * 2.2 / (2 + 1.2 * length), places=5)
        hits = self.query({"query": words("dogs"), "using": "s"})
        self.assertEqual([h["id"] for h in hits], [1, 0])
        idf = math.log((4 - 2 + 0.5) / (2 + 0.5) + 1)
        self.assertAlmostEqual(hits[0]["score"], max(stored["values"]) * idf, places=5)
        self.assertEqual(self.query({"query": words("the"), "using": "s"}), [])
        self.assertEqual(self.query({"query": {"nearest": words("fox")}, "using": "s"})[0]["id"], 2)
        plain = words("dogs", language="none", stemmer={"type": "none"}, stopwords={"custom": ["x"]}, k=2, b=0)
        self.assertEqual(self.query({"query": plain, "using": "s"}), [])  # nothing but the stem is stored
        fused = self.query({"prefetch": [{"query": words("nothing"), "using": "s"}, {"query": [1, 0], "using": "d"}],
                            "query": {"fusion": "rrf"}})
        self.assertEqual(fused[0]["id"], 3)
        for bad, text in (({"language": "klingon"}, "Unsupported language: klingon"), ({"b": 2}, "`b` from 0 to 1"),
                          ({"tokens": 1}, "options.tokens"), ({"stemmer": {"type": "porter"}}, "stemmer.type"),
                          ({"tokenizer": "wort"}, "unknown variant `wort`")):
            body = {"query": words("dogs", **bad), "using": "s"}
            self.assertIn(text, self.refused(400, "POST", self.path + "/points/query", body))
        self.assertIn("between sparse and regular", self.put(400, {"d": words("dog")}))

    def test_a_scope_of_rarity_needs_the_modifier(self):
        self.create_both()
        text = "Wrong input: Validation failed: search param `idf` requires a sparse vector with the `idf` modifier"
        for scope in ("global", {"corpus": {}}):
            for body in ({"query": wire({1: 1.0}), "using": "s"}, {"query": [1, 0], "using": "d"}):
                asked = {**body, "params": {"idf": scope}}
                self.assertIn(text, self.refused(400, "POST", self.path + "/points/query", asked))

    def test_rarity_follows_updates_and_deletes(self):
        self.create_both(modifier="idf")
        self.upsert([{"id": i, "vector": {"s": wire({1: 1.0} if i % 2 else {1: 1.0, 2: 1.0})}} for i in range(10)])

        def idf(n, df):
            return round(math.log((n - df + 0.5) / (df + 0.5) + 1), 5)

        query = {"query": wire({2: 1.0}), "using": "s", "limit": 1}
        self.assertEqual(self.scores(**query)[0][1], idf(10, 5))
        self.ok("POST", self.path + "/points/delete?wait=true", {"points": [0, 1]})
        self.assertEqual(self.scores(**query)[0][1], idf(8, 4))
        self.ok("PUT", self.path + "/points/vectors?wait=true",
                {"points": [{"id": 2, "vector": {"s": wire({9: 1.0})}}]})
        self.assertEqual(self.scores(**query)[0][1], idf(8, 3))
        self.ok("POST", self.path + "/points/vectors/delete?wait=true", {"points": [4], "vector": ["s"]})
        self.assertEqual(self.scores(**query)[0][1], idf(7, 2))

    def test_segments_merges_and_restarts_change_nothing(self):
        seed = int(os.environ.get("AKIDB_TEST_SEED") or random.randrange(2**32))
        print(f"AKIDB_TEST_SEED={seed}")
        self.rng = random.Random(seed)
        self.create_both()
        self.points = [self.vector() for _ in range(POINTS)]
        for first in range(0, POINTS, 100):
            self.upsert([{"id": i, "vector": {"s": wire(self.points[i]), "d": [i, 1]}, "payload": {"half": i % 2}}
                         for i in range(first, first + 100)])
        self.check()
        wait_until(lambda: self.ok("GET", self.path).result["status"] == "green")
        self.check()
        self.server.stop()
        self.server.start()
        self.check()

    def vector(self):
        return {int(40 * self.rng.random() ** 2): round(self.rng.gauss(0, 1), 3) for _ in range(self.rng.randrange(9))}

    def check(self):
        for half in (None, 1) * 5:
            query = self.vector()
            found = {i: dot(query, p) for i, p in enumerate(self.points) if half is None or i % 2 == half}
            best = sorted((s for s in found.values() if s is not None), reverse=True)
            body = {"query": wire(query), "using": "s", "limit": 10}
            if half is not None:
                body["filter"] = {"must": [{"key": "half", "match": {"value": half}}]}
            hits = self.query(body)
            self.assertEqual(len(hits), min(10, len(best)))
            for rank, hit in enumerate(hits):
                self.assertAlmostEqual(hit["score"], best[rank], delta=1e-4)
                self.assertAlmostEqual(hit["score"], found[hit["id"]], delta=1e-4)


if __name__ == "__main__":
    unittest.main()
