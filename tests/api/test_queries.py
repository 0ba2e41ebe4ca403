"""Queries beyond the nearest: orders, samples, prefetches and fusion, examples, groups, facets, matrices."""

import unittest

from server_process import ServerTestCase

ID = "936da01f-9abd-4d9d-80c7-02af85c822a8"


def numbers(points):
    return [point["id"] for point in points]


def matches(key, value):
    return {"must": [{"key": key, "match": {"value": value}}]}


class Queries(ServerTestCase):
    def fill(self, distance="Dot"):
        self.create({"size": 2, "distance": distance})
        rows = [(1, [1, 0], "red", 3), (2, [0, 1], "green", 1), (3, [2, 2], "red", 2), (4, [-1, 0], "blue", None)]
        self.upsert([{"id": i, "vector": v, "payload": {"colour": c, "n": n}} for i, v, c, n in rows])

    def index(self, field, schema):
        self.ok("PUT", self.path + "/index?wait=true", {"field_name": field, "field_schema": schema})

    def bad(self, status, body, path="/points/query"):
        return self.refused(status, "POST", self.path + path, body)

    def post(self, path, body):
        return self.ok("POST", self.path + path, body).result

    def test_in_the_order_of_a_field(self):
        self.fill()
        error = self.bad(400, {"query": {"order_by": "n"}})
        self.assertEqual(
            error, "Wrong input: No range index for `order_by` key: `n`. Please create one to use `order_by`"
        )
        self.index("n", "integer")
        points = self.query({"query": {"order_by": "n"}})
        self.assertEqual(numbers(points), [2, 3, 1])
        self.assertEqual([point["order_value"] for point in points], [1, 2, 3])
        self.assertEqual(points[0]["score"], 1.0)
        down = {"order_by": {"key": "n", "direction": "desc", "start_from": 2}}
        self.assertEqual(numbers(self.query({"query": down})), [3, 2])
        self.assertEqual(numbers(self.query({"query": down, "offset": 1})), [2])
        self.assertEqual(numbers(self.query({"query": down, "filter": matches("colour", "red")})), [3])
        page = self.post("/points/scroll", {"order_by": {"key": "n", "direction": "desc"}, "limit": 2})
        self.assertEqual(numbers(page["points"]), [1, 3])
        self.assertEqual(page["points"][0]["order_value"], 3)
        self.assertIsNone(page["next_page_offset"])
        error = self.bad(400, {"order_by": "n", "offset": 1}, "/points/scroll")
        self.assertTrue(error.startswith("Wrong input: Cannot use an `offset` when using `order_by`"), error)
        error = self.bad(400, {"query": {"order_by": "n"}, "score_threshold": 1})
        self.assertEqual(error, "Bad request: Can't use score_threshold with an order_by query.")

    def test_orders_of_other_kinds(self):
        self.create({"size": 2, "distance": "Dot"})
        days = ["2020-01-02", "2020-01-02T00:00:00.5Z", "2020-01-01T23:59:59-01:00", "never"]
        values = [2, -0.5, 1e300, "1"]
        self.upsert(
            [
                {"id": i + 1, "vector": [1, 0], "payload": {"day": day, "x": x, "u": ID}}
                for i, (day, x) in enumerate(zip(days, values))
            ]
        )
        for field, schema in (("day", "datetime"), ("x", "float"), ("u", "uuid")):
            self.index(field, schema)
        points = self.query({"query": {"order_by": "day"}})
        self.assertEqual(numbers(points), [1, 2, 3])
        self.assertEqual(points[1]["order_value"], 1577923200500000)
        order = {"key": "day", "direction": "desc", "start_from": "2020-01-02T00:00:00.5Z"}
        self.assertEqual(numbers(self.query({"query": {"order_by": order}})), [2, 1])
        points = self.post("/points/scroll", {"order_by": {"key": "x", "start_from": 0}})["points"]
        self.assertEqual([(p["id"], p["order_value"]) for p in points], [(1, 2.0), (3, 1e300)])
        # A UUID has no order, nor an integer whose index was asked for values alone.
        self.assertIn("No range index", self.bad(400, {"query": {"order_by": "u"}}))
        self.index("n", {"type": "integer", "range": False})
        self.assertIn("No range index", self.bad(400, {"query": {"order_by": "n"}}))
        self.post("/facet", {"key": "n"})
        self.index("n", {"type": "integer", "lookup": False})
        self.assertIn("No appropriate index", self.bad(400, {"key": "n"}, "/facet"))

    def test_a_sample_is_of_what_the_filter_admits(self):
        self.fill()
        points = self.query({"query": {"sample": "random"}, "with_payload": True})
        self.assertEqual(sorted(numbers(points)), [1, 2, 3, 4])
        self.assertIn("payload", points[0])
        red = self.query({"query": {"sample": "random"}, "filter": matches("colour", "red"), "limit": 1})
        self.assertIn(numbers(red), ([1], [3]))

    def test_fusion_of_prefetches(self):
        self.fill()
        both = [{"query": [1, 0], "limit": 2}, {"query": [0, 1], "limit": 2}]
        points = self.query({"query": {"fusion": "rrf"}, "prefetch": both, "with_payload": ["n"]})
        self.assertEqual(numbers(points), [3, 1, 2])
        self.assertEqual([point["score"] for point in points], [1.0, 0.33333334, 0.33333334])
        self.assertEqual(points[0]["payload"], {"n": 2})
        weighted = {"rrf": {"k": 10, "weights": [3.0, 1.0]}}
        points = self.query({"query": weighted, "prefetch": both, "limit": 2})
        self.assertEqual(numbers(points), [3, 1])
        points = self.query({"query": {"fusion": "dbsf"}, "prefetch": both, "score_threshold": 0.5})
        self.assertEqual(numbers(points), [3])
        self.assertEqual(self.query({"query": {"fusion": "rrf"}, "prefetch": both, "offset": 3}), [])
        error = self.bad(400, {"query": {"fusion": "rrf"}})
        self.assertEqual(error, "Wrong input: cannot apply Fusion without prefetches")
        error = self.bad(400, {"prefetch": both})
        self.assertTrue(error.startswith("Bad request: A query is needed to merge the prefetches."), error)

    def test_rescoring_what_prefetches_found(self):
        self.fill()
        self.index("n", "integer")
        blue = {"filter": matches("colour", "blue"), "limit": 999999999}
        first = {"query": [1, 0], "limit": 1}
        points = self.query({"query": [1, 0], "prefetch": [blue, first]})
        self.assertEqual(numbers(points), [3, 4])
        self.assertEqual(numbers(self.query({"query": {"order_by": "n"}, "prefetch": [blue, first]})), [3])
        self.assertEqual(numbers(self.query({"query": {"sample": "random"}, "prefetch": blue})), [4])
        # The filter of a query holds for its prefetches.
        red = matches("colour", "red")
        points = self.query({"query": {"fusion": "rrf"}, "prefetch": [{"query": [0, 1], "limit": 1}], "filter": red})
        self.assertEqual(numbers(points), [3])
        points = self.query({"query": [1, 0], "prefetch": blue, "filter": red})
        self.assertEqual(points, [])

    def test_prefetches_may_be_64_deep(self):
        self.fill()
        body = {"query": [1, 0]}
        for _ in range(64):
            body = {"query": [1, 0], "prefetch": body}
        self.assertEqual(numbers(self.query(body)), [3, 1, 2, 4])
        error = self.bad(400, {"query": [1, 0], "prefetch": [body]})
        self.assertEqual(error, "Wrong input: prefetches depth exceeds max depth 64")

    def test_recommendations(self):
        self.fill()
        for strategy, expected in (
            ("average_vector", [3, 4]),
            ("best_score", [4, 3]),
            ("sum_scores", [3, 4]),
            (None, [3, 4]),
        ):
            query = {"recommend": {"positive": [1], "negative": [2], "strategy": strategy}}
            self.assertEqual(numbers(self.query({"query": query})), expected, strategy)
        best = {"recommend": {"negative": [[2, 2]], "strategy": "best_score"}}
        points = self.query({"query": best, "limit": 1})
        self.assertEqual(numbers(points), [4])
        self.assertAlmostEqual(points[0]["score"], -0.5 * (-2 / 3 + 1), places=6)
        error = self.bad(400, {"query": {"recommend": {"negative": [1]}}})
        self.assertEqual(error, "Bad request: At least one positive vector ID required with this strategy")
        error = self.bad(404, {"query": {"recommend": {"positive": [77]}}})
        self.assertEqual(error, "Not found: No point with id 77 found")

    def test_discovery_context_and_feedback(self):
        self.fill()
        pair = {"positive": [0, 1], "negative": [1, 0]}
        points = self.query({"query": {"discover": {"target": [1, 1], "context": pair}}})
        self.assertEqual(numbers(points), [2, 4, 3, 1])
        self.assertAlmostEqual(points[0]["score"], 1 + 0.5 * (1 / 2 + 1), places=6)
        points = self.query({"query": {"context": [pair]}})
        self.assertEqual(numbers(points), [2, 4, 3, 1])
        self.assertEqual(points[0]["score"], 0.0)
        feedback = {
            "target": [1, 0],
            "feedback": [{"example": [0, 1], "score": 1}, {"example": [1, 0], "score": 0}],
            "strategy": {"naive": {"a": 1, "b": 1, "c": 2}},
        }
        points = self.query({"query": {"relevance_feedback": feedback}})
        self.assertEqual([(p["id"], p["score"]) for p in points], [(2, 2.0), (3, 2.0), (4, 1.0), (1, -1.0)])

    def test_diversity(self):
        self.create({"size": 2, "distance": "Cosine"})
        self.upsert([{"id": i, "vector": v} for i, v in ((1, [1, 0]), (2, [1, 0.01]), (3, [0.7, 0.7]))])
        nearest = {"nearest": [1, 0], "mmr": {"diversity": 0.0}}
        self.assertEqual(numbers(self.query({"query": nearest, "limit": 2})), [1, 2])
        diverse = {"nearest": [1, 0], "mmr": {"diversity": 0.9, "candidates_limit": 3}}
        points = self.query({"query": diverse, "limit": 2, "with_vector": True})
        self.assertEqual(numbers(points), [1, 3])
        self.assertAlmostEqual(points[1]["score"], 0.70710677, places=5)
        self.assertIn("vector", points[1])

    def test_ids_may_be_looked_up_elsewhere(self):
        self.fill()
        other = self.path + "_other"
        self.ok("PUT", other, {"vectors": {"w": {"size": 2, "distance": "Dot"}}})
        self.ok("PUT", other + "/points?wait=true", {"points": [{"id": 3, "vector": {"w": [-1, 0]}}]})
        place = {"collection": other.rsplit("/", 1)[1], "vector": "w"}
        self.assertEqual(numbers(self.query({"query": 3, "lookup_from": place, "limit": 1})), [4])
        self.bad(404, {"query": 1, "lookup_from": place})
        self.bad(404, {"query": 3, "lookup_from": {"collection": "nowhere"}})

    def test_groups(self):
        self.create({"size": 1, "distance": "Dot"})
        lookup = self.path + "_lookup"
        self.ok("PUT", lookup, {"vectors": {"size": 1, "distance": "Dot"}})
        seven = {"id": 7, "vector": [1], "payload": {"name": "seven"}}
        self.ok("PUT", lookup + "/points?wait=true", {"points": [seven]})
        self.upsert(
            [
                {"id": i, "vector": [100 - i], "payload": {"doc": 7 if i < 40 else "x", "more": ["a", "b"]}}
                for i in range(50)
            ]
            + [{"id": 60, "vector": [99], "payload": {"doc": True}}, {"id": 61, "vector": [98]}]
        )
        body = {"query": [1], "group_by": "doc", "limit": 5, "group_size": 2, "with_payload": ["doc"]}
        groups = self.post("/points/query/groups", body)["groups"]
        self.assertEqual([(group["id"], numbers(group["hits"])) for group in groups], [(7, [0, 1]), ("x", [40, 41])])
        self.assertEqual(groups[1]["hits"][0]["payload"], {"doc": "x"})
        self.assertNotIn("lookup", groups[0])
        both = self.post("/points/query/groups", {"query": [1], "group_by": "more", "group_size": 1})["groups"]
        self.assertEqual([(group["id"], numbers(group["hits"])) for group in both], [("a", [0]), ("b", [0])])
        body = {"query": [1], "group_by": "doc", "limit": 1, "with_lookup": lookup.rsplit("/", 1)[1]}
        group = self.post("/points/query/groups", body)["groups"][0]
        self.assertEqual(group["lookup"], {"id": 7, "payload": {"name": "seven"}})
        self.assertEqual(numbers(group["hits"]), [0, 1, 2])
        body = {"query": {"fusion": "rrf"}, "prefetch": {"query": [1], "limit": 20}, "group_by": "doc", "limit": 5}
        groups = self.post("/points/query/groups", body)["groups"]
        self.assertEqual([group["id"] for group in groups], [7, "x"])
        self.assertIn("group_by", self.bad(400, {"query": [1]}, "/points/query/groups"))
        none = {"query": [1], "group_by": "a", "group_size": 0}
        self.assertIn("[group_size", self.bad(422, none, "/points/query/groups"))

    def test_older_operations(self):
        self.fill()
        hits = self.post("/points/search", {"vector": [1, 0], "limit": 2})
        self.assertEqual(numbers(hits), [3, 1])
        found = self.post("/points/search/batch", {"searches": [{"vector": [1, 0], "limit": 1}] * 2})
        self.assertEqual([numbers(hits) for hits in found], [[3], [3]])
        body = {"vector": [1, 0], "limit": 3, "group_by": "colour", "group_size": 1}
        groups = self.post("/points/search/groups", body)["groups"]
        self.assertEqual([group["id"] for group in groups], ["red", "green", "blue"])
        body = {"positive": [1], "negative": [2], "limit": 5}
        self.assertEqual(numbers(self.post("/points/recommend", body)), [3, 4])
        self.assertEqual(numbers(self.post("/points/recommend/batch", {"searches": [body]})[0]), [3, 4])
        groups = self.post("/points/recommend/groups", {**body, "group_by": "colour", "group_size": 1})["groups"]
        self.assertEqual([group["id"] for group in groups], ["red", "blue"])
        body = {"target": [1, 1], "context": [{"positive": [0, 1], "negative": [1, 0]}], "limit": 2}
        self.assertEqual(numbers(self.post("/points/discover", body)), [2, 4])
        self.assertEqual(numbers(self.post("/points/discover/batch", {"searches": [body]})[0]), [2, 4])
        self.assertIn("vector", self.bad(400, {"limit": 1}, "/points/search"))
        self.assertIn("limit", self.bad(400, {"vector": [1, 0]}, "/points/search"))
        self.assertIn("target", self.bad(400, {"limit": 1}, "/points/discover"))

    def test_facets(self):
        self.fill()
        error = self.bad(400, {"key": "colour"}, "/facet")
        self.assertEqual(
            error,
            "Wrong input: No appropriate index for faceting: `colour`. Please create one to facet on this field",
        )
        self.index("colour", "keyword")
        hits = self.post("/facet", {"key": "colour", "exact": True})["hits"]
        self.assertEqual(
            hits, [{"value": "red", "count": 2}, {"value": "blue", "count": 1}, {"value": "green", "count": 1}]
        )
        hits = self.post("/facet", {"key": "colour", "filter": matches("n", 1), "limit": 1})["hits"]
        self.assertEqual(hits, [{"value": "green", "count": 1}])
        self.index("n", "integer")
        self.assertEqual(self.post("/facet", {"key": "n"})["hits"][0], {"value": 1, "count": 1})
        self.bad(422, {"key": "n", "limit": 0}, "/facet")
        spelled = [ID, ID.upper(), ID.replace("-", ""), "urn:uuid:" + ID]
        other = "00000000-0000-0000-0000-000000000001"
        payloads = [{"u": spelled, "b": [True, False]}, {"u": [ID.upper(), other], "b": True}, {"u": 7, "b": "true"}]
        self.upsert([{"id": 10 + i, "vector": [1, 0], "payload": p} for i, p in enumerate(payloads)])
        self.index("u", "uuid")
        hits = self.post("/facet", {"key": "u"})["hits"]
        self.assertEqual(hits, [{"value": ID, "count": 2}, {"value": other, "count": 1}])
        self.index("b", "bool")
        hits = self.post("/facet", {"key": "b"})["hits"]
        self.assertEqual(hits, [{"value": True, "count": 2}, {"value": False, "count": 1}])
        self.index("x", "float")
        self.assertIn("No appropriate index", self.bad(400, {"key": "x"}, "/facet"))
        self.bad(400, {}, "/facet")

    def test_matrices(self):
        self.fill()
        pairs = self.post("/points/search/matrix/pairs", {"sample": 4, "limit": 1})["pairs"]
        found = [(p["a"], p["b"], p["score"]) for p in pairs]
        self.assertEqual(found, [(1, 3, 2.0), (2, 3, 2.0), (3, 1, 2.0), (4, 2, 0.0)])
        matrix = self.post("/points/search/matrix/offsets", {"sample": 4, "limit": 1})
        self.assertEqual(
            matrix,
            {
                "offsets_row": [0, 1, 2, 3],
                "offsets_col": [2, 2, 0, 1],
                "scores": [2.0, 2.0, 2.0, 0.0],
                "ids": [1, 2, 3, 4],
            },
        )
        self.assertEqual(self.post("/points/search/matrix/pairs", {"filter": matches("n", 1)}), {"pairs": []})
        self.bad(422, {"sample": 1}, "/points/search/matrix/pairs")


if __name__ == "__main__":
    unittest.main()
