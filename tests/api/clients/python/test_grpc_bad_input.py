"""What no client sends, on the gRPC port: frames that are cut off, too large or random, streams without an end or
without a reader, thousands of them at once. The server refuses, and goes on serving others. And gRPC over TLS."""

import os
import pathlib
import random
import shutil
import signal
import socket
import tempfile
import unittest
import zlib

import grpc
from qdrant_client import grpc as messages
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsStub
from qdrant_client.grpc.points_service_pb2_grpc import PointsStub
from qdrant_client.grpc.qdrant_pb2_grpc import QdrantStub

from grpc_process import start_with_grpc
from http2_frames import (
    ACK, DATA, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PING, SETTINGS, Connection, frame, headers, message)
from server_process import wait_until
from test_tls import Certificates

SEED = int(os.environ.get("AKIDB_TEST_SEED", "4711"))
STREAMS_MAX = 1000


KEY = "a-key-of-a-test-0123456789"


def field(number, content):
    """Of a message: text, bytes or another message (https://protobuf.dev/programming-guides/encoding)."""
    length, size = len(content), b""
    while length > 127:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


class Peak:
    """By how many bytes a server's resident memory grows beyond what it is."""

    def __init__(self, server):
        self.folder = pathlib.Path(f"/proc/{server.process.pid}")
        self.grown = 0

    def read(self, name):
        words = (self.folder / "status").read_text().split()
        return int(words[words.index(name + ":") + 1]) << 10

    def __enter__(self):
        (self.folder / "clear_refs").write_text("5")  # the peak, too, is what it is now
        self.before = self.read("VmRSS")
        return self

    def __exit__(self, *_):
        self.grown = self.read("VmHWM") - self.before


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.port = start_with_grpc()
        cls.addClassCleanup(cls.server.close)
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.port}")
        cls.addClassCleanup(cls.channel.close)
        cls.points = PointsStub(cls.channel)
        for name in ("c", "e", "slow"):
            cls.server.request("PUT", "/collections/" + name, {"vectors": {"size": 2, "distance": "Dot"}})
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
                connection.send(whole[:cut])
        for _ in range(200):
            with Connection(self.port) as connection:
                kind, flags, stream = chance.randrange(16), chance.randrange(256), chance.randrange(4)
                connection.send(frame(kind, flags, stream, chance.randbytes(chance.randrange(200))))
                changed = bytearray(whole)
                changed[chance.randrange(len(changed))] = chance.randrange(256)
                try:
                    connection.send(bytes(changed) + chance.randbytes(chance.randrange(100)))
                except OSError:
                    pass  # closed already

    def test_messages_above_the_limit(self):
        too_large = messages.UpsertPoints(collection_name="c" * (33 << 20))
        with self.assertRaises(grpc.RpcError) as raised:
            self.points.Upsert(too_large)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_a_stream_that_never_ends(self):
        with Connection(self.port) as connection:
            connection.send(headers(1) + frame(DATA, 0, 1, b"\0\0\x10\0\0"))
            for _ in range(100):
                connection.send(frame(DATA, 0, 1, b"\x0a"))
                self.points.Count(messages.CountPoints(collection_name="c"), timeout=60)

    def test_a_client_that_never_reads(self):
        asked = messages.ScrollPoints(collection_name="c", limit=200).SerializeToString()
        with Connection(self.port) as connection:
            for stream in range(1, 401, 2):
                connection.send(headers(stream) + message(stream, asked))
            for _ in range(100):
                self.points.Count(messages.CountPoints(collection_name="c"), timeout=60)

    def test_ten_thousand_streams_are_too_many(self):
        with Connection(self.port) as connection:
            # The bound holds from here on.
            next(content for kind, _, _, content in connection.frames() if kind == SETTINGS)
            connection.send(frame(SETTINGS, ACK, 0))
            try:
                for first in range(0, 10_000, 500):
                    connection.send(b"".join(headers(2 * n + 1) for n in range(first, first + 500)))
            except OSError:
                return  # closed already
            # Ends when the server closes, which it does with those that it had taken.
            taken = {stream for kind, _, stream, _ in connection.frames() if kind == HEADERS}
        self.assertLessEqual(len(taken), STREAMS_MAX)

    def test_http_1_is_turned_away(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while plain.recv(4096):
                pass

    def test_pings_without_end_close_the_connection(self):
        with Connection(self.port) as connection:
            for number in range(10):
                try:
                    connection.send(frame(PING, 0, 0, number.to_bytes(8, "big")))
                except OSError:
                    break  # closed already
            for kind, _, _, content in connection.frames():
                if kind == GOAWAY:
                    self.assertEqual(int.from_bytes(content[4:8], "big"), ENHANCE_YOUR_CALM)
                    break
            else:
                self.fail("the connection ended without a word")

    def test_prefetches_nest_64_deep(self):
        def nested(depth):
            nearest = messages.VectorInput(dense=messages.DenseVector(data=[1, 2]))
            query = field(2, messages.Query(nearest=nearest).SerializeToString())
            content = b""
            for _ in range(depth):
                content = field(1, content + query) if content else field(1, query)
            # The outermost is a field of the request, with another number.
            return field(1, b"c") + b"\x12" + content[1:] + field(3, query[2:])

        call = self.channel.unary_unary("/qdrant.Points/Query", request_serializer=lambda b: b,
                                        response_deserializer=messages.QueryResponse.FromString)
        self.assertEqual(len(call(nested(64), timeout=60).result), 10)
        for depth in (65, 120, 400, 3000):
            with self.assertRaises(grpc.RpcError) as raised:
                call(nested(depth), timeout=60)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    def test_oneofs_that_are_not_given_and_unknown_words_are_refused(self):
        query, condition, point = messages.Query, messages.Condition, messages.PointStruct
        no_input, no_expression = messages.VectorInput(), messages.Expression()

        def batch(**operation):
            return messages.UpdateBatchPoints(
                collection_name="c", operations=[messages.PointsUpdateOperation(**operation)])

        queries = [
            query(), query(nearest=no_input), query(recommend=messages.RecommendInput(positive=[no_input])),
            query(discover=messages.DiscoverInput(target=no_input)),
            query(context=messages.ContextInput(pairs=[messages.ContextInputPair()])),
            query(formula=messages.Formula()), query(formula=messages.Formula(expression=no_expression)),
            query(nearest_with_mmr=messages.NearestInputWithMmr(mmr=messages.Mmr())),
            query(relevance_feedback=messages.RelevanceFeedbackInput(target=no_input)),
            query(order_by=messages.OrderBy(key="n", start_from=messages.StartFrom())),
        ]
        filters = [
            condition(), condition(field=messages.FieldCondition(key="n", match=messages.Match())),
            condition(has_id=messages.HasIdCondition(has_id=[messages.PointId()])),
        ]
        nothing = messages.PointsSelector()
        cases = [(self.points.Query, messages.QueryPoints(collection_name="c", query=one)) for one in queries]
        cases += [(self.points.Scroll, messages.ScrollPoints(collection_name="c", filter=messages.Filter(must=[one])))
                  for one in filters]
        strange = messages.ReadConsistency(type=9)
        cases += [
            (self.points.Count, messages.CountPoints(
                collection_name="c", read_consistency=messages.ReadConsistency())),
            (self.points.QueryBatch, messages.QueryBatchPoints(collection_name="c", read_consistency=strange)),
            (self.points.SearchBatch, messages.SearchBatchPoints(collection_name="c", read_consistency=strange)),
            (self.points.RecommendBatch, messages.RecommendBatchPoints(collection_name="c", read_consistency=strange)),
            (self.points.DiscoverBatch, messages.DiscoverBatchPoints(collection_name="c", read_consistency=strange)),
            (self.points.Upsert, messages.UpsertPoints(collection_name="c", points=[point()])),
            (self.points.Upsert, messages.UpsertPoints(collection_name="c", points=[
                point(id=messages.PointId(num=1), vectors=messages.Vectors())])),
            (self.points.Upsert, messages.UpsertPoints(collection_name="c", points=[
                point(id=messages.PointId(num=1), vectors=messages.Vectors(vector=messages.Vector()))])),
            (self.points.Get, messages.GetPoints(collection_name="c", ids=[messages.PointId()])),
            (self.points.Delete, messages.DeletePoints(collection_name="c", points=nothing)),
            (self.points.ClearPayload, messages.ClearPayloadPoints(collection_name="c", points=nothing)),
            (self.points.SetPayload, messages.SetPayloadPoints(collection_name="c", points_selector=nothing)),
            (self.points.Discover, messages.DiscoverPoints(
                collection_name="c", limit=1, target=messages.TargetVector())),
            (self.points.UpdateBatch, batch()),
            (self.points.UpdateBatch, batch(delete_points=messages.PointsUpdateOperation.DeletePoints())),
            (self.points.CreateVectorName, messages.CreateVectorNameRequest(collection_name="c", vector_name="v")),
            (CollectionsStub(self.channel).UpdateAliases, messages.ChangeAliases(actions=[messages.AliasOperations()])),
            (CollectionsStub(self.channel).Create, messages.CreateCollection(
                collection_name="d", vectors_config=messages.VectorsConfig())),
        ]
        for call, request in cases:
            with self.subTest(str(request)), self.assertRaises(grpc.RpcError) as raised:
                call(request, timeout=60)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT, request)
            self.assertTrue(raised.exception.details())

    def refused(self, call, *arguments, **more):
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, timeout=60, **more)
        return raised.exception.code(), raised.exception.details()

    def test_a_message_of_nothing_but_parts_is_refused(self):
        for path, content in (
            ("/qdrant.Points/Upsert", field(1, b"c") + b"\x1a\0" * 8_000_000),
            ("/qdrant.Points/Count", b"\x13\x14" * 8_000_000),  # groups of no known field
            ("/akidb.v1.AkidbService/Embed", b"\x12\0" * 8_000_000),
        ):
            with self.subTest(path), Peak(self.server) as peak:
                code, text = self.refused(self.channel.unary_unary(path), content)
                self.assertEqual(code, grpc.StatusCode.RESOURCE_EXHAUSTED)
                self.assertIn("send them in several messages", text)
            self.assertLess(peak.grown, 300 << 20)
        ingest = self.channel.stream_stream("/akidb.v1.AkidbService/Ingest")
        parts = [field(1, field(1, b"c")), field(2, b"\x08\x01" + b"\x12\0" * 8_000_000)]
        code, text = self.refused(lambda *given, **more: list(ingest(*given, **more)), iter(parts))
        self.assertEqual(code, grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertIn("send them in several messages", text)

    def test_large_messages_of_usual_parts_are_taken(self):
        ids = [messages.PointId(num=1_000_000_000 + i) for i in range(1_000_000)]
        self.points.Delete(messages.DeletePoints(
            collection_name="c", points=messages.PointsSelector(points=messages.PointsIdsList(ids=ids))), timeout=60)
        value = messages.Value(string_value="some words")
        point = lambda i: messages.PointStruct(
            id=messages.PointId(num=i + 1), payload={f"key_{k}": value for k in range(20)},
            vectors=messages.Vectors(vector=messages.Vector(dense=messages.DenseVector(data=[1, i]))))
        points = [point(i % 200) for i in range(20_000)]  # 11 MB
        self.points.Upsert(messages.UpsertPoints(collection_name="e", points=points), timeout=60)

    def test_compressed_messages_are_unpacked_within_a_bound(self):
        pack, packed = zlib.compressobj(9, zlib.DEFLATED, 31), b""
        for _ in range(64):
            packed += pack.compress(b"\0" * (1 << 24))
        packed += pack.flush()
        count = messages.CountPoints(collection_name="c")
        code, text = self.refused(self.points.Count, count, compression=grpc.Compression.Deflate)
        self.assertEqual(code, grpc.StatusCode.UNIMPLEMENTED, text)
        count.collection_name = "no such " * 200
        code, text = self.refused(self.points.Count, count, compression=grpc.Compression.Gzip)
        self.assertEqual(code, grpc.StatusCode.NOT_FOUND, text)
        count.collection_name = "x" * (33 << 20)
        code, text = self.refused(self.points.Count, count, compression=grpc.Compression.Gzip)
        self.assertEqual((code, "in gzip" in text), (grpc.StatusCode.RESOURCE_EXHAUSTED, True), text)
        with Peak(self.server) as peak, Connection(self.port) as connection:
            content = b"\x01" + len(packed).to_bytes(4, "big") + packed
            connection.send(headers(1, grpc_encoding="gzip"))
            for first in range(0, len(content), 16384):
                try:
                    connection.send(frame(DATA, 0, 1, content[first : first + 16384]))
                except OSError:
                    break
            connection.await_end(1)
        self.assertLess(peak.grown, 100 << 20)

    def test_long_names_are_told_in_part(self):
        for size in (4000, 9000, 17000, 100_000):
            name = "é" * size
            code, text = self.refused(self.points.Get, messages.GetPoints(
                collection_name="c", ids=[messages.PointId(uuid=name)]))
            self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
            self.assertTrue(text.endswith("é…"), text)
            code, _ = self.refused(self.points.Count, messages.CountPoints(collection_name=name))
            self.assertIn(code, (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT))

    def test_text_that_is_not_utf_8(self):
        code, text = self.refused(self.channel.unary_unary("/qdrant.Points/Count"), field(1, b"\xff"))
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("qdrant.CountPoints.collection_name: expected UTF-8", text)

    def test_a_filter_that_takes_long_ends_in_time(self):
        """Of 10,000 rows of 3,000 conditions each, which would take a minute, a few are looked at."""
        text = "word " * 50
        points = [{"id": i, "vector": [1, i], "payload": {"text": text}} for i in range(10_000)]
        self.server.request("PUT", "/collections/slow/points?wait=true", {"points": points})
        condition = lambda i: messages.Condition(
            field=messages.FieldCondition(key="text", match=messages.Match(text=f"n{i}")))
        slow = messages.Filter(should=[condition(i) for i in range(3000)])
        nearest = messages.Query(nearest=messages.VectorInput(dense=messages.DenseVector(data=[1, 2])))
        for call, request in (
            (self.points.Query, messages.QueryPoints(collection_name="slow", filter=slow, timeout=1, query=nearest)),
            (self.points.Count, messages.CountPoints(collection_name="slow", filter=slow, timeout=1, exact=True)),
            (self.points.Scroll, messages.ScrollPoints(collection_name="slow", filter=slow, timeout=1)),
        ):
            code, _ = self.refused(call, request)
            self.assertEqual(code, grpc.StatusCode.DEADLINE_EXCEEDED)


class WithoutAKey(unittest.TestCase):
    def test_messages_are_not_parsed(self):
        os.environ["AKIDB_API_KEY"] = KEY
        self.addCleanup(os.environ.pop, "AKIDB_API_KEY")
        server, port = start_with_grpc()
        self.addCleanup(server.close)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            with Peak(server) as peak:
                channel.unary_unary("/qdrant.Qdrant/HealthCheck")(b"\x0b\x0c" * 8_000_000, timeout=60)
            self.assertLess(peak.grown, 100 << 20)
            upsert = channel.unary_unary("/qdrant.Points/Upsert")
            ingest = channel.stream_stream("/akidb.v1.AkidbService/Ingest")
            for content in (b"\x1a\0" * 8_000_000, b"\xff" * 1000):
                for call in (upsert, lambda one, **more: list(ingest(iter([one]), **more))):
                    with Peak(server) as peak, self.assertRaises(grpc.RpcError) as raised:
                        call(content, timeout=60)
                    self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
                    self.assertLess(peak.grown, 100 << 20)


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
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            while plain.recv(4096):
                pass
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            listing = messages.ListCollectionsRequest()
            self.refused(lambda: CollectionsStub(channel).List(listing, timeout=60))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.log(), "")  # the libraries' own lines are none of ours

    def test_a_renewed_certificate_is_taken_by_new_connections(self):
        for suffix in ("pem", "key"):
            shutil.copy(self.path("server." + suffix), self.path("renewed." + suffix))
        given = ("--tls-cert", self.path("renewed.pem"), "--tls-key", self.path("renewed.key"))
        server, port = start_with_grpc(*given, "--log-level", "info")
        self.addCleanup(server.close)
        credentials = grpc.ssl_channel_credentials(self.read("ca.pem"))
        before = grpc.secure_channel(f"127.0.0.1:{port}", credentials)
        self.addCleanup(before.close)
        ask = lambda: QdrantStub(before).HealthCheck(messages.HealthCheckRequest(), timeout=60).title
        self.assertEqual(ask(), "akidb")
        self.assertEqual(self.subject(port), "server")
        pathlib.Path(self.path("renewed.pem")).write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "tls_not_renewed" in server.log())
        self.assertEqual(self.subject(port), "server")
        for suffix in ("pem", "key"):
            shutil.copy(self.path("client." + suffix), self.path("renewed." + suffix))
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "tls_renewed" in server.log())
        self.assertEqual(self.subject(port), "client")
        self.assertEqual(self.title(port), "akidb")
        self.assertEqual(ask(), "akidb")
        self.assertEqual(server.stop(), 0)

    def subject(self, port):
        """Who the server's certificate is for."""
        context = self.certificates.client_context()
        context.set_alpn_protocols(["h2"])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
                return dict(name[0] for name in client.getpeercert()["subject"])["commonName"]

    def test_clients_may_have_to_show_one(self):
        server, port = start_with_grpc(*self.given, "--tls-ca", self.path("ca.pem"))
        self.addCleanup(server.close)
        self.assertEqual(self.title(port, shown="client"), "akidb")
        self.refused(lambda: self.title(port, shown="stranger"))
        self.refused(lambda: self.title(port))


if __name__ == "__main__":
    unittest.main()
