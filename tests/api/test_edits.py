"""Changing payloads and vectors of points that are there."""

import random
import unittest

from server_process import Server, ServerTestCase


class Edits(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.create({"": {"size": 2, "distance": "Dot"}, "b": {"size": 3, "distance": "Dot"}})
        self.upsert(
            [
                {"id": 1, "vector": [1, 0], "payload": {"a": 1, "n": {"x": 1}}},
                {"id": 2, "vector": {"": [2, 0], "b": [1, 2, 3]}, "payload": {"a": 2, "l": [{"x": 1}, 5]}},
                {"id": 3, "vector": [3, 0], "payload": {"a": 2}},
            ]
        )

    def edit(self, method, route, body):
        return self.ok(method, f"{self.path}/points/{route}?wait=true", body).json

    def payload(self, id):
        return self.ok("GET", f"{self.path}/points/{id}").result["payload"]

    def vectors(self, id):
        return self.ok("GET", f"{self.path}/points/{id}").result["vector"]

    def having(self, key, value):
        return {"must": [{"key": key, "match": {"value": value}}]}

    def count(self, key, value):
        return self.ok("POST", self.path + "/points/count", {"filter": self.having(key, value)}).result["count"]

    def test_set(self):
        reply = self.edit("POST", "payload", {"payload": {"a": 7, "new": [1]}, "points": [1, 2]})
        self.assertEqual(reply["result"]["status"], "completed")
        self.assertEqual(reply["akidb"], {"seq": reply["result"]["operation_id"], "durable": True})
        self.assertEqual(self.payload(1), {"a": 7, "n": {"x": 1}, "new": [1]})
        self.assertEqual(self.count("a", 7), 2)
        self.assertEqual(self.count("a", 1), 0)
        self.edit("POST", "payload", {"payload": {"a": None}, "filter": self.having("a", 7)})
        self.assertEqual(self.payload(2), {"l": [{"x": 1}, 5], "new": [1]})

    def test_set_by_key(self):
        for key, id, expected in (
            ("n", 1, {"a": 1, "n": {"x": 1, "y": 0}}),
            ("n.deep.er", 1, {"a": 1, "n": {"x": 1, "y": 0, "deep": {"er": {"y": 0}}}}),
            ("l[]", 2, {"a": 2, "l": [{"x": 1, "y": 0}, {"y": 0}]}),
            ("l[0].z", 2, {"a": 2, "l": [{"x": 1, "y": 0, "z": {"y": 0}}, {"y": 0}]}),
            ("a", 3, {"a": {"y": 0}}),
        ):
            with self.subTest(key=key):
                self.edit("POST", "payload", {"payload": {"y": 0}, "key": key, "points": [id]})
                self.assertEqual(self.payload(id), expected)

    def test_overwrite_delete_and_clear(self):
        self.edit("PUT", "payload", {"payload": {"z": None}, "points": [1], "key": "a"})
        self.assertEqual(self.payload(1), {"z": None})
        self.edit("POST", "payload/delete", {"keys": ["a", "l[].x", "l[1]", "none"], "filter": self.having("a", 2)})
        self.assertEqual(self.payload(2), {"l": [{}, 5]})
        self.assertEqual(self.payload(3), {})
        self.edit("POST", "payload/clear", {"points": [2]})
        self.assertEqual(self.payload(2), {})
        self.edit("POST", "payload/clear", {"filter": {"must": []}})
        self.assertEqual(self.payload(1), {})

    def test_ids_win_over_a_filter(self):
        self.edit("POST", "payload", {"payload": {"p": 1}, "points": [1], "filter": self.having("a", 2)})
        self.assertEqual(self.count("p", 1), 1)

    def test_vectors(self):
        body = {"points": [{"id": 1, "vector": {"b": [7, 8, 9]}}, {"id": 2, "vector": [5, 5]}]}
        self.edit("PUT", "vectors", body)
        self.assertEqual(self.vectors(1), {"": [1.0, 0.0], "b": [7.0, 8.0, 9.0]})
        self.assertEqual(self.vectors(2), {"": [5.0, 5.0], "b": [1.0, 2.0, 3.0]})
        self.assertEqual(self.payload(2), {"a": 2, "l": [{"x": 1}, 5]})
        query = {"query": [1, 1, 1], "using": "b"}
        self.assertEqual([p["id"] for p in self.query(query)], [1, 2])
        self.edit("POST", "vectors/delete", {"vector": ["b"], "points": [1], "filter": self.having("a", 2)})
        self.assertEqual(self.query(query), [])
        self.edit("POST", "vectors/delete", {"vector": [""], "points": [1]})
        self.assertEqual(self.vectors(1), {})
        self.assertEqual(self.ok("POST", self.path + "/points/count", {}).result["count"], 3)

    def test_a_filter_of_an_update(self):
        points = [{"id": id, "vector": [9, 9]} for id in (1, 2)]
        self.edit("PUT", "vectors", {"points": points, "update_filter": self.having("a", 2)})
        self.assertEqual(self.vectors(1), [1.0, 0.0])
        self.assertEqual(self.vectors(2)[""], [9.0, 9.0])

    def test_unknown_points_are_told_to_who_waits(self):
        for method, route, body in (
            ("POST", "payload", {"payload": {"p": 1}, "points": [9, 1]}),
            ("PUT", "payload", {"payload": {"p": 2}, "points": [9, 1]}),
            ("POST", "payload/delete", {"keys": ["p"], "points": [9, 1]}),
            ("POST", "payload/clear", {"points": [9, 1]}),
            ("PUT", "vectors", {"points": [{"id": 9, "vector": [1, 1]}, {"id": 1, "vector": [1, 1]}]}),
            ("POST", "vectors/delete", {"vector": [""], "points": [9, 1]}),
        ):
            with self.subTest(route=route):
                path = f"{self.path}/points/{route}"
                error = self.refused(404, method, path + "?wait=true", body)
                self.assertEqual(error, "Not found: No point with id 9 found")
                self.assertEqual(self.ok(method, path, body).result["status"], "acknowledged")
        self.assertEqual(self.payload(1), {})
        self.assertEqual(self.vectors(1), {})

    def test_what_is_wrong_changes_nothing(self):
        before = self.ok("POST", self.path + "/points/scroll", {"with_vector": True}).result
        for status, method, route, body, text in (
            (400, "POST", "payload", {"points": [1]}, "missing field `payload`"),
            (400, "POST", "payload", {"payload": {}}, "Either list of point ids or filter must be provided"),
            (400, "POST", "payload", {"payload": [], "points": [1]}, "payload"),
            (400, "POST", "payload", {"payload": {}, "points": []}, "Empty update request"),
            (400, "POST", "payload", {"payload": {}, "points": [-1]}, "points[0]"),
            (400, "POST", "payload", {"payload": {}, "points": [1], "key": "a["}, "key"),
            (400, "POST", "payload", {"payload": {}, "points": [1], "key": 5}, "key"),
            (400, "POST", "payload", {"payload": {}, "filter": {"nonsense": 1}}, "filter"),
            (400, "POST", "payload", {"payload": {"y": {}}, "points": [1], "key": "a" + ".a" * 200}, "deeper than 128"),
            (400, "PUT", "payload", {"points": [1]}, "missing field `payload`"),
            (400, "POST", "payload/delete", {"points": [1]}, "missing field `keys`"),
            (400, "POST", "payload/delete", {"keys": "a", "points": [1]}, "keys"),
            (400, "POST", "payload/delete", {"keys": ["a..b"], "points": [1]}, "keys[0]"),
            (400, "POST", "payload/clear", {}, "`points` (ids) or `filter`"),
            (400, "POST", "payload/clear", {"points": []}, "Empty update request"),
            (400, "PUT", "vectors", {}, "missing field `points`"),
            (422, "PUT", "vectors", {"points": []}, "must specify points to update"),
            (400, "PUT", "vectors", {"points": [{"id": 1}]}, "missing field `vector`"),
            (400, "PUT", "vectors", {"points": [{"vector": [1, 1]}]}, "missing field `id`"),
            (400, "PUT", "vectors", {"points": [{"id": 1, "vector": [1]}]}, "expected dim: 2, got 1"),
            (400, "PUT", "vectors", {"points": [{"id": 1, "vector": {"c": [1]}}]}, "Not existing vector name error: c"),
            (400, "POST", "vectors/delete", {"points": [1]}, "missing field `vector`"),
            (422, "POST", "vectors/delete", {"points": [1], "vector": []}, "must specify vector names to delete"),
            (400, "POST", "vectors/delete", {"points": [1], "vector": ["c"]}, "Not existing vector name error: c"),
            (400, "POST", "vectors/delete", {"vector": [""]}, "Either list of point ids or filter must be provided"),
            (501, "POST", "payload", {"payload": {}, "points": [1], "shard_key": "s"}, "shard"),
        ):
            with self.subTest(route=route, body=body):
                self.assertIn(text, self.refused(status, method, f"{self.path}/points/{route}?wait=true", body))
        self.refused(404, "POST", "/collections/none/points/payload", {"payload": {}, "points": [1]})
        self.refused(400, "POST", self.path + "/points/payload", b"{")
        self.assertEqual(self.ok("POST", self.path + "/points/scroll", {"with_vector": True}).result, before)

    def test_filters_see_new_payloads_with_a_payload_index(self):
        self.ok("PUT", self.path + "/index?wait=true", {"field_name": "a", "field_schema": "integer"})
        self.edit("POST", "payload", {"payload": {"a": 5}, "filter": self.having("a", 2)})
        self.assertEqual((self.count("a", 5), self.count("a", 2)), (2, 0))


class Restart(unittest.TestCase):
    def test_edits_are_there_after_a_clean_stop_and_after_a_kill(self):
        server = Server().start()
        self.addCleanup(server.close)
        server.request("PUT", "/collections/c", {"vectors": {"size": 2, "distance": "Dot"}})
        points = [{"id": id, "vector": [id, 0], "payload": {"k": 0}} for id in range(3000)]
        self.assertEqual(server.request("PUT", "/collections/c/points", {"points": points}).status, 200)
        generator = random.Random(5)
        expected = {id: {"k": 0} for id in range(3000)}
        for round, stop in enumerate((server.stop, server.kill, server.kill), 1):
            ids = generator.sample(range(3000), 40)
            body = {"payload": {f"r{round}": round}, "points": ids}
            self.assertEqual(server.request("POST", "/collections/c/points/payload", body).status, 200)
            for id in ids:
                expected[id][f"r{round}"] = round
            stop()
            server.start()
            page = server.request("POST", "/collections/c/points/scroll", {"limit": 5000}).result["points"]
            self.assertEqual({p["id"]: p["payload"] for p in page}, expected)


class Upserts(ServerTestCase):
    """By what is there already."""

    def put(self, points, **options):
        self.ok("PUT", self.path + "/points?wait=true", {"points": points, **options})

    def state(self):
        page = self.ok("POST", self.path + "/points/scroll", {"limit": 1000, "with_vector": True}).result
        return {p["id"]: (p["vector"], p["payload"]) for p in page["points"]}

    def test_modes_and_filters(self):
        self.create({"size": 1, "distance": "Dot"})

        def points(ids, value):
            return [{"id": i, "vector": [value], "payload": {"v": value, "i": i}} for i in ids]

        self.put(points([1, 2, 3], 1.0))
        self.put(points([3, 4], 2.0), update_mode="insert_only")
        self.put(points([2, 9], 3.0), update_mode="update_only")
        values = {i: payload["v"] for i, (_, payload) in self.state().items()}
        self.assertEqual(values, {1: 1.0, 2: 3.0, 3: 1.0, 4: 2.0})
        old = {"must": [{"key": "v", "range": {"lte": 1.5}}]}
        self.put(points([1, 2, 5], 4.0), update_filter=old)
        self.put(points([3, 6], 5.0), update_filter=old, update_mode="update_only")
        self.put(points([3, 7], 6.0), update_filter={"must": []}, update_mode="insert_only")
        expected = {1: 4.0, 2: 3.0, 3: 5.0, 4: 2.0, 5: 4.0, 7: 6.0}
        check = lambda: self.assertEqual(
            self.state(), {i: ([v], {"v": v, "i": i}) for i, v in expected.items()}
        )
        check()
        self.put([*points([8], 1.0), *points([8], 2.0)], update_mode="insert_only")  # the last one counts
        expected[8] = 2.0
        check()
        self.server.kill()
        self.server.start()
        check()
        error = self.refused(400, "PUT", self.path + "/points", {"points": points([1], 1.0), "update_mode": "x"})
        self.assertIn("update_mode", error)
        wrong = {"points": [{"id": 1, "vector": [1, 2]}], "update_mode": "update_only"}
        self.assertIn("expected dim: 1, got 2", self.refused(400, "PUT", self.path + "/points", wrong))

    def test_many_at_once_and_in_a_batch(self):
        self.create({"size": 1, "distance": "Dot"})
        many = [{"id": i, "vector": [1.0], "payload": {"first": i % 2 == 0}} for i in range(9000)]
        self.put(many[::2])
        self.put([{**point, "payload": {"first": False}} for point in many], update_mode="insert_only")
        count = lambda value: self.ok(
            "POST",
            self.path + "/points/count",
            {"filter": {"must": [{"key": "first", "match": {"value": value}}]}},
        ).result["count"]
        self.assertEqual((count(True), count(False)), (4500, 4500))
        again = [{"id": 0, "vector": [2.0], "payload": {"first": False}}, {"id": 9999, "vector": [2.0]}]
        operations = [
            {"upsert": {"points": again, "update_mode": "insert_only"}},
            {"upsert": {"points": [{**again[1], "payload": {"first": True}}], "update_mode": "update_only"}},
        ]
        self.ok("POST", self.path + "/points/batch?wait=true", {"operations": operations})
        self.assertEqual((count(True), count(False)), (4501, 4500))


if __name__ == "__main__":
    unittest.main()
