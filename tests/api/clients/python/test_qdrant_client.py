"""The official Python client, unmodified, against the real server."""

import os
import random
import sys
import unittest
import uuid
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))

from qdrant_client import QdrantClient, models  # noqa: E402
from qdrant_client.http.exceptions import UnexpectedResponse  # noqa: E402

from server_process import Server, model_missing  # noqa: E402

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
HEX_ID = uuid.UUID("936da01f-9abd-4d9d-80c7-02af85c822a8")


def match(key, value):
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


class PythonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a version that the client doesn't know would warn
            cls.client = QdrantClient(
                url=f"http://127.0.0.1:{cls.server.port}", cloud_inference=True, timeout=60
            )
        cls.addClassCleanup(cls.client.close)

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

    def test_snapshots(self):
        self.fill()
        made = self.client.create_snapshot(self.name)
        self.assertEqual(self.client.list_snapshots(self.name), [made])
        self.client.delete(self.name, points_selector=[1, 2])
        folder = os.path.join(os.path.realpath(self.server.data_dir), "snapshots", self.name)
        self.assertTrue(self.client.recover_snapshot(
            self.name, location=f"file://{folder}/{made.name}", checksum=made.checksum,
            priority=models.SnapshotPriority.SNAPSHOT))
        self.assertEqual(self.client.count(self.name).count, 3)
        self.assertTrue(self.client.recover_snapshot(
            self.name + "_2", location=f"file:///qdrant/snapshots/{self.name}/{made.name}"))
        self.assertEqual(self.client.count(self.name + "_2").count, 3)
        with self.assertRaises(UnexpectedResponse):
            self.client.recover_snapshot(self.name, location="http://localhost/nothing")
        self.assertIsNone(self.client.create_snapshot(self.name, wait=False))
        self.assertTrue(self.client.delete_snapshot(self.name, made.name))
        with self.assertRaises(UnexpectedResponse):
            self.client.delete_snapshot(self.name, made.name)

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
        self.assertEqual(info.payload_schema, {})
        self.assertTrue(self.client.delete_collection(self.name))
        with self.assertRaises(UnexpectedResponse) as raised:
            self.client.get_collection(self.name)
        self.assertEqual(raised.exception.status_code, 404)

    def test_every_option_of_creation_is_taken(self):
        self.client.create_collection(
            self.name,
            vectors_config={
                "": models.VectorParams(size=4, distance=models.Distance.COSINE, on_disk=True),
                "b": models.VectorParams(size=4, distance=models.Distance.EUCLID, datatype=models.Datatype.FLOAT16),
            },
            shard_number=1,
            replication_factor=1,
            on_disk_payload=True,
            hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            optimizers_config=models.OptimizersConfigDiff(max_optimization_threads=2),
            wal_config=models.WalConfigDiff(wal_capacity_mb=1),
            quantization_config=models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True)),
            metadata={"owner": "me"},
        )
        config = self.client.get_collection(self.name).config
        self.assertEqual(config.params.vectors[""].on_disk, True)
        self.assertEqual(config.params.vectors["b"].datatype, models.Datatype.FLOAT16)
        self.assertEqual((config.hnsw_config.m, config.hnsw_config.payload_m), (0, 16))
        self.assertEqual(config.wal_config.wal_capacity_mb, 1)
        self.assertTrue(config.quantization_config.binary.always_ram)
        self.assertEqual(config.metadata, {"owner": "me"})

    def test_options_that_are_not_known_do_not_keep_a_collection_from_being_read(self):
        scalar = {"scalar": {"type": "int8", "other": 1}, "other": 1}
        graph = {"m": 8, "other": 1}
        vector = {"size": 2, "distance": "Dot", "other": 1, "hnsw_config": graph, "quantization_config": scalar}
        body = {
            "vectors": {"a": vector}, "sparse_vectors": {"s": {"index": {"other": 1}, "other": 1}},
            "hnsw_config": graph, "quantization_config": scalar, "optimizers_config": {"other": 1},
            "strict_mode_config": {"other": 1}, "payload": {"other": 1}, "wal_config": {"other": 1},
        }
        answer = self.server.request("PUT", f"/collections/{self.name}", body)
        self.assertEqual(answer.status, 200)
        index = {"field_name": "k", "field_schema": {"type": "keyword", "other": 1}}
        self.assertEqual(self.server.request("PUT", f"/collections/{self.name}/index", index).status, 200)
        info = self.client.get_collection(self.name)
        self.assertEqual(info.config.params.vectors["a"].hnsw_config.m, 8)
        self.assertEqual(list(info.payload_schema), ["k"])

    def test_query_filter_scroll_count_retrieve_delete(self):
        self.fill()
        hits = self.client.query_points(self.name, query=[1.0, 0.0], with_payload=True, with_vectors=True).points
        self.assertEqual([h.id for h in hits], [str(HEX_ID), 1, 2])
        self.assertEqual((hits[0].score, hits[0].vector, hits[0].payload["n"]), (2.0, [2.0, 2.0], 3))

        red = models.Filter(must=[match("colour", "red")])
        hits = self.client.query_points(self.name, query=2, query_filter=red, limit=1).points
        self.assertEqual([h.id for h in hits], [str(HEX_ID)])
        either = models.Filter(
            should=[match("n", 2), models.FieldCondition(key="n", range=models.Range(gte=3))],
            must_not=[models.HasIdCondition(has_id=[1])],
        )
        self.assertEqual(self.client.count(self.name, count_filter=either).count, 2)
        answers = self.client.query_batch_points(
            self.name, requests=[models.QueryRequest(query=1, limit=1), models.QueryRequest(query=[0.0, 1.0])]
        )
        self.assertEqual([len(a.points) for a in answers], [1, 3])

        page, offset = self.client.scroll(self.name, limit=2)
        self.assertEqual(([p.id for p in page], offset), ([1, 2], str(HEX_ID)))
        page, offset = self.client.scroll(self.name, limit=2, offset=offset, with_vectors=True)
        self.assertEqual((page[0].vector, offset), ([2.0, 2.0], None))

        record = self.client.retrieve(self.name, ids=[HEX_ID.hex, 99], with_payload=["n"])
        self.assertEqual([(r.id, r.payload) for r in record], [(str(HEX_ID), {"n": 3})])

        self.client.delete(self.name, points_selector=[1])
        self.client.delete(self.name, points_selector=models.FilterSelector(filter=red))
        self.assertEqual(self.client.count(self.name).count, 1)

    def test_datatypes_and_multivectors(self):
        max_sim = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        dot = models.Distance.DOT
        self.client.create_collection(
            self.name,
            vectors_config={
                "half": models.VectorParams(size=2, distance=dot, datatype=models.Datatype.FLOAT16),
                "byte": models.VectorParams(size=2, distance=dot, datatype=models.Datatype.UINT8),
                "rows": models.VectorParams(size=2, distance=dot, multivector_config=max_sim),
            },
        )
        vectors = self.client.get_collection(self.name).config.params.vectors
        self.assertEqual(vectors["byte"].datatype, models.Datatype.UINT8)
        self.assertEqual(vectors["rows"].multivector_config, max_sim)
        points = [
            models.PointStruct(id=1, vector={"half": [0.1, 1], "byte": [1, 255], "rows": [[1.0, 0.0], [0.0, 2.0]]}),
            models.PointStruct(id=2, vector={"half": [2, 2], "byte": [7, 0], "rows": [[3.0, 3.0]]}),
        ]
        self.client.upsert(self.name, points=points)
        kept = self.client.retrieve(self.name, ids=[1], with_vectors=True)[0].vector
        self.assertEqual(kept, {"half": [0.099975586, 1.0], "byte": [1.0, 255.0], "rows": [[1.0, 0.0], [0.0, 2.0]]})
        for using, query, scores in (
            ("half", [1.0, 0.0], [(2, 2.0), (1, 0.099975586)]),
            ("byte", [0.0, 2.0], [(1, 510.0), (2, 0.0)]),
            ("rows", [[1.0, 0.0], [0.0, 1.0]], [(2, 6.0), (1, 3.0)]),
            ("rows", [0.0, 1.0], [(2, 3.0), (1, 2.0)]),
        ):
            hits = self.client.query_points(self.name, query=query, using=using).points
            self.assertEqual([(h.id, h.score) for h in hits], scores)
        page, _ = self.client.scroll(self.name, limit=1, with_vectors=["rows"])
        self.assertEqual(page[0].vector, {"rows": [[1.0, 0.0], [0.0, 2.0]]})

    def test_payload_indexes(self):
        self.fill()
        made = self.client.create_payload_index(self.name, "colour", field_schema=models.PayloadSchemaType.KEYWORD)
        self.assertEqual(made.status, models.UpdateStatus.COMPLETED)
        self.client.create_payload_index(
            self.name,
            "n",
            field_schema=models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=True),
        )
        schema = self.client.get_collection(self.name).payload_schema
        self.assertEqual(schema["colour"].data_type, models.PayloadSchemaType.KEYWORD)
        self.assertEqual((schema["colour"].points, schema["colour"].params), (3, None))
        self.assertEqual(schema["n"].data_type, models.PayloadSchemaType.INTEGER)
        self.assertEqual((schema["n"].params.lookup, schema["n"].params.range), (True, True))
        red = models.Filter(must=[match("colour", "red"), models.FieldCondition(key="n", range=models.Range(gt=1))])
        self.assertEqual(self.client.count(self.name, count_filter=red).count, 1)
        hits = self.client.query_points(self.name, query=[1.0, 0.0], query_filter=red).points
        self.assertEqual([h.id for h in hits], [str(HEX_ID)])
        self.client.delete_payload_index(self.name, "colour")
        words = models.TextIndexParams(type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.PREFIX)
        self.client.create_payload_index(self.name, "colour", field_schema=words)
        schema = self.client.get_collection(self.name).payload_schema
        self.assertEqual(schema["colour"].data_type, models.PayloadSchemaType.TEXT)
        self.assertEqual(schema["colour"].params.tokenizer, models.TokenizerType.PREFIX)
        begins = models.Filter(must=[models.FieldCondition(key="colour", match=models.MatchText(text="gre"))])
        self.assertEqual(self.client.count(self.name, count_filter=begins).count, 1)
        self.client.delete_payload_index(self.name, "colour")
        self.assertEqual(list(self.client.get_collection(self.name).payload_schema), ["n"])

    def test_payloads_and_vectors_change_as_in_the_client_s_own_local_mode(self):
        """The same random edits here and there; the client's local mode is the dialect's model."""
        seed = int(os.environ.get("AKIDB_TEST_SEED", "2718"))
        generator = random.Random(seed)
        local = QdrantClient(":memory:")
        clients = (self.client, local)
        ids = list(range(12))
        keys = ["a", "b", "b.c", "b.c.d", "l", "l[]", "l[0]", "l[1].x", "l[].x", "l[].x[]", "new.deep[].er"]

        def value(depth=0):
            kind = generator.randrange(6 if depth < 2 else 3)
            if kind < 3:
                return (generator.randrange(3), None, "text")[kind]
            if kind == 3:
                return [value(depth + 1) for _ in range(generator.randrange(3))]
            return payload(depth + 1)

        def payload(depth=0):
            names = generator.sample(["a", "b", "c", "d", "l", "x"], generator.randrange(4))
            return {name: value(depth) for name in names}

        for client in clients:
            config = models.VectorParams(size=2, distance=models.Distance.DOT)
            client.create_collection(self.name, vectors_config={"": config, "v": config})
        points = [models.PointStruct(id=i, vector={"": [i, 1], "v": [1, i]}, payload=payload()) for i in ids]
        for client in clients:
            client.upsert(self.name, points=points, wait=True)

        def edit():
            some = generator.sample(ids, 1 + generator.randrange(4))
            if generator.randrange(4) == 0:
                some = models.Filter(must=[match("a", generator.randrange(3))])
            key, new = generator.choice([None, *keys]), payload()
            removed = generator.sample(keys, 1 + generator.randrange(2))
            vectors = [models.PointVectors(id=generator.choice(ids), vector={"v": [1.5, generator.randrange(9)]})]
            return generator.choice(
                (
                    lambda c: c.set_payload(self.name, payload=new, points=some, wait=True),
                    lambda c: c.set_payload(self.name, payload=new, points=some, key=key, wait=True),
                    lambda c: c.overwrite_payload(self.name, payload=new, points=some, wait=True),
                    lambda c: c.delete_payload(self.name, keys=removed, points=some, wait=True),
                    lambda c: c.clear_payload(self.name, points_selector=some, wait=True),
                    lambda c: c.update_vectors(self.name, points=vectors, wait=True),
                    lambda c: c.delete_vectors(self.name, vectors=["v"], points=some, wait=True),
                )
            )

        for number in range(400):
            change = edit()
            for client in clients:
                change(client)
            with self.subTest(seed=seed, edit=number):
                here, there = (
                    {r.id: (r.payload, r.vector) for r in c.scroll(self.name, limit=100, with_vectors=True)[0]}
                    for c in clients
                )
                self.assertEqual(here, there)
        with self.assertRaises(UnexpectedResponse) as raised:
            self.client.set_payload(self.name, payload={"a": 1}, points=[99, 1], wait=True)
        self.assertEqual(raised.exception.status_code, 404)
        self.assertIn("No point with id 99 found", str(raised.exception))

    def test_batches_of_writes_as_the_local_mode_does_them(self):
        clients = (self.client, QdrantClient(":memory:"))
        self.addCleanup(clients[1].close)
        config = models.VectorParams(size=2, distance=models.Distance.DOT)
        points = [
            models.PointStruct(id=i, vector={"": [i, 1], "v": [1, i]}, payload={"a": i % 3, "n": {"x": i}})
            for i in range(1, 20)
        ]
        of = models.Filter(must=[match("a", 1)])
        operations = [
            models.UpsertOperation(upsert=models.PointsList(points=points)),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"b": 7}, points=[1, 2, 3])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"y": 0}, key="n", filter=of)),
            models.OverwritePayloadOperation(
                overwrite_payload=models.SetPayload(payload={"a": 1, "c": [1]}, points=[5, 6])
            ),
            models.DeletePayloadOperation(delete_payload=models.DeletePayload(keys=["n.x"], filter=of)),
            models.ClearPayloadOperation(clear_payload=models.PointIdsList(points=[8])),
            models.UpdateVectorsOperation(
                update_vectors=models.UpdateVectors(points=[models.PointVectors(id=9, vector={"v": [3.5, 4.5]})])
            ),
            models.DeleteVectorsOperation(delete_vectors=models.DeleteVectors(points=[10, 11], vector=["v"])),
            models.DeleteOperation(delete=models.FilterSelector(filter=models.Filter(must=[match("a", 2)]))),
        ]
        held = []
        for client in clients:
            client.create_collection(self.name, vectors_config={"": config, "v": config})
            results = client.batch_update_points(self.name, update_operations=operations, wait=True)
            self.assertEqual([r.status for r in results], [models.UpdateStatus.COMPLETED] * len(operations))
            found = client.scroll(self.name, limit=100, with_vectors=True)[0]
            held.append({r.id: (r.payload, r.vector) for r in found})
        self.assertEqual(*held)
        with self.assertRaises(UnexpectedResponse) as raised:
            wrong = models.PointsList(points=[models.PointStruct(id=1, vector={"": [1.0]})])
            self.client.batch_update_points(self.name, [models.UpsertOperation(upsert=wrong)])
        self.assertEqual(raised.exception.status_code, 400)
        self.assertIn("expected dim: 2, got 1", str(raised.exception))

    def test_columns_and_bulk_upload(self):
        self.fill()
        self.client.upsert(
            self.name, points=models.Batch(ids=[10, 11], vectors=[[1, 1], [2, 2]], payloads=[{"a": 1}, {"a": 2}])
        )
        self.client.upload_collection(self.name, vectors=[[0.5, 0.5]] * 100, ids=range(100, 200), wait=True)
        self.assertEqual(self.client.count(self.name).count, 105)

    @unittest.skipIf(model_missing(), model_missing())
    def test_documents_are_embedded_by_the_server(self):
        self.client.create_collection(
            self.name, vectors_config={"text": models.VectorParams(size=384, distance=models.Distance.COSINE)}
        )
        texts = ["Replace the oil filter every year.", "The cat sleeps.", "Paris is in France."]
        self.client.upsert(
            self.name,
            points=[
                models.PointStruct(id=i, vector={"text": models.Document(text=t, model=MODEL)}, payload={"t": t})
                for i, t in enumerate(texts)
            ],
        )
        hits = self.client.query_points(
            self.name, query=models.Document(text="car maintenance", model=MODEL), using="text", limit=1
        ).points
        self.assertEqual(hits[0].id, 0)


class Keys(unittest.TestCase):
    def test_the_client_carries_a_key(self):
        server = Server(environment={"AKIDB_API_KEY": "full-0123", "AKIDB_READ_ONLY_API_KEY": "reader-0123"}).start()
        self.addCleanup(server.close)

        def client(key):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a key goes over plain HTTP
                made = QdrantClient(url=f"http://127.0.0.1:{server.port}", api_key=key, timeout=60)
            self.addCleanup(made.close)
            return made

        config = models.VectorParams(size=2, distance=models.Distance.DOT)
        client("full-0123").create_collection("c", vectors_config=config)
        self.assertTrue(client("reader-0123").collection_exists("c"))
        for key, status in (("reader-0123", 403), ("wrong", 401)):
            with self.assertRaises(UnexpectedResponse) as refused:
                client(key).delete_collection("c")
            self.assertEqual(refused.exception.status_code, status)


if __name__ == "__main__":
    unittest.main()
