"""Indexes over payload fields: made, described, dropped, durable, and of no influence on answers."""

import unittest

from server_process import ServerTestCase, wait_until

POINTS = 1500


def payload(i):
    return {
        "city": f"c{i % 40}",
        "tags": [f"t{i % 3}", f"t{i % 7}"],
        "n": i,
        "mixed": i if i % 2 else f"{i}",
        "o": {"k": f"k{i % 5}"},
        "f": i / 4,
        "b": i % 3 == 0,
        "d": f"2024-0{1 + i % 9}-1{i % 10}T0{i % 7}:00:00Z",
        "u": f"936da01f-9abd-4d9d-80c7-02af85c8{i % 50:04x}",
        "g": {"lat": i % 90, "lon": i % 170},
    }


FILTERS = (
    {"must": [{"key": "city", "match": {"value": "c3"}}]},
    {"must": [{"key": "tags", "match": {"any": ["t1", "t5"]}}, {"key": "n", "range": {"gte": 100, "lt": 900}}]},
    {"must_not": [{"key": "city", "match": {"except": ["c1", "c2"]}}]},
    {"should": [{"key": "o.k", "match": {"value": "k1"}}, {"key": "n", "range": {"lt": 50}}]},
    {"must": [{"key": "mixed", "range": {"lte": 100}}]},
    {"must": [{"is_empty": {"key": "city"}}]},
    {"must": [{"key": "n", "range": {"gt": 1e9}}]},
    {"must": [{"key": "f", "range": {"gte": 10.25, "lt": 200}}, {"key": "b", "match": {"value": True}}]},
    {"must": [{"key": "d", "range": {"gte": "2024-03-01", "lt": "2024-05-12T03:00:00Z"}}]},
    {"must": [{"key": "u", "match": {"value": "936da01f-9abd-4d9d-80c7-02af85c80007"}}]},
    {"must": [{"key": "g", "geo_radius": {"center": {"lat": 40, "lon": 40}, "radius": 1500000}}]},
    {"must": [{"key": "city", "match": {"prefix": "c1"}}]},
)


class PayloadIndexes(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "400"}

    def put(self, field, schema, wait="?wait=true"):
        return self.ok("PUT", f"{self.path}/index{wait}", {"field_name": field, "field_schema": schema}).result

    def info(self):
        return self.ok("GET", self.path).result

    def schema(self):
        return self.info()["payload_schema"]

    def fill(self):
        self.create()
        for first in range(0, POINTS, 500):
            self.upsert(
                [
                    {"id": i, "vector": [i % 17, i % 5, i % 3, 1], "payload": payload(i)}
                    for i in range(first, first + 500)
                ]
            )

    def answers(self):
        found = []
        for condition in FILTERS:
            count = self.ok("POST", self.path + "/points/count", {"filter": condition}).result["count"]
            body = {"filter": condition, "limit": POINTS, "with_payload": ["n"]}
            page = self.ok("POST", self.path + "/points/scroll", body).result["points"]
            self.assertEqual(len(page), count)
            hits = self.query({"query": [3, 1, 2, 0.5], "filter": condition, "limit": 20, "params": {"exact": True}})
            near = self.query({"query": [3, 1, 2, 0.5], "filter": condition, "limit": 20})
            self.assertEqual([h["score"] for h in near], [h["score"] for h in hits])
            found.append((count, page, hits))
        return found

    def test_made_described_dropped(self):
        self.create()
        self.upsert([{"id": 1, "vector": [1, 2, 3, 4], "payload": {"city": "here"}}, {"id": 2, "vector": [1, 2, 3, 4]}])
        made = self.put("city", "keyword")
        self.assertEqual(made["status"], "completed")
        self.assertIsInstance(made["operation_id"], int)
        self.assertEqual(self.put("n", "integer", wait="")["status"], "acknowledged")
        tenant = {"type": "keyword", "is_tenant": True, "on_disk": None}
        self.put("who", tenant)
        self.put("when", {"type": "integer", "range": True, "lookup": False})
        self.assertEqual(
            self.schema(),
            {
                "city": {"data_type": "keyword", "points": 1},
                "n": {"data_type": "integer", "points": 0},
                "when": {
                    "data_type": "integer",
                    "params": {"type": "integer", "range": True, "lookup": False},
                    "points": 0,
                },
                "who": {"data_type": "keyword", "params": tenant, "points": 0},
            },
        )
        self.put("city", "keyword")  # again
        self.put('"city"', "integer")  # the same field, spelled otherwise
        self.assertEqual(self.schema()['"city"'], {"data_type": "integer", "points": 1})
        self.assertNotIn("city", self.schema())
        dropped = self.ok("DELETE", self.path + "/index/city?wait=true").result
        self.assertEqual(dropped["status"], "completed")
        self.ok("DELETE", self.path + "/index/nobody")
        for field in ("n", "who"):
            self.ok("DELETE", f"{self.path}/index/{field}")
        self.assertEqual(list(self.schema()), ["when"])

    def test_paths_of_any_spelling(self):
        self.create()
        self.put("a[].b", "keyword")
        self.put('"ключ".x', "keyword")
        self.ok("DELETE", self.path + "/index/a%5B%5D.b")
        self.ok("DELETE", self.path + "/index/%22%D0%BA%D0%BB%D1%8E%D1%87%22.x")
        self.assertEqual(self.schema(), {})

    def test_answers_are_the_same_before_and_after(self):
        self.fill()
        before = self.answers()
        kinds = {"city": "keyword", "tags": "keyword", "n": "integer", "mixed": "integer", "o.k": "keyword"}
        kinds |= {"f": "float", "b": "bool", "d": "datetime", "u": "uuid", "g": "geo"}
        for field, kind in kinds.items():
            self.put(field, kind)
        self.assertEqual(self.answers(), before)
        wait_until(lambda: self.info()["status"] == "green")
        reached = {field: entry["points"] for field, entry in self.schema().items()}
        self.assertEqual(reached, dict.fromkeys(kinds, POINTS))
        self.assertEqual(self.answers(), before)
        self.ok("POST", self.path + "/points/delete?wait=true", {"filter": FILTERS[0]})
        self.assertEqual(self.answers()[0][0], 0)
        self.assertEqual(self.info()["points_count"], POINTS - before[0][0])
        self.upsert([{"id": 3, "vector": [1, 1, 1, 1], "payload": {"city": "c3"}}])
        self.assertEqual(self.answers()[0][0], 1)

    def test_kill_9_right_after_the_answer(self):
        self.fill()
        before = self.answers()
        self.put("city", {"type": "keyword", "is_tenant": True})
        self.put("n", "integer")
        self.ok("DELETE", self.path + "/index/n")
        self.put("o.k", "keyword")
        self.server.kill()
        self.server.start()
        schema = self.schema()
        self.assertEqual(sorted(schema), ["city", "o.k"])
        self.assertEqual(schema["city"]["params"], {"type": "keyword", "is_tenant": True})
        self.assertEqual(self.answers(), before)
        wait_until(lambda: {entry["points"] for entry in self.schema().values()} == {POINTS})
        self.assertEqual(self.answers(), before)

    def matches(self, kind, text, key="t"):
        condition = {"must": [{"key": key, "match": {kind: text}}]}
        count = self.ok("POST", self.path + "/points/count", {"filter": condition}).result["count"]
        body = {"filter": condition, "limit": POINTS}
        page = self.ok("POST", self.path + "/points/scroll", body).result["points"]
        self.assertEqual(len(page), count)
        query = {"query": [1, 2, 3, 4], "filter": condition, "limit": POINTS, "params": {"exact": True}}
        self.assertEqual({hit["id"] for hit in self.query(query)}, {point["id"] for point in page})
        return {point["id"] for point in page}

    def fill_texts(self):
        self.create()
        for first in range(0, POINTS, 500):
            self.upsert(
                [
                    {"id": i, "vector": [i % 17, i % 5, i % 3, 1], "payload": {"t": self.text(i)}}
                    for i in range(first, first + 500)
                ]
            )

    @staticmethod
    def text(i):
        if i % 11 == 0:
            return [f"The running dog{i % 4}", "jumped away"]
        return f"A dog{i % 4} was jumping over the {'lazy fox' if i % 3 else 'fox, lazy as it was'}"

    def check_texts(self):
        """With English stop words and stems."""
        every = range(POINTS)
        self.assertEqual(self.matches("text", "the was"), set())
        self.assertEqual(self.matches("text", "JUMPS"), set(every))
        self.assertEqual(self.matches("text", "runs dog1"), {i for i in every if i % 11 == 0 and i % 4 == 1})
        self.assertEqual(self.matches("text", "runs jump"), {i for i in every if i % 11 == 0}, "of all values")
        some = {i for i in every if i % 11 == 0 or i % 4 == 2}
        self.assertEqual(self.matches("text_any", "wolves running dog2"), some)
        self.assertEqual(self.matches("text", "wolves running"), set())
        order = {i for i in every if i % 11 and i % 3}
        self.assertEqual(self.matches("phrase", "lazy foxes"), order)
        self.assertEqual(self.matches("phrase", "dog1 jump"), {i for i in every if i % 11 and i % 4 == 1})

    def test_texts_by_the_options_of_their_index(self):
        self.fill_texts()
        self.assertEqual(self.matches("text", "JUMPS"), set())
        self.assertEqual(len(self.matches("text", "the")), POINTS)
        params = {"type": "text", "stopwords": "english", "phrase_matching": True}
        params["stemmer"] = {"type": "snowball", "language": "english"}
        self.put("t", params)
        self.check_texts()
        wait_until(lambda: self.info()["status"] == "green")
        self.assertEqual(self.schema(), {"t": {"data_type": "text", "params": params, "points": POINTS}})
        self.check_texts()
        self.server.kill()
        self.server.start()
        self.check_texts()
        # Other options take the place of the index, at once.
        self.put("t", {"type": "text", "tokenizer": "prefix", "min_token_len": 2})
        for _ in range(2):
            self.assertEqual(self.matches("text", "jum"), set(range(POINTS)))
            self.assertEqual(self.matches("text", "runn"), {i for i in range(POINTS) if i % 11 == 0})
            self.assertEqual(self.matches("text", "j"), set())
            wait_until(lambda: self.info()["status"] == "green")
        body = {"filter": {"must": [{"key": "t", "match": {"text": "runn"}}]}}
        self.ok("POST", self.path + "/points/payload/clear?wait=true", body)
        self.assertEqual(self.matches("text", "runn"), set())
        self.ok("DELETE", self.path + "/index/t?wait=true")
        self.assertEqual(self.matches("text", "jum"), set())
        self.assertEqual(len(self.matches("text", "jumping")), POINTS - len(range(0, POINTS, 11)))

    def test_bad_options_of_texts_are_refused(self):
        self.create()
        for wrong, text in (
            ({"tokenizer": "best"}, "tokenizer"),
            ({"lowercase": 1}, "lowercase"),
            ({"stopwords": "klingon"}, "klingon"),
            ({"stopwords": {"languages": ["tamil"]}}, "tamil"),
            ({"stopwords": {"words": []}}, "stopwords"),
            ({"stopwords": 7}, "stopwords"),
            ({"stemmer": "english"}, "stemmer"),
            ({"stemmer": {"type": "snowball", "language": "hebrew"}}, "hebrew"),
            ({"min_token_len": -1}, "min_token_len"),
            ({"min_token_len": 4, "max_token_len": 3}, "max_token_len"),
            ({"phrase_matching": 1}, "phrase_matching"),
        ):
            body = {"field_name": "f", "field_schema": {"type": "text", **wrong}}
            with self.subTest(wrong=wrong):
                self.assertIn(text, self.refused(400, "PUT", self.path + "/index", body))
        for wrong in ({"scoring": 1}, {"scoring": {}}, {"scoring": {"type": "tfidf"}}):
            body = {"field_name": "f", "field_schema": {"type": "text", **wrong}}
            self.assertIn("scoring", self.refused(400, "PUT", self.path + "/index", body))
        for kind in ("text", "keyword", "float"):
            body = {"field_name": "f", "field_schema": {"type": kind, "nested": "offers"}}
            self.refused(501, "PUT", self.path + "/index", body)
        self.assertEqual(self.schema(), {})

    def test_every_type_is_kept_over_a_restart(self):
        self.create()
        params = {
            "keyword": {"is_tenant": True, "prefix": True},
            "integer": {"lookup": True, "range": False, "is_principal": True},
            "float": {"is_principal": True, "on_disk": False},
            "bool": {"on_disk": True},
            "datetime": {"is_principal": True},
            "uuid": {"is_tenant": True},
            "geo": {"memory": "cold"},
            "text": {"tokenizer": "whitespace", "on_disk": True},
        }
        for kind, given in params.items():
            self.put(kind, {"type": kind, **given})
            self.put(kind + "_plain", kind)
        self.server.kill()
        self.server.start()
        schema = self.schema()
        for kind, given in params.items():
            self.assertEqual(schema[kind], {"data_type": kind, "params": {"type": kind, **given}, "points": 0})
            self.assertEqual(schema[kind + "_plain"], {"data_type": kind, "points": 0})
        for kind, wrong in (
            ("float", {"is_principal": 1}),
            ("bool", {"on_disk": "yes"}),
            ("uuid", {"is_tenant": 1}),
            ("geo", {"memory": "warm"}),
        ):
            self.refused(400, "PUT", self.path + "/index", {"field_name": "f", "field_schema": {"type": kind, **wrong}})

    def test_bad_requests_are_refused(self):
        self.create()
        neither = {"type": "integer", "range": False, "lookup": False}
        long = {"custom": ["y" * 5000]}
        for status, body, text in (
            (400, [], "expected a JSON object"),
            (400, {"field_schema": "keyword"}, "field_name"),
            (400, {"field_name": "f"}, "field_schema"),
            (400, {"field_name": "f", "field_schema": None}, "field_schema"),
            (400, {"field_name": 7, "field_schema": "keyword"}, "field_name"),
            (400, {"field_name": "f", "field_schema": 7}, "field_schema"),
            (400, {"field_name": "f", "field_schema": {}}, "type"),
            (400, {"field_name": "f", "field_schema": "best"}, "unknown variant `best`"),
            (400, {"field_name": "f", "field_schema": {"type": "keyword", "is_tenant": 1}}, "is_tenant"),
            (422, {"field_name": "f", "field_schema": neither}, "both disabled"),
            (422, {"field_name": "a[", "field_schema": "keyword"}, "a["),
            (422, {"field_name": "", "field_schema": "keyword"}, "payload path"),
            (422, {"field_name": "f" * 2000, "field_schema": "keyword"}, "1024"),
            (422, {"field_name": "f", "field_schema": {"type": "text", "stopwords": long}}, "4096"),
        ):
            with self.subTest(body=str(body)[:80]):
                self.assertIn(text, self.refused(status, "PUT", self.path + "/index", body))
        self.refused(422, "DELETE", self.path + "/index/a%5B")
        self.assertEqual(self.schema(), {})
        error = self.refused(404, "PUT", "/collections/nobody/index", {"field_name": "f", "field_schema": "keyword"})
        self.assertEqual(error, "Not found: Collection `nobody` doesn't exist!")
        self.refused(404, "DELETE", "/collections/nobody/index/f")
        self.refused(405, "GET", self.path + "/index")


if __name__ == "__main__":
    unittest.main()
