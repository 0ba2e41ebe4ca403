"""The official Python client over gRPC, unmodified, against the real server; and calls that no client makes."""

import os
import socket
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))

import grpc  # noqa: E402
from qdrant_client import QdrantClient, grpc as messages, models  # noqa: E402
from qdrant_client.grpc.points_service_pb2_grpc import PointsStub  # noqa: E402
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsStub  # noqa: E402
from qdrant_client.grpc.qdrant_pb2_grpc import QdrantStub  # noqa: E402

from grpc_process import start_with_grpc  # noqa: E402
from server_process import Server, binary, model_missing, program_environment  # noqa: E402

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
HEX_ID = uuid.UUID("936da01f-9abd-4d9d-80c7-02af85c822a8")


def shown(points):
    return [(p.id, round(p.score, 5)) for p in points]


def match(key, value):
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


class PythonGrpcClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.port = start_with_grpc()
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.connect()
        cls.rest = QdrantClient(url=f"http://127.0.0.1:{cls.server.port}", timeout=60)
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.port}")
        cls.points = PointsStub(cls.channel)
        for close in (cls.client.close, cls.rest.close, cls.channel.close):
            cls.addClassCleanup(close)

    @classmethod
    def connect(cls, **options):
        return QdrantClient(
            host="127.0.0.1", port=cls.server.port, grpc_port=cls.port, prefer_grpc=True,
            https=False, cloud_inference=True, timeout=60, **options
        )

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1]

    def fill(self):
        self.client.create_collection(
            self.name, vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT)
        )
        points = [
            models.PointStruct(id=1, vector=[1, 0], payload={"colour": "red", "n": 1}),
            models.PointStruct(id=2, vector=[0, 1], payload={"colour": "green", "n": 2}),
            models.PointStruct(id=HEX_ID.hex, vector=[2, 2], payload={"colour": "red", "n": 3}),
        ]
        result = self.client.upsert(self.name, points=points, wait=True)
        self.assertEqual(result.status, models.UpdateStatus.COMPLETED)

    def refused(self, code, call, *arguments, **options):
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, **options)
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        return raised.exception.details()

    def test_health(self):
        reply = QdrantStub(self.channel).HealthCheck(messages.HealthCheckRequest())
        self.assertEqual((reply.title, reply.version), ("akidb", "1.20.0"))

    def test_collections(self):
        self.assertFalse(self.client.collection_exists(self.name))
        self.fill()
        self.assertTrue(self.client.collection_exists(self.name))
        self.assertIn(self.name, [c.name for c in self.client.get_collections().collections])
        info = self.client.get_collection(self.name)
        self.assertEqual(info.status, models.CollectionStatus.GREEN)
        self.assertEqual(info.points_count, 3)
        self.assertEqual(info.config.params.vectors.size, 2)
        self.assertEqual(info.config.params.vectors.distance, models.Distance.DOT)
        self.assertEqual(info.config.hnsw_config.m, 16)
        details = self.refused(grpc.StatusCode.ALREADY_EXISTS, self.fill)
        self.assertEqual(details, f"Wrong input: Collection `{self.name}` already exists!")
        self.assertTrue(self.client.delete_collection(self.name))
        details = self.refused(grpc.StatusCode.NOT_FOUND, self.client.get_collection, self.name)
        self.assertEqual(details, f"Not found: Collection `{self.name}` doesn't exist!")

    def test_every_option_of_a_collection_comes_back_as_over_rest(self):
        self.client.create_collection(
            self.name,
            vectors_config={
                "text": models.VectorParams(
                    size=4, distance=models.Distance.COSINE, datatype=models.Datatype.FLOAT16,
                    hnsw_config=models.HnswConfigDiff(m=8, ef_construct=50),
                    quantization_config=models.ScalarQuantization(
                        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.75)),
                ),
                "rows": models.VectorParams(
                    size=3, distance=models.Distance.EUCLID, on_disk=True,
                    multivector_config=models.MultiVectorConfig(
                        comparator=models.MultiVectorComparator.MAX_SIM),
                ),
            },
            sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
            hnsw_config=models.HnswConfigDiff(payload_m=4),
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=5, max_optimization_threads=2),
            quantization_config=models.BinaryQuantization(
                binary=models.BinaryQuantizationConfig(
                    encoding=models.BinaryQuantizationEncoding.TWO_BITS,
                    query_encoding=models.BinaryQuantizationQueryEncoding.SCALAR4BITS)),
            strict_mode_config=models.StrictModeConfig(
                enabled=True, max_query_limit=7,
                multivector_config={"rows": models.StrictModeMultivector(max_vectors=5)}),
            metadata={"made": "here", "n": 1, "x": 1.5, "list": [1, "a", None]},
        )
        over_grpc = self.client.get_collection(self.name)
        over_rest = self.rest.get_collection(self.name)
        self.assertEqual(over_grpc.config, over_rest.config)
        self.client.update_collection(
            self.name, optimizers_config=models.OptimizersConfigDiff(indexing_threshold=9),
            quantization_config=models.Disabled.DISABLED)
        changed = self.rest.get_collection(self.name).config
        self.assertEqual(changed.optimizer_config.indexing_threshold, 9)
        self.assertIsNone(changed.quantization_config)

    def test_aliases(self):
        self.fill()
        alias = self.name + "_alias"
        self.client.update_collection_aliases([models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=self.name, alias_name=alias))])
        self.assertEqual(
            [(a.alias_name, a.collection_name) for a in self.client.get_collection_aliases(self.name).aliases],
            [(alias, self.name)])
        self.assertEqual(self.client.count(alias).count, 3)
        self.assertIn(alias, [a.alias_name for a in self.client.get_aliases().aliases])

    def test_points_are_read_as_they_were_written(self):
        self.fill()
        records = self.client.retrieve(self.name, [2, str(HEX_ID)], with_vectors=True)
        self.assertEqual({r.id: r.vector for r in records}, {2: [0, 1], str(HEX_ID): [2, 2]})
        self.assertEqual({r.id: r.payload["n"] for r in records}, {2: 2, str(HEX_ID): 3})
        payload = {"s": "ä", "i": -5, "f": 1.0, "b": True, "none": None, "o": {"l": [1, {"x": []}]}}
        self.client.upsert(self.name, [models.PointStruct(id=9, vector=[1, 1], payload=payload)], wait=True)
        self.assertEqual(self.client.retrieve(self.name, [9])[0].payload, payload)
        self.assertEqual(self.rest.retrieve(self.name, [9])[0].payload, payload)

    def test_query_scroll_count_delete(self):
        self.fill()
        hits = self.client.query_points(self.name, query=[1.0, 0.5], limit=2, with_payload=True).points
        self.assertEqual([(h.id, h.score) for h in hits], [(str(HEX_ID), 3.0), (1, 1.0)])
        red = models.Filter(must=[match("colour", "red")])
        hits = self.client.query_points(self.name, query=1, query_filter=red).points
        self.assertEqual([h.id for h in hits], [str(HEX_ID)])
        page, offset = self.client.scroll(self.name, limit=2, with_vectors=True)
        self.assertEqual(([p.id for p in page], offset), ([1, 2], str(HEX_ID)))
        self.assertEqual(self.client.count(self.name, count_filter=red).count, 2)
        self.client.delete(self.name, points_selector=models.FilterSelector(filter=red), wait=True)
        self.assertEqual(self.client.count(self.name).count, 1)

    def test_every_condition(self):
        self.fill()
        f = models.FieldCondition
        nested = models.Filter(should=[match("n", 1)], must_not=[match("n", 2)])
        conditions = [
            (f(key="n", range=models.Range(gte=2, lt=3)), [2]),
            (f(key="colour", match=models.MatchAny(any=["green", "blue"])), [2]),
            (f(key="colour", match=models.MatchExcept(**{"except": ["red"]})), [2]),
            (f(key="colour", match=models.MatchText(text="gree")), None),
            (f(key="colour", values_count=models.ValuesCount(gt=1)), []),
            (models.IsEmptyCondition(is_empty=models.PayloadField(key="none")), [1, 2, str(HEX_ID)]),
            (models.IsNullCondition(is_null=models.PayloadField(key="n")), []),
            (models.HasIdCondition(has_id=[2, str(HEX_ID)]), [2, str(HEX_ID)]),
            (models.HasVectorCondition(has_vector=""), [1, 2, str(HEX_ID)]),
            (f(key="at", geo_radius=models.GeoRadius(center=models.GeoPoint(lat=1, lon=1), radius=5)), []),
            (nested, [1]),
        ]
        for condition, ids in conditions:
            chosen = models.Filter(must=[condition])
            found = [p.id for p in self.client.scroll(self.name, scroll_filter=chosen)[0]]
            self.assertEqual(found, [p.id for p in self.rest.scroll(self.name, scroll_filter=chosen)[0]])
            if ids is not None:
                self.assertEqual(found, ids, condition)
        least = models.Filter(min_should=models.MinShould(
            conditions=[match("n", 1), match("colour", "red")], min_count=2))
        self.assertEqual([p.id for p in self.client.scroll(self.name, scroll_filter=least)[0]], [1])

    def test_payloads_are_changed(self):
        self.fill()
        self.client.set_payload(self.name, {"seen": True}, points=[1], wait=True)
        self.client.overwrite_payload(self.name, {"only": 1}, points=[2], wait=True)
        self.client.delete_payload(self.name, ["colour"], points=[1], wait=True)
        self.client.clear_payload(self.name, points_selector=[str(HEX_ID)], wait=True)
        payloads = [r.payload for r in self.client.retrieve(self.name, [1, 2, str(HEX_ID)])]
        self.assertEqual(payloads, [{"n": 1, "seen": True}, {"only": 1}, {}])
        self.refused(grpc.StatusCode.NOT_FOUND, self.client.set_payload, self.name, {"a": 1}, points=[77],
                     wait=True)

    def test_indexes_order_and_facets(self):
        self.fill()
        self.client.create_payload_index(self.name, "n", models.PayloadSchemaType.INTEGER, wait=True)
        self.client.create_payload_index(
            self.name, "colour", models.KeywordIndexParams(type="keyword", is_tenant=True), wait=True)
        schema = self.client.get_collection(self.name).payload_schema
        self.assertEqual(schema["n"].data_type, models.PayloadSchemaType.INTEGER)
        self.assertTrue(schema["colour"].params.is_tenant)
        self.assertIsNone(schema["colour"].params.prefix)
        for wanted in (True, False):
            self.rest.create_payload_index(
                self.name, "word", models.KeywordIndexParams(type="keyword", prefix=wanted), wait=True)
            told = self.client.get_collection(self.name).payload_schema["word"].params.prefix
            self.assertEqual(bool(told), wanted)
        page, _ = self.client.scroll(
            self.name, order_by=models.OrderBy(key="n", direction=models.Direction.DESC))
        self.assertEqual([p.payload["n"] for p in page], [3, 2, 1])
        self.assertEqual([(h.value, h.count) for h in self.client.facet(self.name, "colour").hits],
                         [("red", 2), ("green", 1)])
        groups = self.client.query_points_groups(self.name, group_by="colour", query=[1.0, 1.0]).groups
        self.assertEqual([(g.id, len(g.hits)) for g in groups], [("red", 2), ("green", 1)])
        self.client.delete_payload_index(self.name, "n", wait=True)
        self.assertNotIn("n", self.client.get_collection(self.name).payload_schema)

    def test_texts_rank_points_as_over_rest(self):
        self.fill()
        self.client.set_payload(self.name, {"t": "red hose, red clamp"}, points=[1], wait=True)
        self.client.set_payload(self.name, {"t": ["a hose", "blue"]}, points=[2], wait=True)
        scoring = models.TextScoringParams(type=models.TextScoringType.BM25)
        self.client.create_payload_index(
            self.name, "t", models.TextIndexParams(type="text", scoring=scoring), wait=True)
        self.assertEqual(self.client.get_collection(self.name).payload_schema["t"].params.scoring, scoring)
        bm25 = models.Bm25Scoring(bm25=models.Bm25Params(k=0.5, b=0.0))
        for query in (models.TextQuery(text="hose red"),
                      models.TextQuery(text=models.TextQueryInput(query="hose red", scoring=bm25))):
            answers = [client.query_points(self.name, query=query, using="t").points
                       for client in (self.client, self.rest)]
            self.assertEqual([p.id for p in answers[0]], [1, 2])
            self.assertEqual(shown(answers[0]), shown(answers[1]))
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.client.query_points, self.name,
                     query=models.TextQuery(text="x"), using="colour")

    def test_hybrid_queries_agree_with_rest(self):
        self.client.create_collection(
            self.name,
            vectors_config={"a": models.VectorParams(size=2, distance=models.Distance.COSINE)},
            sparse_vectors_config={"s": models.SparseVectorParams()},
        )
        self.client.upsert(self.name, [
            models.PointStruct(id=i, payload={"n": i}, vector={
                "a": [i, 10 - i], "s": models.SparseVector(indices=[i % 3, 7], values=[1.0, i / 10])})
            for i in range(1, 10)], wait=True)
        prefetch = [
            models.Prefetch(query=[1.0, 2.0], using="a", limit=5),
            models.Prefetch(query=models.SparseVector(indices=[1, 7], values=[1.0, 0.5]), using="s", limit=5),
        ]
        score = models.SumExpression(sum=["$score", models.MultExpression(mult=[0.1, "n"])])
        queries = [
            models.FusionQuery(fusion=models.Fusion.RRF),
            models.FusionQuery(fusion=models.Fusion.DBSF),
            models.RrfQuery(rrf=models.Rrf(k=5)),
            models.FormulaQuery(formula=score, defaults={"n": 0}),
        ]
        for query in queries:
            answers = [client.query_points(self.name, prefetch=prefetch, query=query, limit=20).points
                       for client in (self.client, self.rest)]
            self.assertTrue(answers[0])
            self.assertEqual(shown(answers[0]), shown(answers[1]))
        recommend = models.RecommendQuery(recommend=models.RecommendInput(
            positive=[1, [0.5, 1.0]], negative=[9], strategy=models.RecommendStrategy.BEST_SCORE))
        context = models.ContextQuery(context=[models.ContextPair(positive=1, negative=9)])
        diverse = models.NearestQuery(nearest=[1.0, 1.0], mmr=models.Mmr(diversity=0.3))
        for query in (recommend, context, diverse):
            answers = [client.query_points(self.name, query=query, using="a").points
                       for client in (self.client, self.rest)]
            self.assertEqual(shown(answers[0]), shown(answers[1]))
        pairs = self.client.search_matrix_pairs(self.name, using="a", sample=5, limit=2).pairs
        self.assertEqual(len(pairs), 10)

    def test_writes_of_all_kinds_at_once(self):
        self.fill()
        replies = self.client.batch_update_points(self.name, update_operations=[
            models.UpsertOperation(upsert=models.PointsList(points=[models.PointStruct(id=5, vector=[1, 1])])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"k": 1}, points=[5])),
            models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(
                points=[models.PointVectors(id=5, vector=[3, 4])])),
            models.DeleteOperation(delete=models.PointIdsList(points=[1])),
        ], wait=True)
        self.assertEqual([r.status for r in replies], [models.UpdateStatus.COMPLETED] * 4)
        record = self.client.retrieve(self.name, [5], with_vectors=True)[0]
        self.assertEqual((record.vector, record.payload), ([3, 4], {"k": 1}))
        self.assertEqual(self.client.retrieve(self.name, [1]), [])

    def test_bm25_documents(self):
        self.client.create_collection(self.name, vectors_config={}, sparse_vectors_config={
            "bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)})
        texts = ["the red pump leaks", "replace the filter", "a pump of blue steel"]
        self.client.upsert(self.name, [
            models.PointStruct(id=i, vector={"bm25": models.Document(text=text, model="Qdrant/bm25")})
            for i, text in enumerate(texts)], wait=True)
        hits = self.client.query_points(
            self.name, query=models.Document(text="red pumps", model="Qdrant/bm25"), using="bm25").points
        self.assertEqual([h.id for h in hits], [0, 2])

    @unittest.skipIf(model_missing(), model_missing())
    def test_texts_are_embedded_and_their_cost_is_told(self):
        self.client.create_collection(
            self.name, vectors_config=models.VectorParams(size=384, distance=models.Distance.COSINE))
        self.client.upsert(self.name, [
            models.PointStruct(id=i, vector=models.Document(text=text, model=MODEL))
            for i, text in enumerate(["a dog barks", "the stock market fell"])], wait=True)
        query = messages.QueryPoints(collection_name=self.name, query=messages.Query(
            nearest=messages.VectorInput(document=messages.Document(text="a hound", model=MODEL))))
        reply = self.points.Query(query)
        self.assertEqual(reply.result[0].id.num, 0)
        self.assertGreater(sum(m.tokens for m in reply.usage.inference.models.values()), 0)
        self.assertGreater(reply.time, 0)

    def test_bad_input_is_refused(self):
        self.fill()
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        one = messages.PointId(num=1)

        def upsert(vector=None, point_id=one):
            vectors = None if vector is None else messages.Vectors(vector=vector)
            return messages.UpsertPoints(collection_name=self.name, wait=True, points=[
                messages.PointStruct(id=point_id, vectors=vectors)])

        both = messages.Vector(data=[1, 2], dense=messages.DenseVector(data=[1, 2]))
        details = self.refused(invalid, self.points.Upsert, upsert(both))
        self.assertIn("points[0]", details)
        self.assertIn("got both", details)
        self.refused(invalid, self.points.Upsert, upsert(messages.Vector(data=[1, 2]), messages.PointId()))
        self.refused(invalid, self.points.Upsert, upsert(messages.Vector(data=[1, 2, 3])))
        self.refused(invalid, self.points.Upsert, upsert(messages.Vector(data=[1, float("nan")])))
        self.refused(invalid, self.points.Upsert, upsert(messages.Vector(data=[1, 2], vectors_count=3)))
        self.refused(invalid, self.points.Upsert, messages.UpsertPoints(
            collection_name=self.name, update_mode=99))
        self.refused(invalid, self.points.Query, messages.QueryPoints(
            collection_name=self.name, query=messages.Query()))
        self.refused(invalid, self.points.Query, messages.QueryPoints(
            collection_name=self.name, query=messages.Query(fusion=9)))
        self.refused(invalid, self.points.Scroll, messages.ScrollPoints(
            collection_name=self.name, filter=messages.Filter(must=[messages.Condition()])))
        self.refused(invalid, self.points.Scroll, messages.ScrollPoints(collection_name=self.name, limit=0))
        self.refused(invalid, self.points.Delete, messages.DeletePoints(collection_name=self.name))
        self.refused(invalid, CollectionsStub(self.channel).Create, messages.CreateCollection(
            collection_name=self.name + "2", vectors_config=messages.VectorsConfig(
                params=messages.VectorParams(size=2, distance=77))))
        self.refused(grpc.StatusCode.UNIMPLEMENTED, CollectionsStub(self.channel).CreateShardKey,
                     messages.CreateShardKeyRequest(collection_name=self.name))
        self.assertEqual(self.client.count(self.name).count, 3)

    def test_filters_nest_64_deep(self):
        self.fill()
        # The client's own library makes no message that is this deep.
        def field(number, content):
            length, size = len(content), b""
            while length > 127:
                size, length = size + bytes([length & 127 | 128]), length >> 7
            return bytes([number << 3 | 2]) + size + bytes([length]) + content

        def within(outer, inner, depth):
            condition = messages.Condition(field=messages.FieldCondition(
                key="n", match=messages.Match(integer=1))).SerializeToString()
            for _ in range(depth - 1):
                condition = outer(field(2, condition))
            return field(1, self.name.encode()) + field(2, field(inner, condition))

        count = self.channel.unary_unary(
            "/qdrant.Points/Count", request_serializer=lambda b: b,
            response_deserializer=messages.CountResponse.FromString)
        in_filters = lambda content: field(4, content)
        in_elements = lambda content: field(6, field(1, b"n") + field(2, content))
        self.assertEqual(count(within(in_filters, 2, 64)).result.count, 1)
        self.assertEqual(count(within(in_elements, 2, 64)).result.count, 0)
        for outer in (in_filters, in_elements):
            for depth in (65, 400, 3000):
                self.refused(grpc.StatusCode.INVALID_ARGUMENT, count, within(outer, 2, depth))
        self.assertEqual(self.client.count(self.name).count, 3)

    def test_deadlines_and_cancelled_calls(self):
        self.fill()
        no_time = messages.CountPoints(collection_name=self.name, timeout=0)
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.points.Count, no_time)
        request = messages.CountPoints(collection_name=self.name)
        for timeout in [0, 0.001] * 10:  # in time or not, but never anything else
            try:
                self.points.Count(request, timeout=timeout)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            self.points.Count.future(request).cancel()
        self.assertEqual(self.points.Count(request).result.count, 3)

    def test_what_is_no_message_is_refused(self):
        call = self.channel.unary_unary("/qdrant.Points/Upsert", request_serializer=lambda b: b)
        for body in (b"\x0a\xff", b"\xff" * 100, b"\x1a\x05abc"):
            self.refused(grpc.StatusCode.INVALID_ARGUMENT, call, body)
        unknown = self.channel.unary_unary("/qdrant.Points/Nothing", request_serializer=lambda b: b)
        self.refused(grpc.StatusCode.UNIMPLEMENTED, unknown, b"")
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            plain.settimeout(30)
            while plain.recv(4096):
                pass
        self.assertEqual(QdrantStub(self.channel).HealthCheck(messages.HealthCheckRequest()).title, "akidb")


class Keys(unittest.TestCase):
    def test_rights_are_those_of_rest(self):
        server, port = start_with_grpc("--api-key", "secret", "--read-only-api-key", "look")
        self.addCleanup(server.close)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            collections = CollectionsStub(channel)
            listing = messages.ListCollectionsRequest()
            creation = messages.CreateCollection(collection_name="c")

            def code(call, request, *metadata):
                try:
                    call(request, metadata=metadata)
                except grpc.RpcError as error:
                    return error.code()
                return grpc.StatusCode.OK

            QdrantStub(channel).HealthCheck(messages.HealthCheckRequest())
            self.assertEqual(code(collections.List, listing), grpc.StatusCode.UNAUTHENTICATED)
            self.assertEqual(code(collections.List, listing, ("api-key", "look")), grpc.StatusCode.OK)
            self.assertEqual(code(collections.Create, creation, ("api-key", "look")),
                             grpc.StatusCode.PERMISSION_DENIED)
            self.assertEqual(code(collections.Create, creation, ("authorization", "Bearer secret")),
                             grpc.StatusCode.OK)


class Port(unittest.TestCase):
    def test_a_taken_port_is_told(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            server = Server()
            self.addCleanup(server.close)
            result = subprocess.run(
                [binary(), "serve", "--data-dir", server.data_dir, "--http-port", "0", "--grpc-port", str(port)],
                capture_output=True, text=True, timeout=60, env=program_environment())
            self.assertEqual(result.returncode, 1)
            self.assertIn("--grpc-port", result.stderr)

    def test_the_server_ends_at_a_signal_with_clients_connected(self):
        server, port = start_with_grpc()
        self.addCleanup(server.close)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            QdrantStub(channel).HealthCheck(messages.HealthCheckRequest())
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
