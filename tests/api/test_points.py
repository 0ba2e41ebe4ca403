"""Writing and reading points."""

import unittest

from server_process import Server, ServerTestCase


class Points(ServerTestCase):
    def test_wait_decides_between_acknowledged_and_completed(self):
        self.create()
        body = {"points": [{"id": 1, "vector": [1, 0, 0, 0]}]}
        first = self.ok("PUT", self.path + "/points", body).json
        second = self.ok("PUT", self.path + "/points?wait=true", body).json
        self.assertEqual(first["result"]["status"], "acknowledged")
        self.assertEqual(second["result"]["status"], "completed")
        self.assertGreater(second["result"]["operation_id"], first["result"]["operation_id"])
        self.assertEqual(second["akidb"], {"seq": second["result"]["operation_id"], "durable": True})

    def test_points_come_back_as_they_were_written(self):
        self.create()
        payload = {
            "text": "äß😀",
            "int": 9007199254740993,
            "big": 18446744073709551615,
            "float": 1.0,
            "nested": {"list": [1, "a", None, {}], "empty": []},
            "flag": True,
            "none": None,
        }
        self.upsert([{"id": 1, "vector": [0.19, 1, -2.5, 3e10], "payload": payload}])
        reply = self.ok("GET", self.path + "/points/1")
        self.assertEqual(reply.result, {"id": 1, "payload": payload, "vector": [0.19, 1.0, -2.5, 3e10]})
        self.assertIn("[0.19,1.0,-2.5,3e+10]", reply.text)
        self.assertIn('"float":1.0', reply.text)

    def test_columns_are_points_too(self):
        self.create({"a": {"size": 1, "distance": "Dot"}, "b": {"size": 2, "distance": "Dot"}})
        batch = {"ids": [1, 2], "vectors": {"a": [[1], [2]], "b": [[1, 1], [2, 2]]}, "payloads": [{"k": 1}, None]}
        self.ok("PUT", self.path + "/points?wait=true", {"batch": batch})
        records = self.ok("POST", self.path + "/points", {"ids": [2, 1], "with_vector": True}).result
        self.assertEqual([r["id"] for r in records], [2, 1])
        self.assertEqual(records[0]["vector"], {"a": [2.0], "b": [2.0, 2.0]})
        self.assertEqual(records[1]["payload"], {"k": 1})

    def test_cosine_vectors_come_back_normalised_and_zero_vectors_are_fine(self):
        self.create({"size": 2, "distance": "Cosine"})
        self.upsert([{"id": 1, "vector": [3, 4]}, {"id": 2, "vector": [0, 0]}])
        self.assertEqual(self.ok("GET", self.path + "/points/1").result["vector"], [0.6, 0.8])
        self.assertEqual(self.ok("GET", self.path + "/points/2").result["vector"], [0.0, 0.0])

    def test_every_form_of_id(self):
        self.create()
        hyphenated = "936da01f-9abd-4d9d-80c7-02af85c822a8"
        ids = [0, 9007199254740993, 18446744073709551615, hyphenated.replace("-", "").upper()]
        self.upsert([{"id": id, "vector": [1, 0, 0, 0]} for id in ids])
        self.upsert([{"id": "urn:uuid:" + hyphenated, "vector": [2, 0, 0, 0]}])
        records = self.ok("POST", self.path + "/points/scroll", {}).result["points"]
        self.assertEqual([r["id"] for r in records], ids[:3] + [hyphenated])
        for id in (*ids, hyphenated):
            self.ok("GET", f"{self.path}/points/{id}")

    def test_a_repeated_id_in_one_batch_keeps_the_last(self):
        self.create()
        self.upsert([{"id": 1, "vector": [1, 0, 0, 0]}, {"id": 1, "vector": [2, 0, 0, 0]}])
        self.assertEqual(self.ok("GET", self.path + "/points/1").result["vector"], [2.0, 0.0, 0.0, 0.0])
        self.assertEqual(self.ok("POST", self.path + "/points/count", {}).result, {"count": 1})

    def test_delete_by_ids_and_by_filter(self):
        self.create()
        self.upsert([{"id": i, "vector": [1, 0, 0, 0], "payload": {"k": i % 2}} for i in range(6)])
        self.ok("POST", self.path + "/points/delete?wait=true", {"points": [0, 99]})
        by_filter = {"filter": {"must": [{"key": "k", "match": {"value": 1}}]}}
        self.ok("POST", self.path + "/points/delete?wait=true", by_filter)
        records = self.ok("POST", self.path + "/points/scroll", {}).result["points"]
        self.assertEqual([r["id"] for r in records], [2, 4])

    def test_scroll_walks_in_pages(self):
        self.create()
        self.upsert([{"id": i, "vector": [1, 0, 0, 0]} for i in range(1, 8)])
        seen, offset = [], None
        while True:
            body = {"limit": 3, "offset": offset, "with_payload": False}
            page = self.ok("POST", self.path + "/points/scroll", body).result
            seen += [r["id"] for r in page["points"]]
            self.assertTrue(all("payload" not in r for r in page["points"]))
            offset = page["next_page_offset"]
            if offset is None:
                break
        self.assertEqual(seen, list(range(1, 8)))

    def test_payload_selectors(self):
        self.create()
        payload = {"a": 1, "b": {"c": 2, "d": 3}}
        self.upsert([{"id": 1, "vector": [1, 0, 0, 0], "payload": payload}])
        for selector, expected in (
            (True, payload),
            (["a"], {"a": 1}),
            ({"include": ["b.c"]}, {"b": {"c": 2}}),
            ({"exclude": ["b.c"]}, {"a": 1, "b": {"d": 3}}),
        ):
            with self.subTest(selector=selector):
                body = {"ids": [1], "with_payload": selector}
                self.assertEqual(self.ok("POST", self.path + "/points", body).result[0]["payload"], expected)

    def test_an_unknown_point_is_named(self):
        self.create()
        self.assertIn("7", self.refused(404, "GET", self.path + "/points/7"))
        self.assertEqual(self.ok("POST", self.path + "/points", {"ids": [7]}).result, [])

    def test_a_point_that_is_asked_for_twice_comes_once(self):
        self.create()
        self.ok("PUT", self.path + "/points?wait=true", {"points": [{"id": i, "vector": {}} for i in (1, 2)]})
        found = self.ok("POST", self.path + "/points", {"ids": [2, 1, 2, 2, 1]}).result
        self.assertEqual([point["id"] for point in found], [2, 1])


class Restart(unittest.TestCase):
    def test_everything_is_there_after_a_clean_stop_and_after_a_kill(self):
        server = Server().start()
        self.addCleanup(server.close)
        server.request("PUT", "/collections/c", {"vectors": {"size": 2, "distance": "Dot"}})
        for number, stop in ((1, server.stop), (2, server.kill)):
            point = {"id": number, "vector": [number, 0], "payload": {"n": number}}
            self.assertEqual(server.request("PUT", "/collections/c/points", {"points": [point]}).status, 200)
            stop()
            server.start()
            found = server.request("POST", "/collections/c/points/query", {"query": [1, 0], "with_payload": True})
            self.assertEqual(found.status, 200, found.text)
            self.assertEqual([p["payload"]["n"] for p in found.result["points"]], list(range(number, 0, -1)))


if __name__ == "__main__":
    unittest.main()
