"""Vectors of float16 and uint8: what is kept of them, how they score, over segments and a restart."""

import math
import os
import random
import struct
import unittest

from server_process import ServerTestCase, wait_until

DIM = 24
POINTS = 1_500


def half(value):
    """The nearest one to the float32 that the server reads."""
    value = struct.unpack("f", struct.pack("f", value))[0]
    return struct.unpack("e", struct.pack("e", value))[0]


def stored(vector, datatype, metric):
    """What is kept of a vector, by the dialect's rules."""
    if datatype == "uint8":
        return [float(min(max(math.trunc(x), 0), 255)) for x in vector]
    if metric == "Cosine":
        length = math.sqrt(sum(x * x for x in vector))
        vector = [x / length for x in vector]
    return [half(x) for x in vector]


def score(a, b, datatype, metric):
    """Of two stored vectors."""
    dot = sum(x * y for x, y in zip(a, b))
    if metric == "Euclid":
        return math.dist(a, b)
    if metric == "Manhattan":
        return sum(abs(x - y) for x, y in zip(a, b))
    if metric == "Cosine" and datatype == "uint8":
        lengths = math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))
        return dot / lengths if lengths else 0.0
    return dot


class Datatypes(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "256"}

    def test_the_values_of_the_dialects_own_engine(self):
        vectors = [[1.9, 2.5, 300], [-3, 255.9, 0.99], [0.1, 0.2, 0.3]]
        queries = [[1.5, 2.9, 255], [-5, 400, 0.5]]
        expected = {
            "Cosine": [[1.0, 0.00784283597022295, 0.0], [0.00784283597022295, 1.0, 0.0]],
            "Dot": [[65030.0, 510.0, 0.0], [510.0, 65025.0, 0.0]],
            "Euclid": [[0.0, 359.21441650390625, 255.00979614257812], [359.21441650390625, 0.0, 255.0]],
            "Manhattan": [[0.0, 509.0, 258.0], [509.0, 0.0, 255.0]],
        }
        self.create({m: {"size": 3, "distance": m, "datatype": "uint8"} for m in expected})
        self.upsert([{"id": i, "vector": {m: v for m in expected}} for i, v in enumerate(vectors)])
        kept = self.ok("POST", self.path + "/points", {"ids": [0, 1, 2], "with_vector": ["Dot", "Cosine"]}).result
        for record, vector in zip(kept, [[1.0, 2.0, 255.0], [0.0, 255.0, 0.0], [0.0, 0.0, 0.0]]):
            self.assertEqual(record["vector"], {"Dot": vector, "Cosine": vector})
        for metric, scores in expected.items():
            for query, of_query in zip(queries, scores):
                found = {p["id"]: p["score"] for p in self.query({"query": query, "using": metric})}
                for i, wanted in enumerate(of_query):
                    self.assertAlmostEqual(found[i], wanted, delta=1e-6 * max(1, abs(wanted)), msg=metric)

    def test_halves_are_rounded_and_what_they_cannot_hold_is_refused(self):
        self.create({"c": {"size": 3, "distance": "Cosine", "datatype": "float16"},
                     "d": {"size": 3, "distance": "Dot", "datatype": "float16"}})
        self.upsert([{"id": 1, "vector": {"c": [0.1, 0.2, 0.3], "d": [0.1, 0.2, 0.3]}}])
        vector = self.ok("GET", self.path + "/points/1").result["vector"]
        self.assertEqual(vector["c"], [0.26733398, 0.53466797, 0.8017578])
        self.assertEqual(vector["d"], [0.099975586, 0.19995117, 0.30004883])
        hit = self.query({"query": [0.1, 0.2, 0.3], "using": "c"})[0]
        self.assertAlmostEqual(hit["score"], 1.000152826309204, delta=1e-6)
        body = {"points": [{"id": 2, "vector": {"d": [70000, 1, 1]}}]}
        self.assertIn("float16", self.refused(400, "PUT", self.path + "/points", body))
        self.assertIn("float16", self.refused(400, "POST", self.path + "/points/query",
                                              {"query": [-70000, 1, 1], "using": "d"}))

    def test_the_description_names_them_and_others_are_refused(self):
        vectors = {t: {"size": 3, "distance": "Dot", "datatype": t} for t in ("float32", "float16", "uint8")}
        self.create(vectors)
        self.assertEqual(self.ok("GET", self.path).result["config"]["params"]["vectors"], vectors)
        body = {"vectors": {"size": 3, "distance": "Dot", "datatype": "float8"}}
        self.assertIn("unknown variant `float8`", self.refused(400, "PUT", self.path + "x", body))

    def test_segments_merges_and_restarts_change_nothing(self):
        seed = int(os.environ.get("AKIDB_TEST_SEED") or random.randrange(2**32))
        print(f"AKIDB_TEST_SEED={seed}")
        rng = random.Random(seed)
        kinds = {f"{t}-{m}": (t, m) for t in ("float16", "uint8") for m in ("Cosine", "Dot", "Euclid", "Manhattan")}
        self.create({name: {"size": DIM, "distance": m, "datatype": t} for name, (t, m) in kinds.items()})
        given = [[rng.gauss(90, 70) for _ in range(DIM)] for _ in range(POINTS)]
        for first in range(0, POINTS, 100):
            self.upsert([{"id": i, "vector": {name: given[i] for name in kinds}} for i in range(first, first + 100)])
        self.check(given, kinds, rng)
        wait_until(lambda: self.ok("GET", self.path).result["status"] == "green")
        self.check(given, kinds, rng)
        self.server.stop()
        self.server.start()
        self.check(given, kinds, rng)
        page = self.ok("POST", self.path + "/points/scroll", {"limit": 3, "with_vector": True}).result["points"]
        self.assertEqual(page[2]["vector"]["uint8-Cosine"], stored(given[2], "uint8", "Cosine"))

    def check(self, given, kinds, rng):
        query = [rng.gauss(90, 70) for _ in range(DIM)]
        for name, (datatype, metric) in kinds.items():
            kept_query = stored(query, datatype, metric)
            scores = [score(kept_query, stored(v, datatype, metric), datatype, metric) for v in given]
            best = sorted(scores, reverse=metric in ("Cosine", "Dot"))
            body = {"query": query, "using": name, "limit": 10, "with_vector": [name], "params": {"exact": True}}
            for rank, hit in enumerate(self.query(body)):
                delta = 1e-3 if datatype == "float16" and metric == "Cosine" else 1e-5 * max(1, abs(best[rank]))
                self.assertAlmostEqual(hit["score"], best[rank], delta=delta, msg=name)
                self.assertAlmostEqual(hit["score"], scores[hit["id"]], delta=delta, msg=name)
                if datatype == "uint8":
                    self.assertEqual(hit["vector"][name], stored(given[hit["id"]], datatype, metric))


if __name__ == "__main__":
    unittest.main()
