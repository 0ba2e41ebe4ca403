"""Keys: every route, with none, a wrong one, one that reads and ones that write."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from server_process import ROOT, ServerTestCase, binary, program_environment

FULL, OTHER, READER = "full-0123456789", "other-0123456789", "reader-0123456789"
ROUTE = re.compile(r'\{"(\w+)", "([^"]+)"(?:, Right::(\w+))?')
MISSING = "Must provide an API key or an Authorization bearer token"
WRONG = "Invalid API key or JWT"
FORBIDDEN = "Forbidden: Global manage access is required"


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
                if right == "kWrite":
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


if __name__ == "__main__":
    unittest.main()
