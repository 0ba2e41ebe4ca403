"""What no client sends, on the gRPC port: frames that are cut off, too large or random, streams without an end or
without a reader, thousands of them at once. The server refuses, and goes on serving others. And gRPC over TLS."""

import os
import random
import shutil
import socket
import struct
import tempfile
import unittest

import grpc
from qdrant_client import grpc as messages
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsStub
from qdrant_client.grpc.points_service_pb2_grpc import PointsStub
from qdrant_client.grpc.qdrant_pb2_grpc import QdrantStub

from grpc_process import start_with_grpc
from test_tls import Certificates

SEED = int(os.environ.get("AKIDB_TEST_SEED", "4711"))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Types of frames and flags: RFC 9113, 6.
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
STREAMS_MAX = 1000


def frame(kind, flags, stream, content=b""):
    return struct.pack(">I", len(content))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + content


def headers(stream, path="/qdrant.Points/Scroll"):
    """Literal fields without indexing (RFC 7541, 6.2.2)."""
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "te": "trailers",
              "content-type": "application/grpc"}
    block = b"".join(b"\0" + bytes([len(k)]) + k.encode() + bytes([len(v)]) + v.encode() for k, v in fields.items())
    return frame(HEADERS, END_HEADERS, stream, block)


class Connection:
    """HTTP/2 by hand."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.received = b""
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frames(self):
        """(type, stream, content) until the server closes."""
        while True:
            while len(self.received) >= 9:
                length = int.from_bytes(self.received[:3], "big")
                if len(self.received) < 9 + length:
                    break
                kind, stream = self.received[3], int.from_bytes(self.received[5:9], "big")
                content, self.received = self.received[9 : 9 + length], self.received[9 + length :]
                yield kind, stream, content
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not more:
                return
            self.received += more


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.port = start_with_grpc()
        cls.addClassCleanup(cls.server.close)
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.port}")
        cls.addClassCleanup(cls.channel.close)
        cls.points = PointsStub(cls.channel)
        cls.server.request("PUT", "/collections/c", {"vectors": {"size": 2, "distance": "Dot"}})
        points = [{"id": i, "vector": [1, i], "payload": {"text": "x" * 1000}} for i in range(200)]
        cls.server.request("PUT", "/collections/c/points?wait=true", {"points": points})

    def tearDown(self):
        """Others are served as ever."""
        self.assertEqual(self.points.Count(messages.CountPoints(collection_name="c"), timeout=60).result.count, 200)

    def test_cut_off_and_random_frames(self):
        print(f"AKIDB_TEST_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        whole = headers(1) + frame(DATA, END_STREAM, 1, b"\0\0\0\0\3\x0a\1c")
        for cut in range(0, len(whole), 7):
            with Connection(self.port) as connection:
                connection.socket.sendall(whole[:cut])
        for _ in range(200):
            with Connection(self.port) as connection:
                kind, flags, stream = chance.randrange(16), chance.randrange(256), chance.randrange(4)
                connection.socket.sendall(frame(kind, flags, stream, chance.randbytes(chance.randrange(200))))
                changed = bytearray(whole)
                changed[chance.randrange(len(changed))] = chance.randrange(256)
                try:
                    connection.socket.sendall(bytes(changed) + chance.randbytes(chance.randrange(100)))
                except OSError:
                    pass  # closed already

    def test_messages_above_the_limit(self):
        too_large = messages.UpsertPoints(collection_name="c" * (33 << 20))
        with self.assertRaises(grpc.RpcError) as raised:
            self.points.Upsert(too_large)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_a_stream_that_never_ends(self):
        with Connection(self.port) as connection:
            connection.socket.sendall(headers(1) + frame(DATA, 0, 1, b"\0\0\x10\0\0"))
            for _ in range(100):
                connection.socket.sendall(frame(DATA, 0, 1, b"\x0a"))
                self.points.Count(messages.CountPoints(collection_name="c"), timeout=60)

    def test_a_client_that_never_reads(self):
        asked = messages.ScrollPoints(collection_name="c", limit=200).SerializeToString()
        with Connection(self.port) as connection:
            for stream in range(1, 401, 2):
                content = b"\0" + struct.pack(">I", len(asked)) + asked
                connection.socket.sendall(headers(stream) + frame(DATA, END_STREAM, stream, content))
            for _ in range(100):
                self.points.Count(messages.CountPoints(collection_name="c"), timeout=60)

    def test_ten_thousand_streams_are_too_many(self):
        with Connection(self.port) as connection:
            # The bound holds from here on.
            next(content for kind, _, content in connection.frames() if kind == SETTINGS)
            connection.socket.sendall(frame(SETTINGS, ACK, 0))
            try:
                for first in range(0, 10_000, 500):
                    connection.socket.sendall(b"".join(headers(2 * n + 1) for n in range(first, first + 500)))
            except OSError:
                return  # closed already
            # Ends when the server closes, which it does with those that it had taken.
            taken = {stream for kind, stream, _ in connection.frames() if kind == HEADERS}
        self.assertLessEqual(len(taken), STREAMS_MAX)


class Tls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="akidb-grpc-tls-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.certificates = Certificates(folder)
        self.given = ("--tls-cert", self.path("server.pem"), "--tls-key", self.path("server.key"))

    def path(self, name):
        return self.certificates.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def title(self, port, authority="ca", shown=None):
        """Over a connection that trusts the authority, with a client's certificate or without one."""
        pair = (self.read(shown + ".key"), self.read(shown + ".pem")) if shown else (None, None)
        credentials = grpc.ssl_channel_credentials(self.read(authority + ".pem"), *pair)
        with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
            return QdrantStub(channel).HealthCheck(messages.HealthCheckRequest(), timeout=60).title

    def refused(self, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_the_certificate_is_that_of_http(self):
        server, port = start_with_grpc(*self.given)
        self.addCleanup(server.close)
        self.assertEqual(self.title(port), "akidb")
        self.refused(lambda: self.title(port, "other-ca"))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            listing = messages.ListCollectionsRequest()
            self.refused(lambda: CollectionsStub(channel).List(listing, timeout=60))

    def test_clients_may_have_to_show_one(self):
        server, port = start_with_grpc(*self.given, "--tls-ca", self.path("ca.pem"))
        self.addCleanup(server.close)
        self.assertEqual(self.title(port, shown="client"), "akidb")
        self.refused(lambda: self.title(port, shown="stranger"))
        self.refused(lambda: self.title(port))


if __name__ == "__main__":
    unittest.main()
