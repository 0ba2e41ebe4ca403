"""Search through the graphs of a large collection: found as an exact search finds, over a restart too."""

import os
import random
import unittest

from server_process import ServerTestCase, wait_until

DIM = 16
POINTS = 24_000
BATCH = 2_000
QUERIES = 60


class Graph(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "6000"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seed = int(os.environ.get("AKIDB_TEST_SEED") or random.randrange(2**32))
        print(f"AKIDB_TEST_SEED={cls.seed}")
        rng = random.Random(cls.seed)
        centres = [[rng.gauss(0, 1) for _ in range(DIM)] for _ in range(100)]
        cls.vectors = [
            [round(x + rng.gauss(0, 0.6), 4) for x in rng.choice(centres)] for _ in range(POINTS + QUERIES)
        ]
        cls.path = "/collections/graph"
        request = cls.server.request
        assert request("PUT", cls.path, {"vectors": {"size": DIM, "distance": "Cosine"}}).status == 200
        for first in range(0, POINTS, BATCH):
            ids = range(first, first + BATCH)
            columns = {"ids": list(ids), "vectors": cls.vectors[first:first + BATCH],
                       "payloads": [{"half": i % 2, "rare": i % 500} for i in ids]}
            reply = request("PUT", cls.path + "/points?wait=true", {"batch": columns})
            assert reply.status == 200, reply.text

    def setUp(self):
        pass

    def wait_for_the_graph(self):
        def ready():
            info = self.server.request("GET", self.path).result
            return info["status"] == "green" and info["indexed_vectors_count"] >= 20_000

        wait_until(ready, timeout_s=240)

    def found(self, vector, **body):
        points = self.query({"query": vector, "limit": 10, **body})
        scores = [point["score"] for point in points]
        self.assertEqual(scores, sorted(scores, reverse=True))
        return {point["id"]: point["score"] for point in points}

    def recall(self, **body):
        same = wanted = 0
        for vector in self.vectors[POINTS:]:
            exact = self.found(vector, **{**body, "params": {"exact": True}})
            approximate = self.found(vector, **body)
            wanted += len(exact)
            for point, score in approximate.items():
                if point in exact:
                    self.assertEqual(score, exact[point])
                    same += 1
        return same / wanted

    def test_the_nearest_are_found(self):
        self.wait_for_the_graph()
        self.assertGreater(self.recall(), 0.97)
        for condition in ({"key": "half", "match": {"value": 1}}, {"key": "rare", "range": {"lt": 3}}):
            self.assertGreater(self.recall(filter={"must": [condition]}), 0.97, condition)
        self.server.stop()
        self.server.start()
        self.assertGreater(self.recall(), 0.97)

    def test_a_recall_is_promised_and_explained(self):
        self.wait_for_the_graph()
        body = {"query": self.vectors[POINTS], "limit": 10, "params": {"akidb": {"recall": 0.9, "explain": True}}}
        reply = self.server.request("POST", self.path + "/points/query", body)
        own = reply.json["akidb"]
        self.assertGreaterEqual(own["recall"], 0.9)
        (plan,) = own["plans"]
        self.assertEqual(plan["recall"], own["recall"])
        ways = {source["way"] for source in plan["sources"]}
        self.assertIn("graph", ways)
        walked = next(source for source in plan["sources"] if source["way"] == "graph")
        self.assertLess(walked["estimated"], walked["rows"])
        self.assertGreater(self.recall(params={"akidb": {"recall": 0.95}}), 0.93)
        for wrong, status in (({"recall": 0}, 422), ({"recall": 1.5}, 422), ({"recall": "all"}, 400), ({"x": 1}, 400)):
            body["params"] = {"akidb": wrong}
            self.assertEqual(self.server.request("POST", self.path + "/points/query", body).status, status, wrong)

    def test_memory_is_told(self):
        self.wait_for_the_graph()
        memory = self.server.request("GET", self.path).json["akidb"]["memory_bytes"]
        self.assertGreaterEqual(memory["vectors"], POINTS * DIM * 4)
        self.assertGreaterEqual(memory["codes"], POINTS * 40)  # 16 components are padded to 64
        self.assertGreaterEqual(memory["graphs"], 20_000 * 32 * 4)
        self.assertGreaterEqual(memory["ids"], POINTS * 8)
        self.assertEqual(memory["second_codes"], 0)

    def test_headers_ask_for_the_same(self):
        self.wait_for_the_graph()
        body = {"query": self.vectors[POINTS], "limit": 10}
        headers = {"X-AkiDB-Recall": "0.9", "x-akidb-explain": "true"}
        own = self.server.request("POST", self.path + "/points/query", body, headers).json["akidb"]
        self.assertGreaterEqual(own["recall"], 0.9)
        self.assertEqual(len(own["plans"]), 1)
        own = self.server.request("POST", self.path + "/points/query", body).json["akidb"]
        self.assertNotIn("recall", own)
        self.assertNotIn("plans", own)
        searches = {"searches": [body, {**body, "params": {"exact": True}}]}
        own = self.server.request("POST", self.path + "/points/query/batch", searches, headers).json["akidb"]
        self.assertEqual([plan["recall"] for plan in own["plans"]][1], 1)
        body["params"] = {"akidb": {"explain": False, "recall": 0.5}}
        own = self.server.request("POST", self.path + "/points/query", body, headers).json["akidb"]
        self.assertNotIn("plans", own)
        for wrong in ({"x-akidb-recall": "2"}, {"x-akidb-recall": "0.5x"}, {"x-akidb-explain": "yes"}):
            self.assertEqual(self.server.request("POST", self.path + "/points/query", body, wrong).status, 400, wrong)

    def test_exact_queries_of_a_batch_share_a_pass(self):
        self.wait_for_the_graph()
        asked = {"limit": 10, "params": {"exact": True, "akidb": {"explain": True}}}
        searches = [{"query": vector, **asked} for vector in self.vectors[POINTS:POINTS + 3]]
        searches.insert(1, {"query": self.vectors[POINTS], "limit": 3})
        reply = self.server.request("POST", self.path + "/points/query/batch", {"searches": searches})
        for search, answer in zip(searches, reply.result):
            alone = self.server.request("POST", self.path + "/points/query", search).result
            self.assertEqual(alone, answer)
        plans = reply.json["akidb"]["plans"]
        self.assertEqual(len(plans), 3)
        for plan in plans:
            self.assertEqual({source["shared_by"] for source in plan["sources"] if source["way"] == "vectors"}, {3})

    def test_more_candidates_find_more(self):
        self.wait_for_the_graph()
        vectors = self.vectors[POINTS:]
        exact = [self.found(vector, params={"exact": True}).keys() for vector in vectors]
        wide = [self.found(vector, params={"hnsw_ef": 800}).keys() for vector in vectors]
        self.assertGreater(sum(len(a & b) for a, b in zip(exact, wide)), 10 * QUERIES * 0.995)


if __name__ == "__main__":
    unittest.main()
