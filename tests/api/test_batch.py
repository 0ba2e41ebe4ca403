"""Several writes, and several queries, in one request."""

import random
import unittest

from server_process import Server, ServerTestCase


class UpdateBatch(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.create({"": {"size": 2, "distance": "Dot"}, "b": {"size": 3, "distance": "Dot"}})
        self.route = self.path + "/points/batch?wait=true"

    def update(self, *operations):
        return self.ok("POST", self.route, {"operations": list(operations)}).json

    def points(self):
        found = self.ok("POST", self.path + "/points/scroll", {"with_vector": True, "limit": 100}).result["points"]
        return {point["id"]: (point["vector"], point["payload"]) for point in found}

    def having(self, key, value):
        return {"must": [{"key": key, "match": {"value": value}}]}

    def test_all_kinds_in_order(self):
        reply = self.update(
            {"upsert": {"points": [{"id": 1, "vector": [1, 0], "payload": {"a": 1}},
                                   {"id": 2, "vector": {"": [2, 0], "b": [1, 2, 3]}, "payload": {"a": 1}}]}},
            {"upsert": {"batch": {"ids": [3, 4], "vectors": [[3, 0], [4, 0]], "payloads": [{"a": 1}, {"x": 5}]}}},
            {"set_payload": {"payload": {"b": 2}, "filter": self.having("a", 1)}},
            {"overwrite_payload": {"payload": {"c": 3}, "points": [1]}},
            {"delete_payload": {"keys": ["a"], "points": [2]}},
            {"clear_payload": {"points": [4]}},
            {"update_vectors": {"points": [{"id": 1, "vector": {"b": [7, 8, 9]}}]}},
            {"delete_vectors": {"vector": ["b"], "filter": self.having("b", 2)}},
            {"delete": {"filter": self.having("a", 1)}},
        )
        self.assertEqual({one["status"] for one in reply["result"]}, {"completed"})
        ids = [one["operation_id"] for one in reply["result"]]
        self.assertEqual(len(ids), 9)
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual(reply["akidb"], {"seq": ids[-1], "durable": True})
        self.assertEqual(self.points(), {
            1: ({"": [1.0, 0.0], "b": [7.0, 8.0, 9.0]}, {"c": 3}),
            2: ([2.0, 0.0], {"b": 2}),
            4: ([4.0, 0.0], {}),
        })

    def test_it_is_acknowledged_without_waiting_and_may_be_empty(self):
        reply = self.ok("POST", self.path + "/points/batch",
                        {"operations": [{"delete": {"points": [1]}}, {"set_payload": {"payload": {}, "points": [1]}}]})
        self.assertEqual([one["status"] for one in reply.result], ["acknowledged"] * 2)
        self.assertEqual(self.update()["result"], [])

    def test_the_first_error_ends_it_and_names_its_operation(self):
        points = [{"id": 1, "vector": [1, 0]}]
        last = {"delete": {"points": [1]}}
        for status, operation, text in (
            (400, {"upsert": {"points": [{"id": 2, "vector": [1]}]}},
             "Wrong input: operations[1]: Vector dimension error: expected dim: 2, got 1"),
            (400, {"delete_vectors": {"vector": ["c"], "points": [1]}},
             "Wrong input: operations[1]: Not existing vector name error: c"),
            (404, {"clear_payload": {"points": [1, 77]}}, "Not found: operations[1]: No point with id 77 found"),
        ):
            with self.subTest(operation=operation):
                self.update({"delete": {"filter": {}}})
                body = {"operations": [{"upsert": {"points": points}}, operation, last]}
                self.assertEqual(self.refused(status, "POST", self.route, body), text)
                self.assertEqual(list(self.points()), [1])

    def test_a_wrong_body_changes_nothing(self):
        good = {"upsert": {"points": [{"id": 1, "vector": [1, 0]}]}}
        for status, bad, text in (
            (400, {}, "operations[1]: expected one operation, got none"),
            (400, {**good, "delete": {"points": [1]}}, "operations[1]: expected one operation, got several"),
            (400, {"insert": {}}, "unknown field `operations[1].insert`, expected one of `upsert`"),
            (400, 3, "operations[1]: expected an object with one operation"),
            (400, {"upsert": {}}, "operations[1].upsert: missing field `points` or `batch`"),
            (400, {"upsert": {"points": [{"id": -1, "vector": [1, 0]}]}}, "operations[1].upsert.points[0].id"),
            (400, {"delete": {}}, "operations[1].delete: expected either `points` (ids) or `filter`"),
            (400, {"set_payload": {"points": [1]}}, "operations[1].set_payload: missing field `payload`"),
            (400, {"set_payload": {"payload": {}}}, "operations[1].set_payload: Either list of point ids or filter"),
            (400, {"set_payload": {"payload": {}, "points": []}}, "operations[1]: Empty update request"),
            (400, {"delete_payload": {"keys": ["a.."], "points": [1]}}, "operations[1].delete_payload.keys[0]"),
            (422, {"update_vectors": {"points": []}}, "[operations[1].update_vectors.points: must specify points"),
            (422, {"delete_vectors": {"vector": [], "points": [1]}}, "[operations[1].delete_vectors.vector: must"),
            (400, {"upsert": {"points": [], "update_mode": "replace"}}, "operations[1].upsert.update_mode"),
        ):
            with self.subTest(bad=bad):
                self.assertIn(text, self.refused(status, "POST", self.route, {"operations": [good, bad]}))
        self.assertIn("missing field `operations`", self.refused(400, "POST", self.route, {}))
        self.assertIn("operations: expected an array", self.refused(400, "POST", self.route, {"operations": good}))
        self.assertEqual(self.points(), {})
        self.refused(404, "POST", "/collections/none/points/batch", {"operations": [good]})

    def test_more_points_than_one_step_changes(self):
        points = [{"id": id, "vector": [id, 0], "payload": {"k": 0}} for id in range(10_000)]
        self.update(
            {"upsert": {"points": points[:5000]}},
            {"upsert": {"points": points[5000:]}},
            {"set_payload": {"payload": {"k": 1}, "filter": self.having("k", 0)}},
            {"delete": {"points": list(range(0, 10_000, 2))}},
            {"delete_payload": {"keys": ["k"], "points": list(range(1, 9000, 2))}},
        )
        counted = self.ok("POST", self.path + "/points/count", {"filter": self.having("k", 1)}).result["count"]
        self.assertEqual(counted, 500)
        self.assertEqual(self.ok("POST", self.path + "/points/count", {}).result["count"], 5000)


class QueryBatch(ServerTestCase):
    def test_each_is_answered_as_alone(self):
        self.create({"": {"size": 8, "distance": "Cosine"}, "b": {"size": 3, "distance": "Euclid"}})
        generator = random.Random(3)

        def vector(size):
            return [generator.gauss(0, 1) for _ in range(size)]

        self.upsert([{"id": id, "vector": {"": vector(8), "b": vector(3)}, "payload": {"n": id % 5}}
                     for id in range(1500)])
        searches = []
        for i in range(70):
            search = {"query": vector(8), "limit": 1 + i % 7}
            if i % 3 == 0:
                search = {"query": vector(3), "using": "b", "score_threshold": 1.5}
            if i % 5 == 0:
                search["filter"] = {"must": [{"key": "n", "match": {"value": i % 6}}]}
            if i % 4 == 0:
                search["params"] = {"exact": True}
            if i % 6 == 0:
                search["offset"] = 2
            if i % 11 == 0:
                search = {"query": i, "with_vector": True, "limit": 3}
            if i % 13 == 0:
                search = {"limit": 4}
            searches.append(search)
        answers = self.ok("POST", self.path + "/points/query/batch", {"searches": searches}).result
        self.assertEqual(len(answers), len(searches))
        for search, answer in zip(searches, answers):
            self.assertEqual(self.ok("POST", self.path + "/points/query", search).result, answer, search)
        self.assertEqual(self.ok("POST", self.path + "/points/query/batch", {"searches": []}).result, [])

    def test_one_wrong_query_ends_it(self):
        self.create({"": {"size": 2, "distance": "Dot"}})
        self.upsert([{"id": 1, "vector": [1, 0]}])
        for status, bad, text in ((400, {"query": [1]}, "Vector dimension error: expected dim: 2, got 1"),
                                  (404, {"query": 7}, "No point with id 7 found"),
                                  (400, {"query": [1, 0], "using": "x"}, "Not existing vector name error: x")):
            body = {"searches": [{"query": [1, 0]}, bad]}
            error = self.refused(status, "POST", self.path + "/points/query/batch", body)
            self.assertIn("searches[1]: " + text, error)
            self.assertNotIn("searches", self.refused(status, "POST", self.path + "/points/query", bad))
        body = {"searches": [{"query": [1, 0]}, {"score_threshold": 1}]}
        error = self.refused(400, "POST", self.path + "/points/query/batch", body)
        self.assertTrue(error.startswith("Bad request: searches[1]: "), error)

    def test_scores_beyond_float32_are_numbers(self):
        most = 3.4028235e38  # the largest float32, in the fewest digits
        for distance, scores in (("Dot", [most, -most]), ("Euclid", [0, most]), ("Manhattan", [0, most])):
            with self.subTest(distance=distance):
                self.create({"": {"size": 2, "distance": distance}})
                self.upsert([{"id": 1, "vector": [3e38, 3e38]}, {"id": 2, "vector": [-3e38, -3e38]}])
                self.assertEqual([point["score"] for point in self.query({"query": [3e38, 3e38]})], scores)
                self.ok("DELETE", self.path)


if __name__ == "__main__":
    unittest.main()
