"""Whatever is wrong gets one clear error body and leaves what was stored untouched."""

import socket
import unittest

from server_process import ServerTestCase

MiB = 1 << 20


class BadInput(ServerTestCase):
    environment = {"AKIDB_BODY_BYTES_MAX": str(2 * MiB)}

    def setUp(self):
        super().setUp()
        self.create({"": {"size": 4, "distance": "Dot"}, "named": {"size": 2, "distance": "Cosine"}})
        self.upsert([{"id": 1, "vector": [1, 2, 3, 4], "payload": {"kept": True}}])
        self.points = self.path + "/points"

    def tearDown(self):
        # Nothing of what was refused may have been stored, and the server still answers.
        records = self.ok("POST", self.points + "/scroll", {"with_vector": True}).result["points"]
        self.assertEqual(records, [{"id": 1, "payload": {"kept": True}, "vector": [1.0, 2.0, 3.0, 4.0]}])

    def refused_point(self, status, text):
        """The error of upserting the point whose JSON is `text`, with and without waiting."""
        body = ('{"points":[' + text + "]}").encode()
        for wait in ("false", "true"):
            error = self.refused(status, "PUT", f"{self.points}?wait={wait}", body)
        return error

    def test_malformed_and_truncated_json(self):
        for body in (b"", b"{", b'{"points":[', b"nonsense", b'{"points":[{"id":2,"vector":[1,2,3,4]}', b"\xff\xfe"):
            with self.subTest(body=body):
                error = self.refused(400, "PUT", self.points, body)
                self.assertTrue(error.startswith("Format error in JSON body: "), error)

    def test_deep_json(self):
        filters = b'{"filter":' + b'{"must":[' * 100 + b"]}" * 100 + b"}"
        self.assertIn("64 deep", self.refused(400, "POST", self.points + "/count", filters))
        arrays = b"[" * 100 + b"]" * 100
        self.refused(400, "PUT", self.points, arrays)
        self.assertIn("256 levels", self.refused(400, "PUT", self.points, b"[" * 100000 + b"]" * 100000))

    def test_a_body_over_the_limit_is_refused_before_it_is_sent(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as client:
            client.sendall(
                f"PUT {self.points} HTTP/1.1\r\nhost: x\r\ncontent-length: {64 * MiB}\r\n\r\n".encode()
            )
            answer = client.recv(65536).decode()
        self.assertTrue(answer.startswith(("HTTP/1.1 413", "HTTP/1.1 400")), answer)

    def test_wrong_dimension(self):
        for vector, got in (("[1,2,3]", 3), ("[1,2,3,4,5]", 5), ("[]", 0)):
            error = self.refused_point(400, '{"id":2,"vector":' + vector + "}")
            self.assertEqual(error, f"Wrong input: Vector dimension error: expected dim: 4, got {got}")
        error = self.refused(400, "POST", self.points + "/query", {"query": [1, 2]})
        self.assertEqual(error, "Wrong input: Vector dimension error: expected dim: 4, got 2")

    def test_numbers_that_no_vector_can_hold(self):
        for number in ("NaN", "Infinity", "-Infinity", "1e39", "1e999", "null", '"1"'):
            with self.subTest(number=number):
                self.refused_point(400, f'{{"id":2,"vector":[{number},2,3,4]}}')

    def test_one_wrong_point_refuses_the_whole_batch(self):
        self.refused_point(400, '{"id":2,"vector":[1,2,3,4]},{"id":3,"vector":[1]}')

    def test_unknown_collection(self):
        for method, path, body in (
            ("PUT", "/points", {"points": []}),
            ("POST", "/points", {"ids": [1]}),
            ("POST", "/points/delete", {"points": [1]}),
            ("POST", "/points/query", {"query": [1]}),
            ("POST", "/points/scroll", {}),
            ("POST", "/points/count", {}),
            ("GET", "/points/1", None),
        ):
            error = self.refused(404, method, "/collections/nobody" + path, body)
            self.assertEqual(error, "Not found: Collection `nobody` doesn't exist!")

    def test_unknown_model_and_vector_name(self):
        error = self.refused_point(400, '{"id":2,"vector":{"text":"x","model":"no/such-model"}}')
        self.assertIn("no/such-model", error)
        self.assertFalse(error.startswith("Wrong input"), error)
        error = self.refused_point(400, '{"id":2,"vector":{"nobody":[1,2]}}')
        self.assertEqual(error, "Wrong input: Not existing vector name error: nobody")

    def test_unknown_keys_in_filters(self):
        for clause in ({"musst": []}, {"must": [{"key": "a", "mach": {"value": 1}}]}, {"must": [{"kee": "a"}]}):
            error = self.refused(400, "POST", self.points + "/count", {"filter": clause})
            self.assertTrue(error.startswith("Format error in JSON body: "), error)
        error = self.refused(422, "POST", self.points + "/count", {"filter": {"must": [{"key": "a"}]}})
        self.assertTrue(error.startswith("Validation error in JSON body: ["), error)

    def test_ids_that_are_none(self):
        for id in ("18446744073709551616", "-1", "1.5", '"not-a-uuid"', "null", "true", "[]"):
            with self.subTest(id=id):
                self.refused_point(400, f'{{"id":{id},"vector":[1,2,3,4]}}')
        error = self.refused(400, "GET", self.points + "/not-a-uuid")
        self.assertEqual(error, 'Wrong input: Can not recognize "not-a-uuid" as point id')

    def test_limits_of_numbers(self):
        error = self.refused(422, "POST", self.points + "/query", {"query": [1, 2, 3, 4], "limit": 0})
        self.assertEqual(error, "Validation error in JSON body: [limit: value 0 invalid, must be 1 or larger]")
        self.refused(400, "POST", self.points + "/query", {"query": [1, 2, 3, 4], "limit": -1})
        self.refused(400, "POST", self.points + "/scroll", {"limit": 1.5})

    def test_query_parameters(self):
        self.assertIn("wait", self.refused(400, "PUT", self.points + "?wait=perhaps", {"points": []}))
        self.assertIn("timeout", self.refused(400, "POST", self.points + "/count?timeout=x", {}))

    def test_where_an_order_starts(self):
        for start in ("soon", "2020-13-01", True, [], {}):
            body = {"query": {"order_by": {"key": "k", "start_from": start}}}
            self.assertIn("query.order_by.start_from", self.refused(400, "POST", self.points + "/query", body))

    def raw(self, request):
        """The status line of the answer to raw bytes; empty when the server just closes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as client:
            try:
                client.sendall(request)
                return client.recv(65536).decode("latin-1").split("\r\n", 1)[0]
            except (ConnectionResetError, BrokenPipeError):
                return ""

    def test_a_header_of_one_megabyte(self):
        line = self.raw(b"GET / HTTP/1.1\r\nhost: x\r\nx-large: " + b"a" * MiB + b"\r\n\r\n")
        self.assertTrue(line == "" or line.startswith(("HTTP/1.1 431", "HTTP/1.1 400")), line)

    def test_what_is_no_http(self):
        line = self.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no http at all\r\n\r\n")
        self.assertTrue(line == "" or line.startswith("HTTP/1.1 400"), line)

    def test_transfer_encodings_that_nobody_decodes(self):
        for coding in (b"gzip, chunked", b"deflate, gzip, chunked"):
            line = self.raw(b"PUT /collections/c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: " + coding + b"\r\n\r\n")
            self.assertTrue(line.startswith("HTTP/1.1 501 "), line)


if __name__ == "__main__":
    unittest.main()
