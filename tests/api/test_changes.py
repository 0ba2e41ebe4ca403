"""Changing a collection that is there: its options, and which vectors it has."""

import time
import unittest

from server_process import ServerTestCase, wait_until


class Options(ServerTestCase):
    def config(self):
        return self.ok("GET", self.path).result["config"]

    def patch(self, body):
        self.assertIs(self.ok("PATCH", self.path, body).result, True)

    def test_options_are_merged_and_outlive_a_kill(self):
        self.create(
            {"": {"size": 4, "distance": "Dot"}, "b": {"size": 2, "distance": "Dot", "hnsw_config": {"m": 4}}},
            hnsw_config={"m": 8, "ef_construct": 64},
            optimizers_config={"indexing_threshold": 5},
            metadata={"owner": "me", "old": 1, "akidb": {"memory": "quality"}},
            sparse_vectors={"s": {"modifier": "idf"}},
        )
        self.patch({})
        self.patch(
            {
                "hnsw_config": {"m": 16, "payload_m": 3, "ef_construct": None},
                "optimizers_config": {"deleted_threshold": 0.5, "max_optimization_threads": "auto"},
                "params": {"replication_factor": 2, "read_fan_out_factor": 1, "on_disk_payload": False},
                "quantization_config": {"binary": {"always_ram": True}},
                "vectors": {
                    "": {"on_disk": True, "quantization_config": {"scalar": {"type": "int8"}}},
                    "b": {"hnsw_config": {"ef_construct": 32}},
                },
                "sparse_vectors": {"s": {"index": {"on_disk": True}}},
                "metadata": {"old": None, "new": {"a": [1, 2.5]}, "akidb": {"memory": "compact"}},
            }
        )
        self.patch({"vectors": {"": {"quantization_config": "Disabled"}}})

        def check():
            config = self.config()
            self.assertEqual((config["hnsw_config"]["m"], config["hnsw_config"]["ef_construct"]), (16, 64))
            self.assertEqual(config["hnsw_config"]["payload_m"], 3)
            self.assertEqual(config["optimizer_config"]["indexing_threshold"], 5)
            self.assertEqual(config["optimizer_config"]["deleted_threshold"], 0.5)
            self.assertIsNone(config["optimizer_config"]["max_optimization_threads"])
            params = config["params"]
            self.assertEqual((params["replication_factor"], params["read_fan_out_factor"]), (2, 1))
            self.assertIs(params["on_disk_payload"], False)
            self.assertEqual(params["vectors"][""], {"size": 4, "distance": "Dot", "on_disk": True})
            self.assertEqual(params["vectors"]["b"]["hnsw_config"], {"m": 4, "ef_construct": 32})
            self.assertEqual(params["sparse_vectors"], {"s": {"modifier": "idf", "index": {"on_disk": True}}})
            self.assertEqual(config["quantization_config"], {"binary": {"always_ram": True}})
            expected = {"owner": "me", "new": {"a": [1, 2.5]}, "akidb": {"memory": "compact"}}
            self.assertEqual(config["metadata"], expected)

        check()
        self.server.kill()
        self.server.start()
        check()
        self.patch({"quantization_config": "Disabled", "vectors": {"b": {"hnsw_config": {}}}})
        self.assertIsNone(self.config()["quantization_config"])
        self.assertNotIn("hnsw_config", self.config()["params"]["vectors"]["b"])
        self.patch({"metadata": {"owner": None, "new": None, "akidb": {"memory": None}}})
        self.assertEqual(self.config()["metadata"], {"akidb": {}})

    def test_strict_mode_comes_and_goes(self):
        self.create()
        self.upsert([{"id": 1, "vector": [1, 2, 3, 4]}])
        ask = {"query": [1, 2, 3, 4], "limit": 10}
        self.query(ask)
        self.patch({"strict_mode_config": {"enabled": True, "max_query_limit": 2}})
        self.assertIn("limit", self.refused(400, "POST", self.path + "/points/query", ask))
        self.patch({"strict_mode_config": {"max_query_limit": 20}})
        self.query(ask)
        self.assertEqual(self.config()["strict_mode_config"], {"enabled": True, "max_query_limit": 20})

    def test_what_can_not_be(self):
        self.create({"b": {"size": 2, "distance": "Dot"}}, sparse_vectors={"s": {}})
        before = self.config()
        self.assertIn("doesn't exist", self.refused(404, "PATCH", "/collections/nobody", {}))
        for status, body, words in (
            (422, {"hnsw_config": {"ef_construct": 1}}, "hnsw_config.ef_construct"),
            (422, {"params": {"replication_factor": 0}}, "params.replication_factor"),
            (400, {"optimizers_config": {"indexing_threshold": "x"}}, "optimizers_config.indexing_threshold"),
            (400, {"quantization_config": "Enabled"}, "quantization_config"),
            (400, {"vectors": {"none": {"on_disk": True}}}, "Vector params for none are not specified"),
            (400, {"vectors": {"": {"on_disk": True}}}, "Default vector params are not specified"),
            (400, {"vectors": {"s": {"on_disk": True}}}, "Vector params for s"),
            (400, {"sparse_vectors": {"b": {}}}, "Vector params for b"),
            (400, {"vectors": {"b": {"on_disk": 1}}}, "vectors.b.on_disk"),
            (400, {"sparse_vectors": {"s": {"modifier": "idf!"}}}, "sparse_vectors.s.modifier"),
            (400, {"sparse_vectors": {"b": {"modifier": "idf"}}}, "Vector params for b"),
            (400, {"metadata": {"akidb": {"durability": "interval"}}}, "metadata.akidb.durability"),
            (400, {"metadata": {"akidb": {"memory": "little"}}}, "metadata.akidb.memory"),
            (400, {"hnsw_config": {"m": 4}, "vectors": {"none": {}}}, "none"),
            (400, [], "object"),
        ):
            with self.subTest(body=body):
                self.assertIn(words, self.refused(status, "PATCH", self.path, body))
        self.assertEqual(self.config(), before)

    def test_another_modifier_scores_as_if_it_had_always_been(self):
        """Of points in segments and in memory, also after a restart, and back again."""
        points = [
            {"id": i, "vector": {"s": {"indices": [1, 2 + i % 3, 10 + i], "values": [1, 0.5, i]}}, "payload": {"n": i}}
            for i in range(60)
        ]
        asked = [{"query": {"indices": [1, 3], "values": [1.0, 2.0]}, "using": "s", "limit": 60},
                 {"query": 7, "using": "s", "limit": 60},
                 {"query": {"recommend": {"positive": [7], "strategy": "sum_scores"}}, "using": "s", "limit": 60}]

        def answers(name):
            return [self.ok("POST", f"/collections/{name}/points/query", body).result for body in asked]

        for name, modifier in (("rare", "idf"), ("plain", "none"), ("changed", None)):
            sparse = {"s": {} if modifier is None else {"modifier": modifier}}
            self.ok("PUT", f"/collections/{name}", {"sparse_vectors": sparse})
            self.ok("PUT", f"/collections/{name}/points?wait=true", {"points": points[:50]})
        # Brings what is there onto the disk, as any change of a vector does.
        self.ok("PATCH", "/collections/changed", {"sparse_vectors": {"s": {"modifier": "idf"}}})
        for name in ("rare", "plain", "changed"):
            self.ok("PUT", f"/collections/{name}/points?wait=true", {"points": points[50:]})
            self.ok("POST", f"/collections/{name}/points/delete?wait=true", {"points": [3, 55]})
        self.assertNotEqual(answers("rare"), answers("plain"))
        self.assertEqual(answers("changed"), answers("rare"))
        body = asked[0] | {"params": {"idf": {"corpus": {"must": [{"key": "n", "range": {"lt": 9}}]}}}}
        self.ok("POST", "/collections/changed/points/query", body)
        config = self.ok("GET", "/collections/changed").result["config"]
        self.assertEqual(config["params"]["sparse_vectors"], {"s": {"modifier": "idf"}})
        self.server.kill()
        self.server.start()
        self.assertEqual(answers("changed"), answers("rare"))
        self.ok("PATCH", "/collections/changed", {"sparse_vectors": {"s": {"modifier": "none"}}})
        self.assertEqual(answers("changed"), answers("plain"))
        self.refused(400, "POST", "/collections/changed/points/query", body)
        self.ok("PATCH", "/collections/changed", {"sparse_vectors": {"s": {"modifier": None}}})
        self.assertEqual(answers("changed"), answers("plain"))

    def test_segments_are_written_anew_by_what_was_changed(self):
        self.create({"size": 64, "distance": "Cosine"})
        for start in range(0, 3000, 1000):
            vectors = ([float((i * j) % 17 - 8) for j in range(1, 65)] for i in range(start, start + 1000))
            self.upsert([{"id": start + i, "vector": vector} for i, vector in enumerate(vectors)])
        wait_until(lambda: self.memory()["codes"] > 0 and self.is_green())
        before = self.memory()["codes"]
        self.patch({"metadata": {"akidb": {"memory": "quality"}}})
        wait_until(lambda: self.memory()["codes"] > 1.5 * before and self.is_green())
        self.assertEqual(self.ok("POST", self.path + "/points/count", {}).result["count"], 3000)

    def memory(self):
        return self.ok("GET", self.path).json["akidb"]["memory_bytes"]

    def is_green(self):
        return self.ok("GET", self.path).result["status"] == "green"


class Vectors(ServerTestCase):
    def put(self, name, body):
        self.assertEqual(self.ok("PUT", f"{self.path}/vectors/{name}?wait=true", body).result["status"], "completed")

    def drop(self, name):
        self.assertEqual(self.ok("DELETE", f"{self.path}/vectors/{name}?wait=true").result["status"], "completed")

    def add_again(self, name, body):
        """Until the background has removed what was stored under that name."""
        deadline = time.monotonic() + 60
        while True:
            reply = self.call("PUT", f"{self.path}/vectors/{name}", body)
            if reply.status != 503:
                self.assertEqual(reply.status, 200, reply.text)
                return
            self.assertIn("still being removed", reply.text)
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_vectors_come_and_go_on_a_live_collection(self):
        self.create({"a": {"size": 2, "distance": "Dot"}})
        self.upsert([{"id": i, "vector": {"a": [i, 1]}, "payload": {"n": i}} for i in range(1, 4)])
        self.put("b", {"dense": {"size": 3, "distance": "Euclid", "datatype": "float16"}})
        self.put("words", {"sparse": {"modifier": "idf"}})
        params = self.ok("GET", self.path).result["config"]["params"]
        self.assertEqual(params["vectors"]["b"], {"size": 3, "distance": "Euclid", "datatype": "float16"})
        self.assertEqual(params["sparse_vectors"], {"words": {"modifier": "idf"}})
        self.assertEqual(self.query({"query": [0, 0, 0], "using": "b"}), [])
        vectors = [
            {"id": 1, "vector": {"b": [0, 0, 1], "words": {"indices": [7], "values": [1.0]}}},
            {"id": 2, "vector": {"b": [0, 0, 5]}},
        ]
        self.ok("PUT", self.path + "/points/vectors?wait=true", {"points": vectors})
        self.server.kill()
        self.server.start()
        self.assertEqual([p["id"] for p in self.query({"query": [0, 0, 4], "using": "b"})], [2, 1])
        sparse = {"indices": [7], "values": [1.0]}
        self.assertEqual([p["id"] for p in self.query({"query": sparse, "using": "words"})], [1])
        self.assertEqual([p["id"] for p in self.query({"query": [1, 0], "using": "a"})], [3, 2, 1])

        self.drop("b")
        self.assertIn("b", self.refused(400, "POST", self.path + "/points/query", {"query": [0, 0, 0], "using": "b"}))
        record = self.ok("GET", self.path + "/points/1").result
        self.assertEqual((record["vector"], record["payload"]), ({"a": [1, 1], "words": sparse}, {"n": 1}))
        self.add_again("b", {"dense": {"size": 2, "distance": "Dot"}})
        self.assertEqual(self.query({"query": [1, 1], "using": "b"}), [])
        self.upsert([{"id": 9, "vector": {"b": [3, 3]}}])
        self.server.kill()
        self.server.start()
        self.assertEqual([p["id"] for p in self.query({"query": [1, 1], "using": "b"})], [9])
        self.assertEqual(self.ok("POST", self.path + "/points/count", {}).result["count"], 4)

    def test_what_can_not_be(self):
        self.create({"a": {"size": 2, "distance": "Dot"}})
        vectors = self.path + "/vectors/"
        dense = {"dense": {"size": 2, "distance": "Dot"}}
        self.refused(404, "PUT", "/collections/nobody/vectors/b", dense)
        self.refused(404, "DELETE", "/collections/nobody/vectors/b")
        self.assertIn("Not existing vector name error: b", self.refused(400, "DELETE", vectors + "b"))
        self.assertIn("already exists", self.refused(409, "PUT", vectors + "a", dense))
        for status, body, words in (
            (400, {}, "dense"),
            (400, {"other": {}}, "unknown field `other`, expected one of `dense`, `sparse`"),
            (400, {"dense": {"size": 2}}, "distance"),
            (400, {"dense": {"size": 2, "distance": "Far"}}, "dense.distance"),
            (422, {"dense": {"size": 0, "distance": "Dot"}}, "dense.size"),
            (400, {**dense, "sparse": {}}, "expected either `dense` or `sparse`, got both"),
            (400, {"sparse": {"modifier": "idf!"}}, "sparse.modifier"),
            (400, {"sparse": 1}, "sparse"),
        ):
            with self.subTest(body=body):
                self.assertIn(words, self.refused(status, "PUT", vectors + "b", body))
        for i in range(63):
            self.put(f"v{i}", dense)
        self.assertIn("64", self.refused(422, "PUT", vectors + "more", dense))
        self.upsert([{"id": 1, "vector": {"v62": [1, 2]}}])


if __name__ == "__main__":
    unittest.main()
