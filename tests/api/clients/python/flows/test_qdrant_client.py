"""qdrant-client, synchronous and asynchronous: texts in, dense and BM25 vectors made by the server, both fused."""

import asyncio
import unittest

from flow import HASHED_DIM, MODEL, QUESTION, TEXTS, FlowTestCase, hashed, model_missing
from qdrant_client import AsyncQdrantClient, QdrantClient, models


def dense(text):
    return hashed(text) if model_missing() else models.Document(text=text, model=MODEL)


def bm25(text):
    return models.Document(text=text, model="Qdrant/bm25")


SHAPE = {
    "vectors_config": {
        "dense": models.VectorParams(
            size=HASHED_DIM if model_missing() else 384, distance=models.Distance.COSINE
        )
    },
    "sparse_vectors_config": {"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
}
POINTS = [
    models.PointStruct(id=n, vector={"dense": dense(text), "words": bm25(text)}, payload={"text": text, "topic": topic})
    for text, topic, n in TEXTS
]
FOOD = models.Filter(must=[models.FieldCondition(key="topic", match=models.MatchValue(value="food"))])


def hybrid(text, **more):
    both = [
        models.Prefetch(query=dense(text), using="dense", limit=5),
        models.Prefetch(query=bm25(text), using="words", limit=5),
    ]
    return {"prefetch": both, "query": models.FusionQuery(fusion=models.Fusion.RRF), "with_payload": True, **more}


class Client(FlowTestCase):
    def test_synchronous(self):
        client = QdrantClient(url=self.url, cloud_inference=True)
        client.create_collection(self.name, **SHAPE)
        client.create_payload_index(self.name, "topic", models.PayloadSchemaType.KEYWORD)
        client.upload_points(self.name, POINTS, batch_size=4, wait=True)
        client.close()
        self.restart()
        client = QdrantClient(url=self.url, cloud_inference=True)
        self.addCleanup(client.close)
        found = client.query_points(self.name, limit=2, **hybrid(QUESTION)).points
        self.assertEqual((found[0].id, found[0].score), (1, 1.0))
        found = client.query_points(self.name, query=bm25("thousand temples"), using="words").points
        self.assertEqual([point.id for point in found], [6])
        found = client.query_points(self.name, query_filter=FOOD, **hybrid(QUESTION)).points
        self.assertEqual(sorted(point.id for point in found), [3, 4])
        batch = [models.QueryRequest(query=dense(QUESTION), using="dense", limit=1) for _ in range(2)]
        self.assertEqual([answer.points[0].id for answer in client.query_batch_points(self.name, batch)], [1, 1])
        self.assertEqual(client.facet(self.name, "topic").hits[0].count, 2)
        client.delete(self.name, points_selector=models.FilterSelector(filter=FOOD))
        self.assertEqual(client.count(self.name).count, 4)

    def test_asynchronous(self):
        async def fill():
            client = AsyncQdrantClient(url=self.url, cloud_inference=True)
            await client.create_collection(self.name, **SHAPE)
            await asyncio.gather(*(client.upsert(self.name, points=[point], wait=True) for point in POINTS))
            self.assertEqual((await client.get_collection(self.name)).points_count, len(POINTS))
            await client.close()

        async def ask():
            client = AsyncQdrantClient(url=self.url, cloud_inference=True)
            questions = [text for text, _, _ in TEXTS] * 5
            answers = await asyncio.gather(*(client.query_points(self.name, limit=1, **hybrid(q)) for q in questions))
            for answer, question in zip(answers, questions):
                self.assertEqual(answer.points[0].payload["text"], question)
            await client.set_payload(self.name, payload={"seen": True}, points=FOOD)
            records, following = await client.scroll(self.name, limit=4, with_payload=["seen"])
            self.assertEqual(([record.id for record in records], following), ([1, 2, 3, 4], 5))
            self.assertEqual([record.payload for record in records], [{}, {}, {"seen": True}, {"seen": True}])
            await client.delete(self.name, points_selector=[1])
            answer = await client.query_points(self.name, limit=1, **hybrid(QUESTION))
            self.assertNotEqual(answer.points[0].id, 1)
            self.assertTrue(await client.delete_collection(self.name))
            await client.close()

        asyncio.run(fill())
        self.restart()
        asyncio.run(ask())


if __name__ == "__main__":
    unittest.main()
