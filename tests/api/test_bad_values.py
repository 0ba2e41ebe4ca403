"""Values that are absurd, near misses or contradict each other: each gets the answer that the dialect gives, and what
is merely large costs no more than what is there."""

import unittest

from request_bodies import COLLECTION, fill_collection, make_collection
from server_process import ServerTestCase

QUERY = [0.1, 0.2, 0.3, 0.4]
HUGE = (999999999, 2**64 - 1)
POINTS = f"/collections/{COLLECTION}/points"
DATES = (
    "2024-05-01", "2024-05-01T12:00:00Z", "2024-05-01t12:00:00z", "2024-05-01 12:00:00", "2024-05-01T12:00",
    "2024-05-01T12:00:00.123456789Z", "2024-05-01T12:00:00+02:00", "2024-05-01T12:00:00-23:59", "2024-02-29",
    "2024-05-01T23:59:60Z", "0000-01-01", "9999-12-31T23:59:59.999999Z",
)
NO_DATES = (
    "", "now", "2024", "2024-05", "24-05-01", "2024-13-01", "2024-00-10", "2024-02-30", "2023-02-29", "2024-05-01T",
    "2024-05-01Z", "2024-05-01T12", "2024-05-01T24:00:00Z", "2024-05-01T23:60:00Z", "2024-05-01T12:00:61Z",
    "2024-05-01T12:00:00+24:00", "2024-05-01T12:00:00.Z", "2024-05-01T12:00:00,5Z", "10000-01-01", "-0001-01-01",
    "２０２４-05-01", "2024-05-01T12:00:00Zulu",
)
# Formulas, and what the refusal says.
NOT_FINITE = "produced a non-finite number"
ABSURD_FORMULAS = (
    ({"div": {"left": 1, "right": 0}}, NOT_FINITE),
    ({"div": {"left": 1, "right": {"sum": ["$score", {"neg": "$score"}]}}}, NOT_FINITE),
    ({"ln": -1}, NOT_FINITE),
    ({"ln": 0}, NOT_FINITE),
    ({"log10": -5}, NOT_FINITE),
    ({"sqrt": -1}, NOT_FINITE),
    ({"pow": {"base": -8, "exponent": 0.5}}, NOT_FINITE),
    ({"pow": {"base": 0, "exponent": -1}}, NOT_FINITE),
    ({"exp": 1e6}, NOT_FINITE),
    ({"acosh": 0.5}, NOT_FINITE),
    ({"mult": [1e308, 1e308]}, NOT_FINITE),
    ("no_such_field", "No value found"),
    ("city", "Value is not a number"),
    ({"datetime_key": "city"}, "datetime"),
    ({"geo_distance": {"origin": {"lat": 0, "lon": 0}, "to": "city"}}, "geo point"),
    ({"datetime": "2024-02-30"}, "query.formula.datetime"),
    ("$nope", "Invalid reserved word"),
    ("$score[", "Invalid reserved variable"),
)


class BadValues(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_collection(cls.server)

    def setUp(self):
        super().setUp()
        fill_collection(self.server)

    def ids(self, body):
        return [point["id"] for point in self.ok("POST", POINTS + "/query", body).result["points"]]

    def count(self, condition):
        return self.ok("POST", POINTS + "/count", {"filter": {"must": condition}}).result["count"]

    def upsert_text(self, text):
        return self.call("PUT", POINTS + "?wait=true", text.encode())

    def test_limits_far_beyond_what_is_there(self):
        everything = [6, 5, 4, 3, 2, 1]
        for limit in HUGE:
            with self.subTest(limit=limit):
                self.assertEqual(self.ids({"query": QUERY, "limit": limit}), everything)
                self.assertEqual(self.ids({"query": QUERY, "prefetch": {"limit": limit}}), everything)
                self.assertEqual(self.ids({"query": QUERY, "params": {"hnsw_ef": limit}}), everything)
                self.assertEqual(len(self.ids({"query": {"sample": "random"}, "limit": limit})), 6)
                self.assertEqual(len(self.ids({"query": {"order_by": "year"}, "limit": limit})), 6)
                batch = self.ok("POST", POINTS + "/query/batch", {"searches": [{"query": QUERY, "limit": limit}] * 3})
                self.assertEqual([len(one["points"]) for one in batch.result], [6] * 3)
                page = self.ok("POST", POINTS + "/scroll", {"limit": limit}).result
                self.assertEqual((len(page["points"]), page["next_page_offset"]), (6, None))
                hits = self.ok("POST", f"/collections/{COLLECTION}/facet", {"key": "city", "limit": limit}).result
                self.assertEqual(len(hits["hits"]), 3)
                matrix = self.ok("POST", POINTS + "/search/matrix/pairs", {"sample": limit, "limit": limit}).result
                self.assertEqual(len(matrix["pairs"]), 6 * 5)

    def test_huge_groups(self):
        for size in HUGE:
            body = {"query": QUERY, "group_by": "city", "limit": size, "group_size": size}
            groups = self.ok("POST", POINTS + "/query/groups", body).result["groups"]
            self.assertEqual([len(group["hits"]) for group in groups], [2, 2, 2])

    def test_offsets_beyond_the_end(self):
        for offset in (6, *HUGE):
            self.assertEqual(self.ids({"query": QUERY, "offset": offset, "limit": HUGE[1]}), [])
        for offset in (7, 2**64 - 1, "ffffffff-ffff-ffff-ffff-ffffffffffff"):
            page = self.ok("POST", POINTS + "/scroll", {"offset": offset}).result
            self.assertEqual(page, {"points": [], "next_page_offset": None})

    def test_absurd_formulas(self):
        for formula, text in ABSURD_FORMULAS:
            with self.subTest(formula=formula):
                body = {"prefetch": {"query": QUERY}, "query": {"formula": formula}}
                self.assertIn(text, self.refused(400, "POST", POINTS + "/query", body))
        saved = {"div": {"left": 1, "right": 0, "by_zero_default": 7}}
        self.assertEqual(len(self.ids({"prefetch": {"query": QUERY}, "query": {"formula": saved}})), 6)

    def test_formulas_without_an_end(self):
        deep = "$score"
        for _ in range(70):
            deep = {"neg": deep}
        for formula, text in ((deep, "expressions deep"), ({"sum": ["$score"] * 100000}, "at most 1024 expressions")):
            body = {"prefetch": {"query": QUERY}, "query": {"formula": formula}}
            self.assertIn(text, self.refused(422, "POST", POINTS + "/query", body))

    def test_prefetch_bombs(self):
        def nested(levels, width):
            stage = {"query": QUERY}
            for _ in range(levels):
                stage = {"query": QUERY, "prefetch": [stage] * width}
            return stage

        self.assertEqual(len(self.ids(nested(64, 1))), 6)
        error = self.refused(400, "POST", POINTS + "/query", nested(66, 1))
        self.assertIn("prefetches depth exceeds max depth 64", error)
        self.assertEqual(len(self.ids(nested(4, 6))), 6)
        self.assertEqual(len(self.ids({"query": {"fusion": "rrf"}, "prefetch": [{"query": QUERY}] * 2000})), 6)

    def test_texts_that_look_like_patterns(self):
        for text in ("(.*)+$", ".*", "%", "R?me", "[R]ome", "\\", "^Rom$", "Rom\u0000e", "(" * 5000):
            for kind in ("text", "text_any", "phrase", "prefix", "substring", "value"):
                with self.subTest(text=text[:10], kind=kind):
                    self.assertEqual(self.count({"key": "city", "match": {kind: text}}), 0)
        self.assertEqual(self.count({"key": "city", "match": {"substring": "om"}}), 2)

    def test_places_at_the_poles_and_the_antimeridian(self):
        places = {11: (90, 0), 12: (-90, 180), 13: (0, 179.9), 14: (0, -179.9), 15: (0, 180), 16: (0, -180)}
        self.ok("PUT", POINTS + "?wait=true", {"points": [
            {"id": id, "vector": QUERY, "payload": {"spot": {"lat": lat, "lon": lon}}}
            for id, (lat, lon) in places.items()]})
        self.addCleanup(self.ok, "POST", POINTS + "/delete?wait=true", {"points": list(places)})

        def found(condition):
            body = {"filter": {"must": {"key": "spot", **condition}}, "limit": 100, "with_payload": False}
            return [point["id"] for point in self.ok("POST", POINTS + "/scroll", body).result["points"]]

        def circle(lat, lon, radius):
            return {"geo_radius": {"center": {"lat": lat, "lon": lon}, "radius": radius}}

        def box(top, left, bottom, right):
            return {"geo_bounding_box": {"top_left": {"lat": top, "lon": left},
                                         "bottom_right": {"lat": bottom, "lon": right}}}

        for indexed in (False, True):
            with self.subTest(indexed=indexed):
                if indexed:
                    self.ok("PUT", f"/collections/{COLLECTION}/index?wait=true",
                            {"field_name": "spot", "field_schema": "geo"})
                self.assertEqual(found(circle(0, 180, 20000)), [13, 14, 15, 16])
                self.assertEqual(found(circle(0, -180, 20000)), [13, 14, 15, 16])
                # At a pole all longitudes are one place.
                self.assertEqual(found(circle(90, -120, 1)), [11])
                self.assertEqual(found(circle(-90, 7, 1)), [12])
                self.assertEqual(found(circle(0, 0, 1e300)), sorted(places))
                self.assertEqual(found(circle(0, 0, 0)), [])
                self.assertEqual(found(circle(0, 0, -5)), [])
                self.assertEqual(found(box(1, 179, -1, -179)), [13, 14, 15, 16])
        for lat, lon in ((90.1, 0), (-91, 0), (0, 180.5), (0, -181), (1e308, 0)):
            self.assertIn("GeoPoint", self.refused(400, "POST", POINTS + "/count", {
                "filter": {"must": {"key": "spot", **circle(lat, lon, 1)}}}))

    def test_dates(self):
        for text in DATES:
            with self.subTest(text=text):
                self.assertLessEqual(self.count({"key": "made", "range": {"gte": text}}), 6)
        for text in NO_DATES:
            with self.subTest(text=text):
                error = self.refused(400, "POST", POINTS + "/count",
                                     {"filter": {"must": {"key": "made", "range": {"gte": text}}}})
                self.assertEqual(error, f"Format error in JSON body: filter.must.range.gte: '{text}' is not in a "
                                        "supported date/time format, please use RFC 3339")
        error = self.refused(400, "POST", POINTS + "/count", {
            "filter": {"must": {"key": "made", "range": {"gte": "2024-05-01", "lt": 5}}}})
        self.assertIn("numbers and datetimes can't be mixed", error)

    def test_a_key_twice(self):
        for path, body, text in (
            ("/query", '{"limit":1,"limit":2,"query":[1,2,3,4]}', "duplicate field `limit`"),
            ("/query", '{"query":[1,2,3],"query":[1,2,3,4]}', "duplicate field `query`"),
            ("/query", '{"query":[1,2,3,4],"params":{"exact":true,"exact":false}}', "params: duplicate field `exact`"),
            ("/query/batch", '{"searches":[],"searches":[]}', "duplicate field `searches`"),
            ("/count", '{"filter":{"must":[],"must":[]}}', "filter: duplicate field `must`"),
            ("/count", '{"filter":{"must":{"key":"a","match":{"value":1},"match":{"value":2}}}}',
             "filter.must: duplicate field `match`"),
            ("/count", '{"filter":{"must":{"key":"a","key":"b","match":{"value":1}}}}',
             "filter.must: duplicate field `key`"),
            ("/scroll", '{"offset":1,"offset":2}', "duplicate field `offset`"),
            ("/delete", '{"points":[1],"points":[2]}', "duplicate field `points`"),
            ("/payload", '{"payload":{},"points":[1],"payload":{"a":1}}', "duplicate field `payload`"),
        ):
            with self.subTest(body=body):
                error = self.refused(400, "POST", POINTS + path, body.encode())
                self.assertEqual(error, "Format error in JSON body: " + text)
        for point, text in (('{"id":1,"id":2,"vector":[1,2,3,4]}', "points[0]: duplicate field `id`"),
                            ('{"id":1,"vector":[1,2,3,4],"vector":[1,2,3,4]}', "points[0]: duplicate field `vector`"),
                            ('{"id":1,"vector":{"":[1,2,3,4],"":[1,2,3,4]}}', "points[0].vector: duplicate field ``")):
            reply = self.upsert_text('{"points":[' + point + "]}")
            self.assertEqual((reply.status, reply.error), (400, "Format error in JSON body: " + text))
        # More keys than are compared with each other.
        many = ",".join(f'"k{i}":1' for i in range(40))
        reply = self.call("POST", POINTS + "/scroll", ("{" + many + ',"k7":2}').encode())
        self.assertEqual((reply.status, reply.error), (400, "Format error in JSON body: duplicate field `k7`"))
        # In payloads the last one counts, as there.
        reply = self.upsert_text('{"points":[{"id":1,"vector":[1,2,3,4],"payload":{"a":1,"a":2}}]}')
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(self.ok("GET", POINTS + "/1").result["payload"], {"a": 2})

    def test_numbers_as_ids(self):
        for id in ("1.0", "1e0", "1E2", "-1", "0.5", "18446744073709551616", "1e400", "01", "+1", "0x1", '"1"', "NaN"):
            with self.subTest(id=id):
                reply = self.upsert_text('{"points":[{"id":' + id + ',"vector":[1,2,3,4]}]}')
                self.assertEqual(reply.status, 400, reply.text)
                self.assertTrue(reply.error.startswith("Format error in JSON body: "), reply.error)
        for id, shown in (("0", 0), ("18446744073709551615", 2**64 - 1), ("9007199254740993", 2**53 + 1)):
            self.assertEqual(self.upsert_text('{"points":[{"id":' + id + ',"vector":[1,2,3,4]}]}').status, 200)
            self.assertEqual(self.ok("POST", POINTS, {"ids": [shown]}).result[0]["id"], shown)
            self.ok("POST", POINTS + "/delete?wait=true", {"points": [shown]})

    def test_columns_of_unequal_length(self):
        row = [1, 2, 3, 4]
        for batch, text in (
            ({"ids": [1, 2], "vectors": [row]}, "batch.vectors: number of ids and vectors must match (2 != 1)"),
            ({"ids": [1], "vectors": [row, row]}, "batch.vectors[1]: more vectors than the 1 ids"),
            ({"ids": [1, 2], "vectors": {"": [row, row], "words": []}},
             "number of ids and vectors must match (2 != 0)"),
            ({"ids": [1, 2], "vectors": [row, row], "payloads": [{}]},
             "number of ids and payloads must match (2 != 1)"),
            ({"ids": [1], "vectors": [row], "payloads": [{}, {}]}, "batch.payloads[1]: more payloads than the 1 ids"),
            ({"ids": [], "vectors": [row]}, "more vectors than the 0 ids"),
        ):
            with self.subTest(batch=batch):
                self.assertIn(text, self.refused(400, "PUT", POINTS, {"batch": batch}))

    def test_sparse_vectors(self):
        def vector(indices, values):
            return {"points": [{"id": 1, "vector": {"words": {"indices": indices, "values": values}}}]}

        for indices, values, status, text in (
            ([1, 1], [1, 2], 422, "[points[0].vector.words.indices: must be unique]"),
            ([5, 1, 5], [1, 2, 3], 422, "[points[0].vector.words.indices: must be unique]"),
            ([1, 2], [1], 422, "[points[0].vector.words.values: must be the same length as indices]"),
            ([1], [], 422, "must be the same length as indices"),
            ([-1], [1], 400, "points[0].vector.words.indices[0]"),
            ([4294967296], [1], 400, "expected an index from 0 to 4294967295"),
            ([1.5], [1], 400, "points[0].vector.words.indices[0]"),
            ([1], ["x"], 400, "points[0].vector.words.values[0]"),
            ([1], [1e39], 400, "Wrong input"),
        ):
            with self.subTest(indices=indices, values=values):
                self.assertIn(text, self.refused(status, "PUT", POINTS, vector(indices, values)))
        # Unsorted ones are sorted, none at all is a vector, too.
        for indices, values in (([9, 3, 4294967295], [1.0, 2.0, 3.0]), ([], [])):
            self.ok("PUT", POINTS + "?wait=true", vector(indices, values))
            stored = self.ok("POST", POINTS, {"ids": [1], "with_vector": ["words"]}).result[0]["vector"]["words"]
            self.assertEqual(dict(zip(stored["indices"], stored["values"])), dict(zip(indices, values)))

    def test_a_batch_that_fails_in_the_middle(self):
        def stored():
            return self.ok("POST", POINTS + "/scroll", {"limit": 100, "with_vector": True}).result["points"]

        before = stored()
        first = {"delete": {"points": [1]}}
        # What is wrong in form is found before anything is done.
        for second, status in (({"upsert": {"points": [{"id": 2, "vector": [1, "x"]}]}}, 400),
                               ({"no_such": {}}, 400), ({}, 400),
                               ({"delete_vectors": {"vector": [], "points": [1]}}, 422),
                               ({"clear_payload": {"points": []}}, 400)):
            with self.subTest(second=second):
                error = self.refused(status, "POST", POINTS + "/batch?wait=true", {"operations": [first, second]})
                self.assertIn("operations[1]", error)
                self.assertEqual(stored(), before)
        # What does not fit the collection stops at its place; those before it are done.
        error = self.refused(400, "POST", POINTS + "/batch?wait=true", {
            "operations": [first, {"upsert": {"points": [{"id": 2, "vector": [1, 2]}]}}, {"delete": {"points": [3]}}]})
        self.assertIn("operations[1]", error)
        self.assertEqual([point["id"] for point in stored()], [2, 3, 4, 5, 6])

    def test_bodies_that_are_no_object(self):
        for method, path in (("PUT", ""), ("POST", ""), ("POST", "/query"), ("POST", "/scroll"), ("POST", "/batch")):
            for body in (b"", b" ", b"null", b"[]", b'"x"', b"1", b"{", b"{}x", b"\xef\xbb\xbf", b"\x00"):
                with self.subTest(path=path, method=method, body=body):
                    error = self.refused(400, method, POINTS + path, body)
                    self.assertTrue(error.startswith("Format error in JSON body: "), error)


if __name__ == "__main__":
    unittest.main()
