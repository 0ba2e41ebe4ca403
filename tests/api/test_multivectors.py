"""Multivectors: points with a matrix, compared by max-sim; over segments, merges and a restart."""

import math
import os
import random
import unittest

from server_process import ServerTestCase, wait_until

DIM = 8
POINTS = 900
MAX_SIM = {"comparator": "max_sim"}


def similarity(metric, a, b):
    dot = sum(x * y for x, y in zip(a, b))
    if metric == "Euclid":
        return -sum((x - y) ** 2 for x, y in zip(a, b))
    if metric == "Manhattan":
        return -sum(abs(x - y) for x, y in zip(a, b))
    if metric == "Cosine":
        return dot / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))
    return dot


def max_sim(metric, query, rows):
    total = sum(max(similarity(metric, q, r) for r in rows) for q in query)
    if metric == "Euclid":
        return math.sqrt(max(-total, 0))
    return -total if metric == "Manhattan" else total


class Multivectors(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "256"}

    def test_the_values_of_the_dialects_own_engine(self):
        points = {1: [[1, 2, 3], [0, 1, 0]], 2: [[3, 4, 0]], 3: [1, 1, 1], 8: [[0, 0, 0]]}
        matrix = [[1, 2, 3], [3, 0, 0]]
        expected = {
            "Cosine": ({3: 1.5031702518463135, 1: 1.2672611474990845, 2: 1.1879746913909912, 8: 0.0},
                       {1: 1.0, 3: 0.9258200526237488, 2: 0.5879747271537781, 8: 0.0}),
            "Dot": ({2: 20.0, 1: 17.0, 3: 9.0, 8: 0.0}, {1: 14.0, 2: 11.0, 3: 6.0, 8: 0.0}),
            "Euclid": ({1: 3.1622776985168457, 3: 3.316624879837036, 8: 4.795831680297852, 2: 5.74456262588501},
                       {1: 0.0, 3: 2.2360680103302, 8: 3.7416574954986572, 2: 4.123105525970459}),
            "Manhattan": ({1: 4.0, 3: 7.0, 8: 9.0, 2: 11.0}, {1: 0.0, 3: 3.0, 8: 6.0, 2: 7.0}),
        }
        self.create({m: {"size": 3, "distance": m, "multivector_config": MAX_SIM} for m in expected})
        self.upsert([{"id": i, "vector": {m: v for m in expected}} for i, v in points.items()])
        for metric, (of_matrix, of_row) in expected.items():
            for query, scores in ((matrix, of_matrix), ([[1, 2, 3]], of_row), ([1, 2, 3], of_row)):
                hits = self.query({"query": query, "using": metric})
                self.assertEqual([h["id"] for h in hits], list(scores), msg=metric)
                for hit in hits:
                    self.assertAlmostEqual(hit["score"], scores[hit["id"]], delta=1e-5, msg=metric)
        kept = self.ok("GET", self.path + "/points/3").result["vector"]
        self.assertEqual(kept["Dot"], [[1.0, 1.0, 1.0]])
        self.assertEqual(self.ok("GET", self.path + "/points/1").result["vector"]["Dot"],
                         [[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])

    def test_the_description_names_them(self):
        vectors = {"size": 3, "distance": "Dot", "multivector_config": MAX_SIM}
        self.create(vectors)
        self.assertEqual(self.ok("GET", self.path).result["config"]["params"]["vectors"], vectors)
        self.upsert([{"id": 1, "vector": [[1, 2, 3]]}])
        self.assertEqual(self.ok("GET", self.path + "/points/1").result["vector"], [[1.0, 2.0, 3.0]])

    def test_what_is_no_multivector_is_refused(self):
        self.create({"rows": {"size": 2, "distance": "Dot", "multivector_config": MAX_SIM},
                     "plain": {"size": 2, "distance": "Dot"}})

        def upsert(status, name, vector):
            body = {"points": [{"id": 1, "vector": {name: vector}}]}
            return self.refused(status, "PUT", self.path + "/points", body)

        self.assertIn("all vectors must be non-empty", upsert(422, "rows", [[]]))
        self.assertIn("all vectors must have the same dimension, found vector with dimension 1",
                      upsert(422, "rows", [[1, 2], [3]]))
        wrong_length = "Wrong input: Vector dimension error: expected dim: 2, got "
        self.assertEqual(upsert(400, "rows", [[1, 2, 3]]), wrong_length + "3")
        self.assertEqual(upsert(400, "rows", []), wrong_length + "0")
        self.assertEqual(upsert(400, "plain", [[1, 2]]),
                         "Wrong input: Conversion between multi and regular vectors failed")
        self.assertIn("1048575", upsert(400, "rows", [[0, 0]] * 524_288))
        self.assertEqual(
            self.refused(400, "POST", self.path + "/points/query", {"query": [[1, 2]], "using": "plain"}),
            "Wrong input: Conversion between multi and regular vectors failed")
        self.refused(400, "PUT", self.path + "x", {"vectors": {
            "size": 2, "distance": "Dot", "multivector_config": {"comparator": "sum_sim"}}})

    def test_segments_merges_and_restarts_change_nothing(self):
        seed = int(os.environ.get("AKIDB_TEST_SEED") or random.randrange(2**32))
        print(f"AKIDB_TEST_SEED={seed}")
        self.rng = random.Random(seed)
        metrics = ("Cosine", "Dot", "Euclid", "Manhattan")
        self.create({m: {"size": DIM, "distance": m, "multivector_config": MAX_SIM} for m in metrics})
        self.points = [self.matrix() for _ in range(POINTS)]
        for first in range(0, POINTS, 100):
            self.upsert([{"id": i, "vector": {m: self.points[i] for m in metrics}, "payload": {"half": i % 2}}
                         for i in range(first, first + 100)])
        self.check(metrics)
        wait_until(lambda: self.ok("GET", self.path).result["status"] == "green")
        self.check(metrics)
        self.server.stop()
        self.server.start()
        self.check(metrics)
        page = self.ok("POST", self.path + "/points/scroll", {"limit": 5, "with_vector": ["Dot"]}).result["points"]
        self.assertEqual(page[4]["vector"]["Dot"], self.points[4])
        # A query by the id of a point is one by its matrix, without the point.
        hits = self.query({"query": 7, "using": "Dot", "limit": 3})
        self.assertNotIn(7, [h["id"] for h in hits])
        nearest = self.points[hits[0]["id"]]
        self.assertAlmostEqual(hits[0]["score"], max_sim("Dot", self.points[7], nearest), delta=1e-3)

    def matrix(self):
        return [[round(self.rng.gauss(0, 1), 3) for _ in range(DIM)] for _ in range(self.rng.randrange(1, 6))]

    def check(self, metrics):
        query = self.matrix()
        for metric in metrics:
            for half in (None, 1):
                ids = [i for i in range(POINTS) if half is None or i % 2 == half]
                best = sorted((max_sim(metric, query, self.points[i]) for i in ids),
                              reverse=metric in ("Cosine", "Dot"))
                body = {"query": query, "using": metric, "limit": 10}
                if half is not None:
                    body["filter"] = {"must": [{"key": "half", "match": {"value": half}}]}
                hits = self.query(body)
                self.assertEqual(len(hits), 10)
                for rank, hit in enumerate(hits):
                    self.assertAlmostEqual(hit["score"], best[rank], delta=1e-3, msg=metric)
                    own = max_sim(metric, query, self.points[hit["id"]])
                    self.assertAlmostEqual(hit["score"], own, delta=1e-3, msg=metric)


if __name__ == "__main__":
    unittest.main()
