"""Service endpoints, routes that don't exist, and what is not served."""

import re
import unittest

from server_process import ServerTestCase


class ServiceEndpoints(ServerTestCase):
    def test_root_tells_title_version_and_commit_without_an_envelope(self):
        body = self.ok("GET", "/").json
        self.assertEqual(set(body), {"title", "version", "commit"})
        self.assertEqual(body["title"], "akidb")
        self.assertEqual(body["version"], "1.20.0")
        self.assertTrue(re.fullmatch("[0-9a-f]{40}", body["commit"]), body)

    def test_probes_answer_in_plain_text(self):
        for path in ("/healthz", "/livez", "/readyz"):
            reply = self.ok("GET", path)
            self.assertTrue(reply.headers["content-type"].startswith("text/plain"))
            self.assertTrue(reply.text)

    def test_a_trailing_slash_is_ignored(self):
        self.ok("GET", "/collections/")

    def test_cluster_is_disabled(self):
        self.assertEqual(self.ok("GET", "/cluster").result, {"status": "disabled"})

    def test_an_unknown_path_is_a_clear_404(self):
        self.assertIn("/no/such/path", self.refused(404, "GET", "/no/such/path"))

    def test_a_known_path_with_another_method_is_a_clear_405(self):
        self.assertIn("DELETE", self.refused(405, "DELETE", "/collections"))

    def test_head_is_get_without_the_body(self):
        reply = self.call("HEAD", "/")
        self.assertEqual((reply.status, reply.text), (200, ""))
        self.assertEqual(int(reply.headers["content-length"]), len(self.call("GET", "/").text))

    def test_options_names_the_methods(self):
        reply = self.call("OPTIONS", "/collections/x/points")
        self.assertEqual((reply.status, reply.text), (200, ""))
        self.assertEqual(reply.headers["allow"], "PUT, POST")
        self.assertEqual(self.call("OPTIONS", "/no/such/path").status, 404)

    def test_405_names_the_methods(self):
        self.assertEqual(self.call("PATCH", "/collections/x/points").headers["allow"], "PUT, POST")

    def test_a_broken_path_is_refused(self):
        self.assertIn("%zz", self.refused(400, "GET", "/collections/%zz"))
        self.assertIn("UTF-8", self.refused(400, "GET", "/collections/%ff"))

    def test_pages_of_this_machine_alone_may_read(self):
        for origin in ("http://localhost:3000", "http://127.0.0.1", "https://[::1]:8"):
            reply = self.call("GET", "/collections", headers={"origin": origin})
            self.assertEqual(reply.headers["access-control-allow-origin"], origin)
        for origin in ("http://localhost.example", "https://example.org", "null"):
            reply = self.call("GET", "/collections", headers={"origin": origin})
            self.assertNotIn("access-control-allow-origin", reply.headers)

    def test_a_preflight_is_answered(self):
        for origin, status in (("https://example.org", 403), ("null", 403), ("http://localhost:1", 404)):
            headers = {"origin": origin, "content-type": "text/plain"}
            reply = self.call("POST", "/collections/none/points/delete", {"points": [1]}, headers=headers)
            self.assertEqual(reply.status, status, reply.text)
        headers = {"origin": "http://pages.example:6333", "host": "pages.example:6333"}
        self.assertEqual(self.call("POST", "/collections/none/points/count", {}, headers=headers).status, 404)
        headers = {"origin": "http://localhost:3000", "access-control-request-method": "PUT"}
        reply = self.call("OPTIONS", "/collections/x/points", headers=headers)
        self.assertIn("PUT", reply.headers["access-control-allow-methods"])
        self.assertIn("api-key", reply.headers["access-control-allow-headers"])


class OpenToAllPages(ServerTestCase):
    environment = {"AKIDB_CORS": "any"}

    def test_any_page_may_read(self):
        for path in ("/", "/collections", "/no/such/path"):
            reply = self.call("GET", path, headers={"origin": "https://example.org"})
            self.assertEqual(reply.headers["access-control-allow-origin"], "https://example.org")


class OwnTitle(ServerTestCase):
    environment = {"AKIDB_TITLE": "our vectors"}

    def test_title_is_a_setting(self):
        self.assertEqual(self.ok("GET", "/").json["title"], "our vectors")


if __name__ == "__main__":
    unittest.main()
