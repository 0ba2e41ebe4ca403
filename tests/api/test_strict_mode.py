"""Strict mode: what a collection lets requests ask for, kept over restarts; rates of reads and writes."""

import unittest

from server_process import ServerTestCase


def matches(key, value):
    return {"must": [{"key": key, "match": {"value": value}}]}


class StrictMode(ServerTestCase):
    def start(self, config, **body):
        self.create({"size": 2, "distance": "Dot"}, strict_mode_config={"enabled": True, **config}, **body)

    def bad(self, path, body, status=400, method="POST"):
        error = self.refused(status, method, self.path + path, body)
        self.assertTrue(error.startswith("Bad request: "), error)
        return error.removeprefix("Bad request: ")

    def post(self, path, body):
        return self.ok("POST", self.path + path, body).result

    def test_it_is_given_back_and_does_nothing_while_off(self):
        config = {"enabled": False, "max_query_limit": 1, "sparse_config": {"w": {"max_length": 2}}}
        self.create({"size": 2, "distance": "Dot"}, strict_mode_config=config)
        self.assertEqual(self.ok("GET", self.path).result["config"]["strict_mode_config"], config)
        self.post("/points/query", {"limit": 5})

    def test_limits_of_reads(self):
        self.start({"max_query_limit": 4, "search_max_batchsize": 2, "max_timeout": 9, "search_max_hnsw_ef": 50,
                    "search_allow_exact": False, "search_max_oversampling": 2.0})
        text = 'Limit exceeded 5 > 4 for "limit". Help: Reduce the "limit" parameter to or below 4.'
        for path, body in (
            ("/points/query", {"limit": 5}),
            ("/points/query", {"limit": 1, "prefetch": [{"limit": 5}], "query": [1, 1]}),
            ("/points/scroll", {"limit": 5}),
            ("/points/search", {"vector": [1, 1], "limit": 5}),
            ("/points/search/matrix/pairs", {"limit": 5, "sample": 2}),
            ("/facet", {"key": "k", "limit": 5}),
        ):
            self.assertEqual(self.bad(path, body), text, path)
        # Defaults count.
        self.assertIn("Limit exceeded 10 > 4", self.bad("/points/scroll", {}))
        groups = {"query": [1, 1], "limit": 3, "group_size": 2, "group_by": "k"}
        self.assertIn("Limit exceeded 6 > 4", self.bad("/points/query/groups", groups))
        searches = {"searches": [{"query": [1, 1], "limit": 1}] * 3}
        self.assertIn('3 > 2 for "search batch size"', self.bad("/points/query/batch", searches))
        self.assertIn('10 > 9 for "timeout"', self.bad("/points/count?timeout=10", {}))
        self.post("/points/count?timeout=9", {})
        for params, found in (
            ({"hnsw_ef": 51}, '51 > 50 for "hnsw_ef"'),
            ({"exact": True}, "Exact search disabled!"),
            ({"quantization": {"oversampling": 2.5}}, '2.5 > 2 for "oversampling"'),
        ):
            body = {"query": [1, 1], "limit": 1, "params": params}
            self.assertIn(found, self.bad("/points/query", body))
        self.post("/points/query", {"query": [1, 1], "limit": 4, "params": {"hnsw_ef": 50}})

    def test_filters(self):
        self.start({"unindexed_filtering_retrieve": False, "unindexed_filtering_update": False,
                    "filter_max_conditions": 2, "condition_max_size": 3})
        missing = ('Index required but not found for "k" of one of the following types: [keyword, uuid]. '
                   "Help: Create an index for this key or use a different filter.")
        filters = (
            ("/points/query", {"filter": matches("k", "x")}),
            ("/points/query", {"prefetch": {"filter": matches("k", "x")}, "query": [1, 1]}),
            ("/points/scroll", {"filter": matches("k", "x")}),
            ("/points/count", {"filter": matches("k", "x")}),
            ("/points/delete", {"filter": matches("k", "x")}),
            ("/points/payload", {"filter": matches("k", "x"), "payload": {"a": 1}}),
            ("/points/batch", {"operations": [{"delete": {"filter": matches("k", "x")}}]}),
        )
        for path, body in filters:
            self.assertEqual(self.bad(path, body), missing, path)
        formula = {"prefetch": {"limit": 1}, "query": {"formula": {"sum": ["$score", "k"]}}}
        self.assertIn("a different formula expression", self.bad("/points/query", formula))
        groups = {"query": [1, 1], "limit": 1, "group_by": "k"}
        self.assertIn('Index required but not found for "k"', self.bad("/points/query/groups", groups))
        self.ok("PUT", self.path + "/index?wait=true", {"field_name": "k", "field_schema": "keyword"})
        for path, body in filters:
            self.post(path, body)
        self.post("/points/query/groups", groups)
        three = {"must": [{"is_empty": {"key": "x"}}] * 2, "should": [{"must": {"is_null": {"key": "y"}}}]}
        self.assertIn("(3 > 2)", self.bad("/points/scroll", {"filter": three}))
        long = {"must": {"key": "k", "match": {"any": ["a", "b", "c", "d"]}}}
        self.assertIn("Condition size limit reached (4 > 3)", self.bad("/points/scroll", {"filter": long}))
        part = {"must": {"key": "k", "match": {"substring": "a"}}}
        self.assertIn("Substring matching is not allowed", self.bad("/points/scroll", {"filter": part}))

    def test_writes(self):
        self.start({"upsert_max_batchsize": 2, "max_points_count": 3, "max_payload_index_count": 1,
                    "sparse_config": {"w": {"max_length": 1}}}, sparse_vectors={"w": {}})
        points = [{"id": i, "vector": [1, 1]} for i in range(3)]

        def put(points):
            return self.bad("/points?wait=true", {"points": points}, method="PUT")

        self.assertIn('3 > 2 for "upsert limit"', put(points))
        self.upsert(points[:2])
        vectors = {"points": points}
        self.assertIn('3 > 2 for "update limit"', self.bad("/points/vectors", vectors, method="PUT"))
        self.assertEqual(put([{"id": 9, "vector": {"w": {"indices": [1, 2], "values": [1, 1]}}}]),
                         "Sparse vector 'w' has a limit of 1 indices")
        self.upsert(points[2:])
        self.assertEqual(put([{"id": 9, "vector": [1, 1]}]), "Max points count limit of 3 reached!")
        self.post("/points/delete?wait=true", {"points": [1]})
        self.upsert(points[1:2])
        self.ok("PUT", self.path + "/index?wait=true", {"field_name": "k", "field_schema": "keyword"})
        self.ok("PUT", self.path + "/index?wait=true", {"field_name": "k", "field_schema": "integer"})
        body = {"field_name": "another", "field_schema": "keyword"}
        self.assertIn("maximum number of payload indexes (1)", self.bad("/index", body, method="PUT"))

    def test_sizes(self):
        self.start({"max_collection_vector_size_bytes": 160})
        self.upsert([{"id": i, "vector": [1, 1]} for i in range(20)])
        error = self.bad("/points", {"points": [{"id": 99, "vector": [1, 1]}]}, method="PUT")
        self.assertRegex(error, r"^Max vector storage size limit of [\d.e-]+MB reached!$")
        self.post("/points/delete?wait=true", {"points": [1]})

    def test_memory(self):
        # This process takes less than that, whatever the machine.
        self.start({"max_resident_memory_percent": 100})
        self.upsert([{"id": 1, "vector": [1, 1]}])

    def test_rates(self):
        self.start({"read_rate_limit": 3, "write_rate_limit": 2})
        for _ in range(3):
            self.post("/points/count", {})
        reply = self.server.request("POST", self.path + "/points/count", {})
        self.assertEqual(reply.status, 429, reply.text)
        self.assertRegex(
            reply.error,
            r"^Rate limiting exceeded: Read rate limit exceeded: Operation requires 1 tokens but only 0\.\d were "
            r"available\. Retry after \d+s$",
        )
        self.assertEqual(reply.error.rsplit(" ", 1)[1], reply.headers["retry-after"] + "s")
        # A larger request than a minute allows will never pass.
        two = [{"is_empty": {"key": "x"}}] * 3
        error = self.refused(429, "POST", self.path + "/points/count", {"filter": {"must": two}})
        self.assertIn("please try to split your request", error)
        # Writes are counted apart, by their points.
        self.upsert([{"id": i, "vector": [1, 1]} for i in range(2)])
        error = self.refused(429, "PUT", self.path + "/points", {"points": [{"id": 7, "vector": [1, 1]}]})
        self.assertIn("Write rate limit exceeded: Operation requires 1 tokens", error)
        self.ok("GET", self.path)

    def test_wrong_ones_are_refused(self):
        for config, status, found in (
            ({"max_query_limit": 0}, 422, "strict_mode_config.max_query_limit"),
            ({"read_rate_limit": 0}, 422, "strict_mode_config.read_rate_limit"),
            ({"max_timeout": "x"}, 400, "strict_mode_config.max_timeout"),
            ({"search_allow_exact": 1}, 400, "strict_mode_config.search_allow_exact"),
            ({"sparse_config": {"w": 7}}, 400, "strict_mode_config.sparse_config.w"),
            ({"multivector_config": {"w": {"max_vectors": 0}}}, 422, "multivector_config.w.max_vectors"),
            ({"max_resident_memory_percent": 101}, 422, "strict_mode_config.max_resident_memory_percent"),
        ):
            body = {"vectors": {"size": 2, "distance": "Dot"}, "strict_mode_config": config}
            self.assertIn(found, self.refused(status, "PUT", self.path, body), config)

    def test_it_survives_a_restart(self):
        self.start({"max_query_limit": 4})
        self.server.stop()
        self.server.start()
        self.assertIn("Limit exceeded 5 > 4", self.bad("/points/query", {"limit": 5}))


if __name__ == "__main__":
    unittest.main()
