"""Answers in gzip, for clients that take them, and the setting that says who gets them. What zstd's say is
checked by the unit tests: the standard library can't read them."""

import gzip
import unittest

from server_process import ServerTestCase

POINTS = [{"id": i, "vector": [i, 1, 2, 3], "payload": {"text": f"passage {i} of a long text"}} for i in range(200)]


class Answers(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.create()
        self.upsert(POINTS)
        self.page = self.path + "/points/scroll"

    def asked(self, method, path, body=None, accept=None):
        """Status, headers and the bytes of the body, as they came."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.putrequest(method, path, skip_accept_encoding=True)
        if accept is not None:
            connection.putheader("accept-encoding", accept)
        connection.putheader("content-length", str(len(body or b"")))
        connection.endheaders()
        connection.send(body or b"")
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def points(self, accept):
        status, headers, body = self.asked("POST", self.page, b'{"limit": 200}', accept)
        self.assertEqual(status, 200)
        self.assertEqual(int(headers["content-length"]), len(body))
        return headers, body


class Compressed(Answers):
    arguments = ("--compression", "on")

    def test_who_takes_gzip_gets_it(self):
        headers, plain = self.points(None)
        self.assertNotIn("content-encoding", headers)
        self.assertEqual(headers["vary"], "accept-encoding")
        headers, packed = self.points("gzip, deflate")
        self.assertEqual((headers["content-encoding"], headers["vary"]), ("gzip", "accept-encoding"))
        self.assertLess(len(packed), len(plain) // 3)
        self.assertEqual(gzip.decompress(packed).split(b'"time"')[0], plain.split(b'"time"')[0])

    def test_zstd_goes_first_and_weights_count(self):
        self.assertEqual(self.points("gzip, deflate, br, zstd")[0]["content-encoding"], "zstd")
        self.assertEqual(self.points("gzip, zstd;q=0.5")[0]["content-encoding"], "gzip")
        for accept in ("identity", "gzip;q=0", "*;q=0", "br", "", "gzip;q=0.5, identity"):
            self.assertNotIn("content-encoding", self.points(accept)[0], accept)

    def test_small_answers_stay(self):
        _, headers, body = self.asked("GET", "/", accept="gzip")
        self.assertNotIn("content-encoding", headers)
        self.assertTrue(body.startswith(b"{"), body)

    def test_head_tells_the_length_that_get_would_send(self):
        _, got, body = self.asked("GET", "/openapi.json", accept="gzip")
        status, headers, nothing = self.asked("HEAD", "/openapi.json", accept="gzip")
        self.assertEqual((status, nothing), (200, b""))
        self.assertEqual(headers["content-encoding"], "gzip")
        self.assertEqual(int(headers["content-length"]), len(body))
        self.assertEqual(got, headers)

    def test_snapshots_go_as_they_are(self):
        name = self.ok("POST", self.path + "/snapshots").result["name"]
        _, headers, body = self.asked("GET", f"{self.path}/snapshots/{name}", accept="gzip")
        self.assertNotIn("content-encoding", headers)
        self.assertNotEqual(body[:2], b"\x1f\x8b")


class OnThisMachine(Answers):
    def test_nothing_is_compressed_unless_asked_for(self):
        self.assertNotIn("content-encoding", self.points("gzip, zstd")[0])


class Off(Answers):
    arguments = ("--compression", "off")

    def test_nothing_is_compressed(self):
        headers, _ = self.points("gzip, zstd")
        self.assertNotIn("content-encoding", headers)
        self.assertNotIn("vary", headers)


if __name__ == "__main__":
    unittest.main()
