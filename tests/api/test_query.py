"""Queries: kinds, filters, selectors, metrics, thresholds."""

import math
import unittest

from server_process import ServerTestCase


def numbers(points):
    return [point["id"] for point in points]


class Query(ServerTestCase):
    def fill(self, distance="Dot"):
        self.create({"size": 2, "distance": distance})
        rows = [(1, [1, 0], "red", 1), (2, [0, 1], "green", 2), (3, [2, 2], "red", 3.0), (4, [-1, 0], None, 4)]
        self.upsert([{"id": i, "vector": v, "payload": {"colour": c, "n": n}} for i, v, c, n in rows])

    def test_by_vector_best_first_without_payload(self):
        self.fill()
        points = self.query({"query": [1, 0]})
        self.assertEqual(numbers(points), [3, 1, 2, 4])
        self.assertEqual([p["score"] for p in points], [2.0, 1.0, 0.0, -1.0])
        self.assertNotIn("payload", points[0])
        self.assertNotIn("vector", points[0])
        self.assertGreater(points[0]["version"], 0)

    def test_nearest_may_be_wrapped(self):
        self.fill()
        self.assertEqual(numbers(self.query({"query": {"nearest": [1, 0]}, "limit": 1})), [3])

    def test_by_id_leaves_that_point_out(self):
        self.fill()
        self.assertEqual(numbers(self.query({"query": 3})), [1, 2, 4])
        error = self.refused(404, "POST", self.path + "/points/query", {"query": 77})
        self.assertEqual(error, "Not found: No point with id 77 found")

    def test_without_a_query_points_come_by_id(self):
        self.fill()
        self.assertEqual(numbers(self.query({"limit": 2, "offset": 1})), [2, 3])

    def test_every_metric_shows_the_wires_score(self):
        for distance, score in (("Dot", 7.0), ("Cosine", 0.98994946), ("Euclid", 3.6055512), ("Manhattan", 5.0)):
            with self.subTest(distance=distance):
                self.path = f"/collections/metric_{distance}"
                self.create({"size": 2, "distance": distance})
                self.upsert([{"id": 1, "vector": [3, 4]}, {"id": 2, "vector": [-30, -40]}])
                points = self.query({"query": [1, 1]})
                self.assertEqual(numbers(points), [1, 2])
                self.assertAlmostEqual(points[0]["score"], score, places=6)

    def test_threshold_follows_the_metric(self):
        self.fill("Euclid")
        points = self.query({"query": [1, 0], "score_threshold": math.sqrt(2) + 1e-6})
        self.assertEqual(numbers(points), [1, 2])
        self.path += "_dot"
        self.fill("Dot")
        self.assertEqual(numbers(self.query({"query": [1, 0], "score_threshold": 1.0})), [3, 1])

    def test_filters(self):
        self.fill()
        red = {"key": "colour", "match": {"value": "red"}}
        for clause, expected in (
            ({"must": [red]}, [3, 1]),
            ({"must": red}, [3, 1]),
            ({"must_not": [red]}, [2, 4]),
            ({"should": [red, {"key": "n", "match": {"value": 2}}]}, [3, 1, 2]),
            ({"should": []}, [3, 1, 2, 4]),
            ({"must": [{"key": "colour", "match": {"any": ["green", "blue"]}}]}, [2]),
            ({"must": [{"key": "colour", "match": {"except": ["red"]}}]}, [2]),
            ({"must": [{"key": "n", "range": {"gte": 2, "lt": 4}}]}, [3, 2]),
            ({"must": [{"key": "n", "match": {"value": 3}}]}, []),
            ({"must": [{"is_null": {"key": "colour"}}]}, [4]),
            ({"must": [{"is_empty": {"key": "missing"}}]}, [3, 1, 2, 4]),
            ({"must": [{"has_id": [4, 1]}]}, [1, 4]),
            ({"must": [{"must_not": [red]}, {"has_id": [1, 2]}]}, [2]),
        ):
            with self.subTest(clause=clause):
                self.assertEqual(numbers(self.query({"query": [1, 0], "filter": clause})), expected)
                count = self.ok("POST", self.path + "/points/count", {"filter": clause}).result["count"]
                self.assertEqual(count, len(expected))

    def test_nested_filters_and_keys(self):
        self.create({"size": 1, "distance": "Dot"})
        self.upsert(
            [
                {"id": 1, "vector": [1], "payload": {"parts": [{"a": 1, "b": 2}], "x": {"y": "deep"}}},
                {"id": 2, "vector": [1], "payload": {"parts": [{"a": 1, "b": 0}, {"a": 0, "b": 2}]}},
            ]
        )
        both = {"must": [{"key": "a", "match": {"value": 1}}, {"key": "b", "match": {"value": 2}}]}
        nested = {"must": [{"nested": {"key": "parts", "filter": both}}]}
        self.assertEqual(numbers(self.query({"query": [1], "filter": nested})), [1])
        apart = {"must": [{"key": "parts[].a", "match": {"value": 1}}, {"key": "parts[].b", "match": {"value": 2}}]}
        self.assertEqual(numbers(self.query({"query": [1], "filter": apart})), [1, 2])
        deep = {"must": [{"key": "x.y", "match": {"value": "deep"}}]}
        self.assertEqual(numbers(self.query({"query": [1], "filter": deep})), [1])

    def test_named_vectors(self):
        self.create({"a": {"size": 1, "distance": "Dot"}, "b": {"size": 1, "distance": "Dot"}})
        self.upsert([{"id": 1, "vector": {"a": [1], "b": [5]}}, {"id": 2, "vector": {"a": [2]}}])
        self.assertEqual(numbers(self.query({"query": [1], "using": "a"})), [2, 1])
        points = self.query({"query": [1], "using": "b", "with_vector": ["a"]})
        self.assertEqual(numbers(points), [1])
        self.assertEqual(points[0]["vector"], {"a": [1.0]})
        body = {"query": [1], "using": "c"}
        error = self.refused(400, "POST", self.path + "/points/query", body)
        self.assertEqual(error, "Wrong input: Not existing vector name error: c")

    def test_a_limit_beyond_everything_costs_nothing(self):
        self.fill()
        self.assertEqual(len(self.query({"query": [1, 0], "limit": 999999999})), 4)
        self.assertEqual(self.query({"query": [1, 0], "offset": 999999999}), [])

    def test_batches_answer_in_order(self):
        self.fill()
        searches = [{"query": [1, 0], "limit": 1}, {"query": 2, "limit": 2, "with_payload": ["n"]}]
        result = self.ok("POST", self.path + "/points/query/batch", {"searches": searches}).result
        self.assertEqual([numbers(answer["points"]) for answer in result], [[3], [3, 1]])

    def test_times_are_told_beside_the_result(self):
        self.fill()
        body = self.ok("POST", self.path + "/points/query", {"query": [1, 0]}).json
        self.assertEqual(set(body["akidb"]), {"embed_ms", "search_ms"})
        self.assertEqual(body["akidb"]["embed_ms"], 0)


if __name__ == "__main__":
    unittest.main()
