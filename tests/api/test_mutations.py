"""One thing wrong in each field of each operation's body, generated from /openapi.json: every such body is
refused with 400 or 422 and the path of the field, and every field takes a valid value.

AKIDB_MUTATIONS=path shows what is sent where the path of the field contains that text.
"""

import json
import os
import unittest

from request_bodies import COLLECTION, Schemas, fill_collection, make_collection, places, shown_path
from server_process import ServerTestCase

SHOWN = os.environ.get("AKIDB_MUTATIONS")
# A number that no double holds, and nesting beyond the limit: refused before anything is known of fields.
BEFORE_FIELDS = (("1e400", "1e400"), ("too deep", "[" * 300 + "]" * 300))
# Operations that would change what others need.
NAMES = {"create_collection": "made_here", "update_collection": "changed", "create_vector": "changed"}
# What does not fit this collection, though the field takes it: by the end of the path, and the text.
UNFIT = (("matryoshka", "expected numbers from 64 to 4"),)


class Mutations(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_collection(cls.server)
        make_collection(cls.server, "changed")
        cls.schemas = Schemas(cls.server.request("GET", "/openapi.json").json)
        cls.connection = cls.server.connect()
        cls.addClassCleanup(cls.connection.close)

    def send(self, method, path, text):
        """Over one connection, which takes a quarter of the time."""
        self.connection.request(method, path, body=text.encode(), headers={"content-type": "application/json"})
        response = self.connection.getresponse()
        return response.status, response.read().decode()

    def operations(self):
        for method, path, operation in self.schemas.operations():
            body = self.schemas.body_of(operation)
            if body is None:
                continue
            name = operation["operationId"]
            path = path.replace("{collection_name}", NAMES.get(name, COLLECTION))
            path = path.replace("{vector_name}", "added")
            yield name, method, path, list(places(self.schemas, body))

    @staticmethod
    def error_of(answer):
        answer = json.loads(answer)
        return answer["error"]["message"] if "error" in answer else answer["status"]["error"]

    def check_refused(self, answer, place, what):
        status, text = answer
        null_alone = self.schemas.types(place.schema) == {"null"}
        self.assertIn(status, (400, 422, 501) if null_alone else (400, 422), f"{what}: {text}")
        self.check_path(place.path, self.error_of(text), what == "null" or status == 501)

    def check_path(self, path, error, missing):
        """The error names the field: by its path, or by its name and the path of what it is in; or that alone where
        null is as good as nothing."""
        if not path or shown_path(path) in error:
            return
        self.assertIn(shown_path(path[:-1]), error)
        if not missing:
            self.assertIn(f"`{path[-1]}`", error)

    def test_each_wrong_value_is_refused(self):
        count = 0
        for name, method, path, all_places in self.operations():
            for place in all_places:
                for what, value in place.wrong_values():
                    where = shown_path(place.path)
                    with self.subTest(operation=name, path=where, what=what):
                        body = json.dumps(place.replace(value))
                        if SHOWN and SHOWN in where:
                            print(body)
                        self.check_refused(self.send(method, path, body), place, what)
                        count += 1
        print(f"{count} mutations")
        self.assertGreater(count, 5000)

    def test_what_no_field_can_be(self):
        for name, method, path, all_places in self.operations():
            for place in all_places:
                for what, text in BEFORE_FIELDS:
                    with self.subTest(operation=name, path=shown_path(place.path), what=what):
                        body = json.dumps(place.replace("\x00")).replace('"\\u0000"', text)
                        status, answer = self.send(method, path, body)
                        self.assertEqual(status, 400, answer)

    def test_each_field_takes_a_valid_value(self):
        """Refused it may be all the same, for what the collection is: not for its form."""
        for name, method, path, all_places in self.operations():
            fill_collection(self.server)
            for place in all_places:
                for option in self.schemas.options(place.schema):
                    with self.subTest(operation=name, path=shown_path(place.path)):
                        body = json.dumps(place.replace(self.schemas.example(option)))
                        status, answer = self.send(method, path, body)
                        where = shown_path(place.path)
                        if any(end in where and text in answer for end, text in UNFIT):
                            continue
                        self.assertNotIn(status, (422, 500, 501), f"{body}: {answer}")
                        if status != 200:
                            self.assertNotIn("Format error", self.error_of(answer), body)

    def test_each_optional_field_may_be_null(self):
        for name, method, path, all_places in self.operations():
            fill_collection(self.server)
            for place in all_places:
                if not place.nullable:
                    continue
                with self.subTest(operation=name, path=shown_path(place.path)):
                    status, answer = self.send(method, path, json.dumps(place.replace(None)))
                    self.assertLess(status, 500, answer)

    def test_fields_that_nobody_knows(self):
        """Are passed over at the top of a body."""
        for name, method, path, all_places in self.operations():
            body = all_places[0]
            for option in self.schemas.options(body.schema):
                if option.get("additionalProperties") is False:
                    continue
                fill_collection(self.server)
                with self.subTest(operation=name):
                    status, answer = self.send(method, path, json.dumps(
                        {**self.schemas.example(option), "no such key": 1}))
                    # A model, a file.
                    missing = name in ("create_embeddings", "tokenize", "detokenize", "recover_from_snapshot")
                    self.assertIn(status, (200, 400) if missing else (200, 409), answer)


if __name__ == "__main__":
    unittest.main()
