"""Keys: every route, with none, a wrong one, one that reads and ones that write."""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from server_process import ROOT, ServerTestCase, binary, program_environment

FULL, OTHER, READER = "full-0123456789", "other-0123456789", "reader-0123456789"
ROUTE = re.compile(r'\{"(\w+)", "([^"]+)"(?:, Right::(\w+))?')
MISSING = "Must provide an API key or an Authorization bearer token"
WRONG = "Invalid API key or JWT"
FORBIDDEN = "Forbidden: Global manage access is required"


READING_POSTS = re.compile(r"/points(/(scroll|count|query|search|recommend|discover)(/.*)?)?$|/facet$"
                           r"|^/v1/(embeddings|tokenize|detokenize)$")


def token(claims, key=FULL, header=None):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    text = part(json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode()) + "." + part(json.dumps(claims).encode())
    return text + "." + part(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())


def grants(**rights):
    return token({"access": [{"collection": name, "access": right} for name, right in rights.items()]})


def routes():
    """(method, path, right) of each, out of the table that the server routes by."""
    table = pathlib.Path(ROOT, "src", "api", "rest", "route.cc").read_text(encoding="utf-8")
    for method, pattern, right in ROUTE.findall(table):
        yield method, pattern.replace("{c}", "nothing").replace("{id}", "7"), right or "kRead"


class Keys(ServerTestCase):
    environment = {"AKIDB_API_KEY": FULL, "AKIDB_ALT_API_KEY": OTHER, "AKIDB_READ_ONLY_API_KEY": READER}

    def ask(self, method, path, headers=None):
        # A body that no operation takes: nothing is changed.
        body = None if method == "GET" else {"no": "thing"}
        return self.server.request(method, path, body, headers=headers or {})

    def test_every_route_and_right(self):
        count = 0
        for method, path, right in routes():
            with self.subTest(method=method, path=path):
                count += 1
                replies = {key: self.ask(method, path, {"api-key": key} if key else {})
                           for key in ("", "wrong", READER, FULL, OTHER)}
                found = {key: reply.status for key, reply in replies.items()}
                if right == "kOpen":
                    self.assertEqual(set(found.values()), {200}, found)
                    continue
                self.assertEqual((found[""], found["wrong"]), (401, 401))
                for key in (FULL, OTHER):
                    self.assertNotIn(found[key], (401, 403, 500))
                if right in ("kWrite", "kExtend", "kManage"):
                    self.assertEqual(found[READER], 403)
                    self.assertEqual(replies[READER].error, FORBIDDEN)
                else:
                    self.assertEqual(found[READER], found[FULL])
        self.assertGreater(count, 60)

    def test_the_texts_of_refusals(self):
        missing = self.ask("GET", "/collections")
        self.assertEqual((missing.text, missing.headers["content-type"]), (MISSING, "text/plain; charset=utf-8"))
        self.assertEqual(self.ask("GET", "/collections", {"api-key": "wrong"}).text, WRONG)
        self.assertEqual(self.ask("GET", "/no/such/path").status, 401)
        embeddings = self.ask("POST", "/v1/embeddings")
        self.assertEqual((embeddings.status, embeddings.json["error"]["message"]), (401, MISSING))

    def test_bearer_tokens_are_keys_too(self):
        for value, status in ((f"Bearer {FULL}", 200), (f"bearer {READER}", 200), (f"Basic {FULL}", 401),
                              (FULL, 401), ("Bearer ", 401)):
            self.assertEqual(self.ask("GET", "/collections", {"authorization": value}).status, status, value)
        # The header of its own wins.
        both = {"authorization": f"Bearer {FULL}", "api-key": "wrong"}
        self.assertEqual(self.ask("GET", "/collections", both).status, 401)
        self.assertEqual(self.ask("GET", "/collections", dict(reversed(both.items()))).status, 401)

    def test_the_next_request_of_a_connection_carries_its_own_key(self):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        for headers, status in (({"api-key": FULL}, 200), ({}, 401), ({"authorization": f"Bearer {READER}"}, 200),
                                ({"authorization": "Basic x"}, 401)):
            connection.request("GET", "/collections", headers=headers)
            reply = connection.getresponse()
            reply.read()
            self.assertEqual(reply.status, status, headers)

    def test_a_page_is_told_what_it_may_send(self):
        reply = self.server.request("OPTIONS", "/collections", None, headers={
            "origin": "http://localhost:3000", "access-control-request-method": "GET"})
        self.assertEqual(reply.status, 200)
        self.assertIn("api-key", reply.headers["access-control-allow-headers"])


class Tokens(ServerTestCase):
    environment = {"AKIDB_API_KEY": FULL, "AKIDB_ALT_API_KEY": OTHER, "AKIDB_READ_ONLY_API_KEY": READER,
                   "AKIDB_JWT_RBAC": "true"}

    def ask(self, method, path, key, body=None):
        body = None if method == "GET" else body or {"no": "thing"}
        return self.server.request(method, path, body, headers={"authorization": "Bearer " + key})

    def status(self, *arguments):
        return self.ask(*arguments).status

    def test_every_route_and_right(self):
        keys = {
            "manage": token({"access": "m"}),
            "default": token({}, OTHER),
            "read": token({"access": "r"}),
            "r": grants(nothing="r"),
            "prw": grants(nothing="prw"),
            "rw": grants(nothing="rw"),
            "other": grants(other="rw", nothin="rw"),
        }
        allowed = {
            "kOpen": set(keys),
            "kAny": set(keys),
            "kRead": {"manage", "default", "read", "r", "prw", "rw"},
            "kWrite": {"manage", "default", "prw", "rw"},
            "kExtend": {"manage", "default", "rw"},
            "kManage": {"manage", "default"},
        }
        for method, path, right in routes():
            with self.subTest(method=method, path=path):
                may = allowed[right]
                if "/nothing" not in path and right == "kRead":
                    may = {"manage", "default", "read"}
                for name, key in keys.items():
                    reply = self.ask(method, path, key)
                    self.assertNotIn(reply.status, (401, 500), name)
                    self.assertEqual(reply.status != 403, name in may, (name, reply.text))
                    if reply.status == 403:
                        self.assertTrue(reply.error.startswith("Forbidden: "), reply.error)

    def test_no_route_is_easier_than_it_should_be(self):
        for method, path, right in routes():
            with self.subTest(method=method, path=path):
                if path.startswith("/snapshots"):
                    self.assertEqual(right, "kManage")  # all that there is
                elif method == "GET":
                    self.assertIn(right, ("kOpen", "kAny", "kRead"))
                elif method == "POST" and READING_POSTS.search(path):
                    self.assertIn(right, ("kAny", "kRead"))
                elif path.startswith("/collections/nothing/points"):
                    self.assertEqual(right, "kWrite")
                elif path.startswith(("/collections/nothing/index", "/collections/nothing/vectors")):
                    self.assertEqual(right, "kExtend")
                else:
                    self.assertIn(right, ("kExtend", "kManage"))

    def test_what_is_no_token(self):
        now = int(time.time())
        for claims, key, header, status, text in (
            ({}, "another", None, 403, "InvalidSignature"),
            ({}, READER, None, 403, "InvalidSignature"),
            ({"exp": now - 40}, FULL, None, 403, "ExpiredSignature"),
            ({"exp": now + 40}, FULL, None, 200, None),
            ({"nbf": now + 100}, FULL, None, 403, "ImmatureSignature"),
            ({"nbf": now - 1}, FULL, None, 200, None),
            ({"access": "everything"}, FULL, None, 401, "Invalid JWT: `access` to everything is `r` or `m`"),
            ({}, FULL, {"alg": "none"}, 401, WRONG),
            ({}, FULL, {"alg": "HS512"}, 401, WRONG),
        ):
            reply = self.ask("GET", "/collections", token(claims, key, header))
            self.assertEqual(reply.status, status, claims)
            if text:
                self.assertEqual((reply.text, reply.headers["content-type"]), (text, "text/plain; charset=utf-8"))
        unsigned = token({}, FULL, {"alg": "none"}).rsplit(".", 1)[0] + "."
        self.assertEqual(self.status("GET", "/collections", unsigned), 401)
        self.assertEqual(self.status("GET", "/collections", "a.b.c"), 401)

    def test_texts_and_lists(self):
        for name in ("one", "two"):
            body = {"vectors": {"size": 2, "distance": "Dot"}}
            self.assertEqual(self.status("PUT", f"/collections/{name}", FULL, body), 200)
        aliases = [{"create_alias": {"collection_name": n, "alias_name": n + "-alias"}} for n in ("one", "two")]
        self.assertEqual(self.status("POST", "/collections/aliases", FULL, {"actions": aliases}), 200)
        reader = grants(one="r")
        names = [c["name"] for c in self.ask("GET", "/collections", reader).result["collections"]]
        self.assertEqual(names, ["one"])
        names = [a["collection_name"] for a in self.ask("GET", "/aliases", reader).result["aliases"]]
        self.assertEqual(names, ["one"])
        error = self.ask("GET", "/collections/two", reader).error
        self.assertEqual(error, "Forbidden: Access to collection two is required")
        error = self.ask("PUT", "/collections/one/points", reader).error
        self.assertEqual(error, "Forbidden: Write access to collection one is required")
        for path in ("/cluster", "/akidb/status"):
            self.assertEqual(self.ask("GET", path, reader).error, "Forbidden: Global access is required")
        # Access goes by the name that is used, decoded.
        self.assertEqual(self.status("GET", "/collections/one-alias", reader), 403)
        self.assertEqual(self.status("GET", "/collections/%6Fne", reader), 200)
        self.assertEqual(self.status("GET", "/collections/%zz", reader), 403)

    def test_lookups_need_access_to_the_other_collection(self):
        for name in ("left", "right"):
            body = {"vectors": {"size": 2, "distance": "Dot"}}
            self.assertEqual(self.status("PUT", f"/collections/{name}", FULL, body), 200)
            points = {"points": [{"id": 1, "vector": [1, 1], "payload": {"g": 1}}]}
            self.assertEqual(self.status("PUT", f"/collections/{name}/points?wait=true", FULL, points), 200)
        lookup = {"query": 1, "lookup_from": {"collection": "right"}}
        queries = (
            ("/points/query", lookup),
            ("/points/query", {"prefetch": [lookup], "query": [1, 1]}),
            ("/points/query/batch", {"searches": [{"query": [1, 1]}, lookup]}),
            ("/points/query/groups", {"query": [1, 1], "group_by": "g", "with_lookup": "right"}),
            ("/points/recommend", {"positive": [1], "limit": 1, "lookup_from": {"collection": "right"}}),
        )
        for path, body in queries:
            reply = self.ask("POST", "/collections/left" + path, grants(left="rw"), body)
            self.assertEqual((reply.status, reply.error), (403, "Forbidden: Access to collection right is required"))
            both = grants(left="r", right="r")
            self.assertEqual(self.status("POST", "/collections/left" + path, both, body), 200)

    def test_a_point_that_must_be_there(self):
        body = {"vectors": {"size": 2, "distance": "Dot"}}
        self.assertEqual(self.status("PUT", "/collections/users", FULL, body), 200)
        exists = {"collection": "users", "matches": [{"key": "user", "value": "ann"}, {"key": "active", "value": True}]}
        key = token({"access": "r", "value_exists": exists})
        failed = "Invalid JWT, stateful validation failed"
        for path in ("/collections", "/cluster"):
            reply = self.ask("GET", path, key)
            self.assertEqual((reply.status, reply.text), (401, failed))
        points = {"points": [{"id": 1, "vector": [1, 1], "payload": {"user": "ann", "active": True}}]}
        self.assertEqual(self.status("PUT", "/collections/users/points?wait=true", FULL, points), 200)
        for path in ("/collections", "/cluster"):
            self.assertEqual(self.status("GET", path, key), 200)
        self.assertEqual(self.status("POST", "/collections/users/points/delete?wait=true", FULL, {"points": [1]}), 200)
        self.assertEqual(self.status("GET", "/collections", key), 401)
        key = token({"access": "r", "value_exists": {"collection": "none", "matches": []}})
        reply = self.ask("GET", "/collections", key)
        self.assertEqual((reply.status, reply.text), (403, failed))


class Commands(ServerTestCase):
    environment = {"AKIDB_API_KEY": FULL}

    def search(self, *arguments, **variables):
        url = f"http://127.0.0.1:{self.server.port}"
        environment = program_environment(variables)
        if not variables:
            environment.pop("AKIDB_API_KEY", None)
        return subprocess.run([binary(), "search", "what?", "--collection", "nothing", "--url", url, *arguments],
                              env=environment, capture_output=True, text=True, timeout=60)

    def test_the_program_carries_a_key(self):
        without = self.search()
        self.assertEqual(without.returncode, 1)
        self.assertIn("--api-key", without.stderr)
        for found in (self.search("--api-key", FULL), self.search(AKIDB_API_KEY=FULL)):
            self.assertEqual(found.returncode, 1)
            self.assertIn("nothing", found.stderr)
            self.assertNotIn("--api-key", found.stderr)
        self.assertEqual(self.search("--api-key", "two words").returncode, 1)


class Start(unittest.TestCase):
    def test_keys_that_are_none_are_refused(self):
        for changes in ({"AKIDB_API_KEY": "two words"},
                        {"AKIDB_API_KEY": "same", "AKIDB_READ_ONLY_API_KEY": "same"}):
            with tempfile.TemporaryDirectory() as folder:
                served = subprocess.run([binary(), "serve", "--data-dir", folder, "--http-port", "0"],
                                        env=program_environment(changes), capture_output=True, text=True, timeout=60)
            self.assertEqual(served.returncode, 2, served.stderr)
            self.assertIn("api_key must be", served.stderr)
            for key in changes.values():
                self.assertNotIn(key, served.stderr)

    def test_tokens_need_a_key_to_be_signed_with(self):
        with tempfile.TemporaryDirectory() as folder:
            served = subprocess.run([binary(), "serve", "--data-dir", folder, "--http-port", "0"],
                                    env=program_environment({"AKIDB_READ_ONLY_API_KEY": READER, "AKIDB_JWT_RBAC": "1"}),
                                    capture_output=True, text=True, timeout=60)
        self.assertEqual(served.returncode, 2, served.stderr)
        self.assertIn("jwt_rbac needs", served.stderr)


if __name__ == "__main__":
    unittest.main()
