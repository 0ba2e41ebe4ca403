"""Every condition over HTTP: what it finds, and how it is refused."""

import unittest

from server_process import ServerTestCase

PAYLOADS = {
    1: {
        "text": "Good, cheap Hardware!",
        "at": "2024-01-31T23:30:00Z",
        "where": {"lat": 52.52, "lon": 13.41},
        "tags": ["a", "b", None],
        "dishes": [{"name": "soup", "price": 4}, {"name": "pie", "price": 9}],
    },
    2: {
        "text": ["cheap", "goodness"],
        "at": "2024-02-01T01:30:00+02:00",
        "where": [{"lat": 0, "lon": 179.9}, {"lat": 90, "lon": 0}],
        "tags": [],
        "dishes": [{"name": "soup", "price": 9}],
    },
    3: {"text": 7, "at": "2024-02-01", "where": {"lat": 0, "lon": -179.9}, "tags": "a", "dishes": {"name": "soup"}},
    4: {"at": "yesterday", "tags": None},
}


class Filters(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.create()
        self.upsert([{"id": i, "vector": [1, 2, 3, 4], "payload": payload} for i, payload in PAYLOADS.items()])

    def found(self, *conditions):
        body = {"filter": {"must": list(conditions)}, "limit": 10, "with_payload": False}
        return [p["id"] for p in self.ok("POST", self.path + "/points/scroll", body).result["points"]]

    def refused_condition(self, status, condition):
        return self.refused(status, "POST", self.path + "/points/count", {"filter": {"must": [condition]}})

    def test_texts(self):
        for match, ids in (
            ({"text": "hardware cheap"}, [1]),
            ({"text": "good"}, [1]),
            ({"text": "cheap"}, [1, 2]),
            ({"text_any": "goodness hardware"}, [1, 2]),
            ({"phrase": "good cheap"}, [1]),
            ({"phrase": "cheap good"}, []),
            ({"text": "7"}, []),
            ({"text": ""}, []),
            ({"prefix": "Good"}, [1]),
            ({"prefix": "good"}, [2]),
            ({"substring": "oodn"}, [2]),
            ({"substring": ""}, [1, 2]),
        ):
            with self.subTest(match=match):
                self.assertEqual(self.found({"key": "text", "match": match}), ids)

    def test_datetimes(self):
        for bounds, ids in (
            ({"gte": "2024-01-31T23:30:00Z"}, [1, 2, 3]),
            ({"gt": "2024-01-31T23:30:00Z"}, [3]),
            ({"lt": "2024-02-01"}, [1, 2]),
            ({"gte": "2024-02-01 00:00", "lte": "2024-02-01T00:00:00.000Z"}, [3]),
            ({"lt": None, "gte": "1970-01-01"}, [1, 2, 3]),
        ):
            with self.subTest(bounds=bounds):
                self.assertEqual(self.found({"key": "at", "range": bounds}), ids)
        for bounds in (
            {"gt": "soon"},
            {"gt": "2024-02-30"},
            {"gt": "2024-01-01", "lt": 5},
            {"gt": "2024-01-01T25:00:00Z"},
        ):
            with self.subTest(bounds=bounds):
                error = self.refused_condition(400, {"key": "at", "range": bounds})
                self.assertTrue(error.startswith("Format error in JSON body: filter.must[0].range."), error)

    def test_places(self):
        def box(top, left, bottom, right):
            corners = {"top_left": {"lat": top, "lon": left}, "bottom_right": {"lat": bottom, "lon": right}}
            return {"key": "where", "geo_bounding_box": corners}

        def circle(lat, lon, radius):
            return {"key": "where", "geo_radius": {"center": {"lat": lat, "lon": lon}, "radius": radius}}

        def polygon(*rings):
            rings = [{"points": [{"lat": lat, "lon": lon} for lat, lon in ring]} for ring in rings]
            return {"key": "where", "geo_polygon": {"exterior": rings[0], "interiors": rings[1:]}}

        square = [(50, 10), (50, 20), (60, 20), (60, 10), (50, 10)]
        hole = [(52, 13), (52, 14), (53, 14), (53, 13), (52, 13)]
        for condition, ids in (
            (box(60, 10, 50, 20), [1]),
            (box(52.52, 10, 50, 20), []),
            (box(1, 170, -1, -170), [2, 3]),
            (circle(52.52, 13.40, 1000), [1]),
            (circle(0, 180, 12_000), [2, 3]),
            (circle(89.9, 77, 20_000), [2]),
            (polygon(square), [1]),
            (polygon(square, hole), []),
        ):
            with self.subTest(condition=condition):
                self.assertEqual(self.found(condition), ids)
        for condition, text in (
            (circle(91, 0, 1), "within [-90;90]"),
            (circle(0, "x", 1), "lon"),
            (polygon(square[:3]), "at least 4, got 3"),
            (polygon(square[:4]), "closed line"),
            ({"key": "where", "geo_radius": {"center": {"lat": 0, "lon": 0}}}, "radius"),
        ):
            with self.subTest(condition=condition):
                self.assertIn(text, self.refused_condition(400, condition))

    def test_counts_and_absence(self):
        for condition, ids in (
            ({"key": "tags", "values_count": {"gte": 2}}, [1]),
            ({"key": "tags", "values_count": {"lt": 1}}, [2, 4]),
            ({"key": "tags", "values_count": {"gt": 0, "lt": 2}}, [3]),
            ({"key": "nowhere", "values_count": {"lte": 0}}, [1, 2, 3, 4]),
            ({"key": "tags", "is_empty": True}, [2, 4]),
            ({"key": "tags", "is_empty": False}, [1, 3]),
            ({"key": "tags", "is_null": True}, [1, 4]),
            ({"key": "nowhere", "is_null": False}, [1, 2, 3, 4]),
            ({"key": "tags", "match": {"value": "zzz"}, "is_null": True, "values_count": {"gte": 3}}, [1]),
            ({"key": "tags", "match": {"value": "b"}, "range": {"gt": 1}}, [1]),
        ):
            with self.subTest(condition=condition):
                self.assertEqual(self.found(condition), ids)
        self.assertIn("At least one field condition", self.refused_condition(422, {"key": "tags"}))
        self.assertIn("At least one field condition", self.refused_condition(422, {"key": "tags", "match": None}))

    def test_nested_slices_and_min_should(self):
        inner = {"must": [{"key": "name", "match": {"value": "soup"}}, {"key": "price", "range": {"gt": 5}}]}
        for key in ("dishes", "dishes[]"):
            self.assertEqual(self.found({"nested": {"key": key, "filter": inner}}), [2])
        self.assertEqual(self.found({"nested": {"key": "dishes", "filter": {"must": [{"has_id": [1, 2]}]}}}), [])
        slices = [self.found({"slice": {"total": 3, "index": index}}) for index in range(3)]
        self.assertEqual(sorted(sum(slices, [])), [1, 2, 3, 4])
        self.assertIn("Slice total", self.refused_condition(422, {"slice": {"total": 0, "index": 0}}))
        self.assertIn("Slice index", self.refused_condition(422, {"slice": {"total": 2, "index": 2}}))
        some = {"conditions": [{"has_id": [1, 2]}, {"has_id": [2, 3]}, {"has_id": [2]}], "min_count": 2}
        count = self.ok("POST", self.path + "/points/count", {"filter": {"min_should": some}}).result["count"]
        self.assertEqual(count, 1)
        error = self.refused(
            422, "POST", self.path + "/points/count", {"filter": {"min_should": {"conditions": [], "min_count": 0}}}
        )
        self.assertIn("min_count", error)


if __name__ == "__main__":
    unittest.main()
