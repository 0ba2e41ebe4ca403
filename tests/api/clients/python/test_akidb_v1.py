"""Our own gRPC service, beside the dialect's: texts, models, points that stream in, plans."""

import json
import os
import queue
import signal
import sys
import threading
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))

import grpc  # noqa: E402
from google.protobuf import any_pb2  # noqa: E402
from qdrant_client import grpc as messages  # noqa: E402
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsStub  # noqa: E402
from qdrant_client.grpc.points_service_pb2_grpc import PointsStub  # noqa: E402

import akidb_v1 as v1  # noqa: E402
from grpc_process import start_with_grpc  # noqa: E402
from server_process import model_missing  # noqa: E402
from test_keys import token  # noqa: E402

MODEL = "all-minilm-l6-v2"
CODE = grpc.StatusCode


class ServiceTestCase(unittest.TestCase):
    arguments = ()
    metadata = ()

    @classmethod
    def setUpClass(cls):
        cls.server, cls.port = start_with_grpc(*cls.arguments)
        cls.addClassCleanup(cls.server.close)
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.port}")
        cls.addClassCleanup(cls.channel.close)
        cls.own = v1.Stub(cls.channel)
        cls.points = PointsStub(cls.channel)
        cls.collections = CollectionsStub(cls.channel)

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1]

    def create(self, size=2, **more):
        params = messages.VectorParams(size=size, distance=messages.Distance.Dot)
        request = messages.CreateCollection(
            collection_name=self.name, vectors_config=messages.VectorsConfig(params=params), **more)
        self.collections.Create(request, metadata=self.metadata)

    def refused(self, code, call, *arguments, **options):
        with self.assertRaises(grpc.RpcError) as raised:
            answer = call(*arguments, **options)
            if hasattr(answer, "__iter__"):
                list(answer)
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        return raised.exception.details()

    def count(self):
        request = messages.CountPoints(collection_name=self.name, exact=True)
        return self.points.Count(request, metadata=self.metadata).result.count

    def start(self, **options):
        return v1.IngestRequest(start=v1.IngestStart(collection_name=self.name, **options))

    def ingest(self, *requests, **options):
        return list(self.own.Ingest(iter(requests), metadata=self.metadata, timeout=60, **options))


def point(number, values=(1, 0), payload="", **vector):
    value = vector or {"dense": v1.DenseVector(values=values)}
    return v1.IngestPoint(num=number, vectors=[v1.PointVector(**value)], payload_json=payload)


def batch(sequence, *points):
    return v1.IngestRequest(batch=v1.IngestBatch(sequence=sequence, points=points))


class Calls(ServiceTestCase):
    def test_reflection_and_health_know_the_service(self):
        # Server reflection, by hand: list_services is field 7 of the request (grpc/reflection/v1alpha).
        call = self.channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        listed = b"".join(call(iter([b"\x3a\x00"]), timeout=60))
        self.assertIn(v1.NAME.encode(), listed)
        # file_containing_symbol is field 4.
        described = b"".join(call(iter([b"\x22" + bytes([len(v1.NAME)]) + v1.NAME.encode()]), timeout=60))
        self.assertIn(b"IngestRefusal", described)
        health = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        self.assertEqual(health(b"\x0a" + bytes([len(v1.NAME)]) + v1.NAME.encode(), timeout=60), b"\x08\x01")  # SERVING

    def test_models_are_listed(self):
        installed = self.own.Models(v1.ModelsRequest()).models
        everything = self.own.Models(v1.ModelsRequest(include_absent=True)).models
        self.assertGreater(len(everything), 0)
        self.assertLessEqual({m.id for m in installed}, {m.id for m in everything})
        self.assertNotIn(v1.MODEL_STATE_ABSENT, {m.state for m in installed})
        self.assertEqual([m.id for m in everything if m.is_default], [MODEL])
        for model in everything:
            self.assertGreater(model.dimensions, 0, model)
            self.assertNotEqual(model.state, v1.MODEL_STATE_UNSPECIFIED)
            self.assertFalse(model.HasField("failed_seconds_ago"), model)
        self.own.Embed(v1.EmbedRequest(texts=["it is loaded"]))
        default, = (m for m in self.own.Models(v1.ModelsRequest()).models if m.is_default)
        cpu, = (one for one in default.providers if one.serves)
        self.assertEqual((cpu.provider, cpu.state, default.degraded),
                         ("CPUExecutionProvider", v1.PROVIDER_STATE_READY, False))

    def test_an_impossible_embedding_is_refused(self):
        self.refused(CODE.INVALID_ARGUMENT, self.own.Embed, v1.EmbedRequest())
        self.refused(CODE.INVALID_ARGUMENT, self.own.Embed, v1.EmbedRequest(texts=["x"] * 2049))
        told = self.refused(CODE.INVALID_ARGUMENT, self.own.Embed, v1.EmbedRequest(texts=["x"], input_type=9))
        self.assertIn("input_type: unknown value 9", told)
        told = self.refused(CODE.INVALID_ARGUMENT, self.own.Embed, v1.EmbedRequest(texts=["x"], truncate=4))
        self.assertIn("truncate: unknown value 4", told)
        told = self.refused(CODE.INVALID_ARGUMENT, self.own.Embed, v1.EmbedRequest(texts=["x"], model="nonesuch"))
        self.assertIn("nonesuch", told)

    @unittest.skipIf(model_missing(), model_missing())
    def test_texts_become_the_vectors_that_rest_gives(self):
        texts = ["a pump", "bananas are yellow"]
        answer = self.own.Embed(v1.EmbedRequest(texts=texts, input_type=v1.INPUT_TYPE_QUERY))
        self.assertEqual((answer.model, answer.dimensions, len(answer.embeddings)), (MODEL, 384, 2))
        body = {"input": texts, "input_type": "query"}
        rest = self.server.request("POST", "/v1/embeddings", body).json
        for mine, other in zip(answer.embeddings, rest["data"]):
            self.assertEqual(len(mine.values), 384)
            for a, b in zip(mine.values, other["embedding"]):
                self.assertAlmostEqual(a, b, places=5)
        self.assertEqual(sum(answer.usage.tokens.values()), rest["usage"]["prompt_tokens"])
        self.assertEqual(sum(e.tokens for e in answer.embeddings), rest["usage"]["prompt_tokens"])

    @unittest.skipIf(model_missing(), model_missing())
    def test_a_long_text_is_cut_or_refused(self):
        long = "word " * 2000
        answer = self.own.Embed(v1.EmbedRequest(texts=[long, "x"]))
        self.assertEqual([e.truncated for e in answer.embeddings], [True, False])
        self.assertEqual(answer.usage.truncated_texts, 1)
        start = self.own.Embed(v1.EmbedRequest(texts=["first " + long], truncate=v1.TRUNCATION_START))
        self.assertTrue(start.embeddings[0].truncated)
        request = v1.EmbedRequest(texts=[long], truncate=v1.TRUNCATION_NONE)
        self.refused(CODE.RESOURCE_EXHAUSTED, self.own.Embed, request)

    @unittest.skipIf(model_missing(), model_missing())
    def test_texts_become_tokens_and_tokens_texts(self):
        answer = self.own.Tokenize(v1.TokenizeRequest(texts=["Unaffable pumps", ""]))
        self.assertEqual((answer.model, len(answer.texts)), (MODEL, 2))
        text = answer.texts[0]
        self.assertEqual((text.tokens[0], text.tokens[-1]), ("[CLS]", "[SEP]"))
        self.assertEqual(len(text.ids), len(text.tokens))
        bare = self.own.Tokenize(v1.TokenizeRequest(texts=["Unaffable pumps"], add_special_tokens=False)).texts[0]
        self.assertEqual(list(bare.ids), list(text.ids)[1:-1])
        embedded = self.own.Embed(v1.EmbedRequest(texts=["Unaffable pumps"]))
        self.assertEqual(embedded.embeddings[0].tokens, len(text.ids))
        self.assertEqual(self.own.Detokenize(v1.DetokenizeRequest(ids=text.ids)).text, "unaffable pumps")
        whole = self.own.Detokenize(v1.DetokenizeRequest(ids=text.ids, skip_special_tokens=False)).text
        self.assertIn("[SEP]", whole)
        rest = self.server.request("POST", "/v1/tokenize", {"input": "Unaffable pumps"})
        self.assertEqual(rest.status, 200, rest.text)
        self.assertIn(str(list(text.ids)).replace(" ", ""), rest.text.replace(" ", ""))

    @unittest.skipIf(model_missing(), model_missing())
    def test_a_long_text_has_all_its_tokens_unless_it_is_cut(self):
        long = "word " * 2000
        whole = self.own.Tokenize(v1.TokenizeRequest(texts=[long])).texts[0]
        self.assertEqual((len(whole.ids), whole.truncated), (2002, False))
        cut = self.own.Tokenize(v1.TokenizeRequest(texts=[long], truncate=v1.TRUNCATION_END))
        self.assertEqual((len(cut.texts[0].ids), cut.texts[0].truncated), (cut.max_tokens, True))
        request = v1.TokenizeRequest(texts=[long], truncate=v1.TRUNCATION_NONE)
        self.refused(CODE.RESOURCE_EXHAUSTED, self.own.Tokenize, request)

    def test_what_has_no_tokens_is_refused(self):
        for request in (v1.TokenizeRequest(), v1.TokenizeRequest(texts=["x"] * 2049),
                        v1.TokenizeRequest(texts=["x"], truncate=7), v1.TokenizeRequest(texts=["x"], input_type=7),
                        v1.TokenizeRequest(texts=["x"], model="nonesuch")):
            self.refused(CODE.INVALID_ARGUMENT, self.own.Tokenize, request)
        for request in (v1.DetokenizeRequest(ids=[1], model="nonesuch"), v1.DetokenizeRequest(ids=[-1]),
                        v1.DetokenizeRequest(ids=[2**31 - 1])):
            self.refused(CODE.INVALID_ARGUMENT, self.own.Detokenize, request)
        # More than 300,000.
        with self.assertRaises(grpc.RpcError):
            self.own.Detokenize(v1.DetokenizeRequest(ids=[1012] * 300_001))

    def test_a_query_is_explained_with_figures(self):
        self.create()
        self.ingest(self.start(), batch(1, *[point(i, (i, 1)) for i in range(50)]))
        nearest = messages.Query(nearest=messages.VectorInput(dense=messages.DenseVector(data=[1, 0])))
        query = any_pb2.Any()
        query.Pack(messages.QueryPoints(query=nearest, limit=7))
        answer = self.own.Explain(v1.ExplainRequest(collection_name=self.name, query=query))
        self.assertEqual(answer.points, 7)
        self.assertEqual([s.rows for s in answer.plan.sources], [50])
        source = answer.plan.sources[0]
        self.assertEqual((source.sealed, source.way, source.compared), (False, v1.SEARCH_WAY_VECTORS, 50))
        self.assertEqual((answer.plan.recall, answer.plan.degraded), (1, False))
        self.assertGreater(answer.search_ms, 0)
        for other in (messages.SearchPoints(collection_name=self.name, vector=[1, 0], limit=3),
                      messages.RecommendPoints(positive=[messages.PointId(num=1)], limit=3)):
            query.Pack(other)
            self.assertEqual(self.own.Explain(v1.ExplainRequest(collection_name=self.name, query=query)).points, 3)

    def test_queries_of_the_dialect_tell_their_plans_behind_the_answer(self):
        self.create()
        self.ingest(self.start(), batch(1, *[point(i, (i, 1)) for i in range(50)]))
        vector = messages.VectorInput(dense=messages.DenseVector(data=[1, 0]))
        one = messages.QueryPoints(collection_name=self.name, query=messages.Query(nearest=vector), limit=3)
        many = messages.QueryBatchPoints(collection_name=self.name, query_points=[one] * 40)
        groups = messages.QueryPointGroups(collection_name=self.name, query=one.query, group_by="n")

        def told(method, request, **metadata):
            _, call = method.with_call(request, metadata=tuple(metadata.items()))
            return {key: value for key, value in call.trailing_metadata() if key.startswith("x-akidb")}

        asked = {"x-akidb-explain": "true"}
        self.assertEqual(told(self.points.Query, one), {})
        self.assertEqual(told(self.points.Query, one, **{"x-akidb-explain": "false"}), {})
        for _ in range(3):  # the first ones by the request pool, the next where they arrive
            plans = json.loads(told(self.points.Query, one, **asked)["x-akidb-plans"])
            self.assertEqual([plan["sources"][0]["rows"] for plan in plans], [50])
        body = {"query": [1, 0], "limit": 3, "params": {"akidb": {"explain": True}}}
        rest = self.server.request("POST", f"/collections/{self.name}/points/query", body).json["akidb"]["plans"]
        self.assertEqual(plans[0].keys(), rest[0].keys())
        self.assertEqual(plans[0]["sources"][0].keys(), rest[0]["sources"][0].keys())
        self.assertEqual(len(json.loads(told(self.points.QueryGroups, groups, **asked)["x-akidb-plans"])), 1)
        found = told(self.points.QueryBatch, many, **asked)
        self.assertLess(len(found["x-akidb-plans"]), 6145)
        plans = json.loads(found["x-akidb-plans"])
        self.assertGreater(len(plans), 10)
        self.assertEqual(len(plans) + int(found["x-akidb-plans-left-out"]), 40)
        self.refused(CODE.INVALID_ARGUMENT, self.points.Query, one, metadata=(("x-akidb-explain", "yes"),))

    def test_what_has_no_plan_is_refused(self):
        self.create()
        explain = self.own.Explain
        told = self.refused(CODE.INVALID_ARGUMENT, explain, v1.ExplainRequest(collection_name=self.name))
        self.assertIn("qdrant.QueryPoints", told)
        query = any_pb2.Any()
        query.Pack(messages.CountPoints())
        told = self.refused(CODE.INVALID_ARGUMENT, explain, v1.ExplainRequest(collection_name=self.name, query=query))
        self.assertIn("qdrant.CountPoints", told)
        query.Pack(messages.QueryPoints(collection_name="other"))
        told = self.refused(CODE.INVALID_ARGUMENT, explain, v1.ExplainRequest(collection_name=self.name, query=query))
        self.assertIn("other", told)
        query.value = b"\xff\xff"
        self.refused(CODE.INVALID_ARGUMENT, explain, v1.ExplainRequest(collection_name=self.name, query=query))
        query.Pack(messages.QueryPoints())
        self.refused(CODE.NOT_FOUND, explain, v1.ExplainRequest(collection_name="nothing", query=query))

    def test_the_bounds_of_an_explained_query_hold(self):
        self.create(strict_mode_config=messages.StrictModeConfig(enabled=True, max_timeout=5))
        unknown = messages.ReadConsistency.FromString(b"\x08\x09")
        for bounds in ({"timeout": 0}, {"timeout": 6}, {"read_consistency": unknown}):
            with self.subTest(bounds=bounds):
                inner = messages.QueryPoints(collection_name=self.name, **bounds)
                told = self.refused(CODE.INVALID_ARGUMENT, self.points.Query, inner)
                query = any_pb2.Any()
                query.Pack(inner)
                request = v1.ExplainRequest(collection_name=self.name, query=query)
                self.assertEqual(self.refused(CODE.INVALID_ARGUMENT, self.own.Explain, request), told)
        query = any_pb2.Any()
        query.Pack(messages.QueryPoints(timeout=5))
        self.own.Explain(v1.ExplainRequest(collection_name=self.name, query=query))


class Ingest(ServiceTestCase):
    def test_batches_are_written_and_acknowledged_in_order(self):
        self.create()
        batches = [batch(n, *[point(100 * n + i, (n, i), '{"n": %d}' % n) for i in range(100)]) for n in range(1, 31)]
        answers = self.ingest(self.start(), *batches)
        sequences = [a.acknowledged_sequence for a in answers]
        self.assertEqual(sequences, sorted(sequences))
        self.assertEqual((sequences[-1], answers[-1].acknowledged_points), (30, 3000))
        self.assertFalse(any(a.HasField("refusal") for a in answers))
        self.assertEqual(self.count(), 3000)
        request = messages.GetPoints(collection_name=self.name, ids=[messages.PointId(num=712)],
                                     with_payload=messages.WithPayloadSelector(enable=True),
                                     with_vectors=messages.WithVectorsSelector(enable=True))
        found = self.points.Get(request).result[0]
        self.assertEqual(found.payload["n"].integer_value, 7)
        self.assertEqual(list(found.vectors.vector.data), [7, 12])

    def test_ids_vectors_and_payloads_of_all_kinds(self):
        self.name += "_1"
        maps = messages.VectorParamsMap(map={
            "": messages.VectorParams(size=2, distance=messages.Distance.Dot),
            "rows": messages.VectorParams(
                size=2, distance=messages.Distance.Dot,
                multivector_config=messages.MultiVectorConfig(comparator=messages.MultiVectorComparator.MaxSim))})
        self.collections.Create(messages.CreateCollection(
            collection_name=self.name, vectors_config=messages.VectorsConfig(params_map=maps),
            sparse_vectors_config=messages.SparseVectorConfig(map={"words": messages.SparseVectorParams(),
                                                                   "bm25": messages.SparseVectorParams()})))
        vectors = [v1.PointVector(dense=v1.DenseVector(values=[1, 2])),
                   v1.PointVector(name="rows", multi_dense=v1.MultiDenseVector(row_dimensions=2, values=[1, 2, 3, 4])),
                   v1.PointVector(name="words", sparse=v1.SparseVector(indices=[9, 3], values=[0.5, 0.25])),
                   v1.PointVector(name="bm25", text=v1.TextInput(text="pumps and bananas", model="Qdrant/bm25"))]
        payload = '{"big": 18446744073709551615, "text": "\u00fc", "float": 1.0, "list": [1, {"a": null}]}'
        uuid = "936da01f-9abd-4d9d-80c7-02af85c822a8"
        one = v1.IngestPoint(uuid=uuid.replace("-", ""), vectors=vectors, payload_json=payload)
        self.ingest(self.start(), batch(1, one))
        body = {"ids": [uuid], "with_vector": True}
        found = self.server.request("POST", f"/collections/{self.name}/points", body).result[0]
        self.assertEqual(found["id"], uuid)
        self.assertEqual(found["payload"], {"big": 2**64 - 1, "text": "\u00fc", "float": 1.0, "list": [1, {"a": None}]})
        self.assertEqual(found["vector"][""], [1, 2])
        self.assertEqual(found["vector"]["rows"], [[1, 2], [3, 4]])
        self.assertEqual(found["vector"]["words"], {"indices": [3, 9], "values": [0.25, 0.5]})
        self.assertEqual(len(found["vector"]["bm25"]["indices"]), 2)

    def test_a_bad_batch_ends_the_stream_and_names_its_points(self):
        self.create()
        bad = [point(10), point(11, (1, 2, 3)), point(12), point(13, (1,))]
        answers = []
        with self.assertRaises(grpc.RpcError) as raised:
            for answer in self.own.Ingest(iter([self.start(), batch(1, point(1)), batch(2, *bad), batch(3, point(3))]),
                                          timeout=60):
                answers.append(answer)
        self.assertEqual(raised.exception.code(), CODE.INVALID_ARGUMENT)
        self.assertIn("batch 2: points[1]: Vector dimension error: expected dim: 2, got 3", raised.exception.details())
        self.assertEqual(answers[-1].acknowledged_sequence, 1)
        refusal = answers[-1].refusal
        self.assertEqual((refusal.sequence, refusal.code), (2, CODE.INVALID_ARGUMENT.value[0]))
        self.assertEqual([(p.index, p.id) for p in refusal.points], [(1, "11"), (3, "13")])
        self.assertIn("expected dim: 2, got 1", refusal.points[1].message)
        self.assertEqual(self.count(), 1)

    def test_or_it_goes_on_where_that_is_asked_for(self):
        self.create()
        spoiled = {
            "id": v1.IngestPoint(vectors=point(1).vectors),
            "uuid": v1.IngestPoint(uuid="x", vectors=point(1).vectors),
            "payload_json": point(2, payload="[1]"),
            "JSON": point(2, payload="{"),
            "vectors": v1.IngestPoint(num=3, vectors=[v1.PointVector()]),
            "twice": v1.IngestPoint(num=3, vectors=[*point(1).vectors, *point(1).vectors]),
            "Not existing vector name": point(4, name="x", dense=v1.DenseVector(values=[1, 2])),
            "row_dimensions": point(5, multi_dense=v1.MultiDenseVector(row_dimensions=2, values=[1, 2, 3])),
            "indices": point(5, sparse=v1.SparseVector(indices=[1, 1], values=[1, 2])),
            "finite": point(6, (float("nan"), 1)),
        }
        requests, expected = [self.start(continue_after_refusal=True)], {}
        for n, (what, one) in enumerate(spoiled.items()):
            requests += [batch(2 * n + 1, point(100 + n)), batch(2 * n + 2, point(50), one)]
            expected[2 * n + 2] = what
        answers = self.ingest(*requests, batch(1000, point(999)))
        refusals = {a.refusal.sequence: a.refusal for a in answers if a.HasField("refusal")}
        self.assertEqual(sorted(refusals), sorted(expected))
        for sequence, refusal in refusals.items():
            with self.subTest(what=expected[sequence]):
                self.assertEqual([p.index for p in refusal.points], [1], refusal)
                self.assertIn(f"batch {sequence}: points[1]", refusal.message)
                self.assertIn(expected[sequence].lower(), refusal.message.lower())
        self.assertEqual(answers[-1].acknowledged_sequence, 1000)
        self.assertEqual(self.count(), len(spoiled) + 1)

    def test_messages_out_of_order_end_it(self):
        self.create()
        for requests, word in (
                ([batch(1, point(1))], "start"), ([self.start(), self.start()], "first message"),
                ([v1.IngestRequest()], "got none"), ([self.start(), batch(0, point(1))], "sequence"),
                ([self.start(), batch(2, point(1)), batch(2, point(1))], "sequence"),
                ([v1.IngestRequest(start=v1.IngestStart())], "collection_name")):
            with self.subTest(word=word):
                self.assertIn(word, self.refused(CODE.INVALID_ARGUMENT, self.ingest, *requests))
        self.name = "nothing"
        self.refused(CODE.NOT_FOUND, self.ingest, self.start())
        raw = self.channel.stream_stream("/akidb.v1.AkidbService/Ingest")
        self.refused(CODE.INVALID_ARGUMENT, raw, iter([b"\xff\xff\xff"]), timeout=60)

    def test_empty_streams_and_batches(self):
        self.create()
        self.assertEqual(self.ingest(self.start()), [])
        self.assertEqual(self.ingest(), [])
        self.assertEqual(self.ingest(self.start(), batch(4))[-1].acknowledged_sequence, 4)
        self.assertEqual(self.count(), 0)

    @unittest.skipIf(model_missing(), model_missing())
    def test_texts_are_embedded_with_the_model_of_the_stream(self):
        self.create(384)
        texts = [point(i, text=v1.TextInput(text=f"text {i}")) for i in range(5)]
        model = "sentence-transformers/all-MiniLM-L6-v2"
        answers = self.ingest(self.start(model=model), batch(1, *texts[:3]), batch(2, *texts[3:]))
        self.assertEqual(answers[-1].acknowledged_sequence, 2)
        self.assertGreater(sum(sum(a.usage.tokens.values()) for a in answers), 10)
        self.assertEqual(self.count(), 5)
        told = self.refused(CODE.INVALID_ARGUMENT, self.ingest, self.start(model="nonesuch"), batch(1, texts[0]))
        self.assertIn("nonesuch", told)

    def test_each_acknowledgement_is_told_while_the_stream_is_open(self):
        self.create()
        waiting = queue.Queue()
        answers = self.own.Ingest(iter(waiting.get, None), timeout=60)
        waiting.put(self.start())
        for n in range(1, 6):
            waiting.put(batch(n, point(n)))
            self.assertEqual(next(answers).acknowledged_sequence, n)
            self.assertEqual(self.count(), n)
        waiting.put(None)
        self.assertEqual(list(answers), [])

    def test_a_client_that_leaves_leaves_whole_batches(self):
        self.create(256)
        waiting = queue.Queue()
        answers = self.own.Ingest(iter(waiting.get, None), timeout=60)
        waiting.put(self.start())
        for n in range(60):
            waiting.put(batch(n + 1, *[point(1000 * n + i, [1] * 256) for i in range(1000)]))
        next(answers)
        answers.cancel()
        waiting.put(None)
        # A pass that runs ends at its next batch; whatever it wrote is whole.
        counts = [self.count() for _ in range(2)]
        while counts[-1] != counts[-2]:
            counts.append(self.count())
        self.assertGreater(counts[-1], 0)
        self.assertEqual(counts[-1] % 1000, 0)

    def test_a_client_that_reads_late_gets_every_answer(self):
        self.create()
        many = threading.Event()

        def requests():
            yield self.start(continue_after_refusal=True)
            for n in range(1, 301):
                # Each answer is some 9 KB, far more together than the connection holds.
                yield batch(n, *[point(i, (1, 2, 3)) for i in range(100)])
                if n == 30:
                    many.set()

        answers = self.own.Ingest(requests(), timeout=120)
        self.assertTrue(many.wait(60))
        self.assertEqual(self.count(), 0)  # others are served meanwhile
        refused = [answer.refusal for answer in answers if answer.HasField("refusal")]
        self.assertEqual([refusal.sequence for refusal in refused], list(range(1, 301)))
        self.assertEqual({len(refusal.points) for refusal in refused}, {100})

    def test_a_refusal_stays_small(self):
        self.create()
        points = [v1.IngestPoint(uuid="x" * 200_000) for _ in range(100)]
        answers = self.ingest(self.start(continue_after_refusal=True), batch(1, *points))
        self.assertEqual(len(answers[-1].refusal.points), 100)
        self.assertLess(answers[-1].ByteSize(), 100_000)

    def test_a_deadline_ends_it(self):
        self.create()
        waiting = queue.Queue()
        answers = self.own.Ingest(iter(waiting.get, None), timeout=0.5)
        waiting.put(self.start())
        waiting.put(batch(1, point(1)))
        self.refused(CODE.DEADLINE_EXCEEDED, lambda: answers)
        waiting.put(None)
        self.assertEqual(self.count(), 1)

    def test_only_so_many_streams_at_a_time(self):
        self.create()
        waiting = queue.Queue()
        streams = []
        for n in range(32):
            own = queue.Queue()
            own.put(self.start())
            own.put(batch(1, point(n)))
            streams.append((own, self.own.Ingest(iter(own.get, None), timeout=60)))
            next(streams[-1][1])
        self.assertIn("32", self.refused(CODE.RESOURCE_EXHAUSTED, self.ingest, self.start()))
        for own, answers in streams:
            own.put(None)
            self.assertEqual(list(answers), [])
        del waiting
        self.assertEqual(self.ingest(self.start(), batch(1, point(99)))[-1].acknowledged_sequence, 1)

    def test_strict_mode_and_rates_hold(self):
        strict = messages.StrictModeConfig(enabled=True, write_rate_limit=100, upsert_max_batchsize=30)
        self.create(strict_mode_config=strict)
        self.ingest(self.start(), batch(1, point(1)))
        told = self.refused(CODE.INVALID_ARGUMENT, self.ingest, self.start(), batch(1, *[point(i) for i in range(31)]))
        self.assertIn("batch 1", told)
        batches = [batch(n, *[point(i) for i in range(30)]) for n in range(1, 11)]
        told = self.refused(CODE.RESOURCE_EXHAUSTED, self.ingest, self.start(), *batches)
        self.assertIn("rate limit exceeded", told)


class Keys(ServiceTestCase):
    FULL, READER = "full-0123456789", "reader-0123456789"
    metadata = (("api-key", FULL),)

    @classmethod
    def setUpClass(cls):
        keys = {"AKIDB_API_KEY": cls.FULL, "AKIDB_READ_ONLY_API_KEY": cls.READER, "AKIDB_JWT_RBAC": "true"}
        with unittest.mock.patch.dict(os.environ, keys):
            super().setUpClass()

    def test_each_call_wants_its_right(self):
        self.create()
        self.assertEqual(self.ingest(self.start(), batch(1, point(1)))[-1].acknowledged_sequence, 1)
        query = any_pb2.Any()
        query.Pack(messages.QueryPoints())
        calls = {"Embed": v1.EmbedRequest(texts=["x"], model="nonesuch"), "Models": v1.ModelsRequest(),
                 "Tokenize": v1.TokenizeRequest(texts=["x"]), "Detokenize": v1.DetokenizeRequest(ids=[1]),
                 "Explain": v1.ExplainRequest(collection_name=self.name, query=query)}
        for name, request in calls.items():
            self.refused(CODE.UNAUTHENTICATED, getattr(self.own, name), request)
        reader = (("api-key", self.READER),)
        self.own.Models(calls["Models"], metadata=reader)
        self.assertEqual(self.own.Explain(calls["Explain"], metadata=reader).points, 1)
        self.refused(CODE.UNAUTHENTICATED, self.own.Ingest, iter([self.start(), batch(1, point(2))]))
        for access, code in (("r", CODE.PERMISSION_DENIED), ("prw", None), ("rw", None)):
            for named in (self.name, "other"):
                claims = {"access": [{"collection": named, "access": access}]}
                bearer = (("authorization", "Bearer " + token(claims, self.FULL)),)
                call = (self.own.Ingest, iter([self.start(), batch(1, point(1))]))
                if code or named == "other":
                    self.refused(CODE.PERMISSION_DENIED, *call, metadata=bearer)
                else:
                    self.assertEqual(list(call[0](call[1], metadata=bearer))[-1].acknowledged_sequence, 1)
        self.refused(CODE.PERMISSION_DENIED, self.own.Ingest, iter([self.start()]), metadata=reader)
        self.refused(CODE.PERMISSION_DENIED, self.own.Ingest, iter([self.start(), batch(1, point(2))]), metadata=reader)
        self.assertEqual(self.count(), 1)

    def test_streams_that_may_not_write_or_have_not_begun_take_no_place(self):
        self.create()
        never = queue.Queue()
        reader = (("api-key", self.READER),)
        for metadata, code in (((), CODE.UNAUTHENTICATED), (reader, CODE.PERMISSION_DENIED)):
            self.refused(code, self.own.Ingest, iter(never.get, None), metadata=metadata, timeout=60)
        idle = []
        for _ in range(40):
            idle.append(self.own.Ingest(iter(never.get, None), metadata=self.metadata, timeout=60))
        self.assertEqual(self.ingest(self.start(), batch(1, point(1)))[-1].acknowledged_sequence, 1)
        for answers in idle:
            answers.cancel()
        for _ in range(len(idle) + 2):
            never.put(None)


class Stopping(ServiceTestCase):
    def test_a_stream_is_told_and_what_was_acknowledged_is_there_after_a_kill(self):
        self.create()
        waiting = queue.Queue()
        answers = self.own.Ingest(iter(waiting.get, None), timeout=60)
        waiting.put(self.start())
        waiting.put(batch(1, point(1)))
        self.assertEqual(next(answers).acknowledged_sequence, 1)
        self.server.process.send_signal(signal.SIGTERM)
        self.assertIn("stopping", self.refused(CODE.UNAVAILABLE, lambda: answers))
        waiting.put(None)
        self.assertEqual(self.server.process.wait(30), 0)

    def test_acknowledged_batches_survive_a_kill(self):
        server, port = start_with_grpc()
        self.addCleanup(server.close)
        body = {"vectors": {"size": 2, "distance": "Dot"}}
        self.assertEqual(server.request("PUT", f"/collections/{self.name}", body).status, 200)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            waiting = queue.Queue()
            answers = v1.Stub(channel).Ingest(iter(waiting.get, None), timeout=60)
            waiting.put(self.start())
            for n in range(1, 40):
                waiting.put(batch(n, *[point(100 * n + i) for i in range(100)]))
            acknowledged = 0
            while acknowledged < 10:
                acknowledged = next(answers).acknowledged_sequence
            server.kill()
            waiting.put(None)
        server.start()
        count = server.request("POST", f"/collections/{self.name}/points/count", {"exact": True}).result["count"]
        self.assertGreaterEqual(count, 100 * acknowledged)
        self.assertEqual(count % 100, 0)


if __name__ == "__main__":
    unittest.main()
