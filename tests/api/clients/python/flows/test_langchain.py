"""langchain-qdrant, unmodified."""

import asyncio
import unittest
import uuid

from flow import QUESTION, TEXTS, FlowTestCase, sparse
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore, RetrievalMode
from langchain_qdrant.qdrant import QdrantVectorStoreError
from langchain_qdrant.sparse_embeddings import SparseEmbeddings, SparseVector
from qdrant_client import models


class ServerEmbeddings(Embeddings):
    def __init__(self, test):
        self.test = test

    def embed_documents(self, texts):
        return self.test.embed(texts)

    def embed_query(self, text):
        return self.test.embed([text])[0]


class WordEmbeddings(SparseEmbeddings):
    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text):
        indices, values = sparse(text)
        return SparseVector(indices=indices, values=values)


def of_topic(topic):
    return models.Filter(must=[models.FieldCondition(key="metadata.topic", match=models.MatchValue(value=topic))])


class LangChain(FlowTestCase):
    def from_texts(self, **options):
        return QdrantVectorStore.from_texts(
            [text for text, _, _ in TEXTS],
            metadatas=[{"topic": topic, "n": n} for _, topic, n in TEXTS],
            url=self.url,
            collection_name=self.name,
            **options,
        )

    def reopen(self, **options):
        return QdrantVectorStore.from_existing_collection(self.name, url=self.url, **options)

    def test_dense(self):
        dense = ServerEmbeddings(self)
        store = self.from_texts(embedding=dense)
        self.assertEqual(store.similarity_search(QUESTION, k=1)[0].page_content, TEXTS[0][0])
        ids = [uuid.uuid4().hex for _ in range(150)]  # three batches of 64
        remarks = [Document(f"remark {i}", metadata={"topic": "remarks"}) for i in range(150)]
        self.assertEqual(store.add_documents(remarks, ids=ids), ids)

        self.restart()
        store = self.reopen(embedding=dense)
        scored = store.similarity_search_with_score(QUESTION, k=3, filter=of_topic("maintenance"))
        self.assertEqual([document.metadata["n"] for document, _ in scored], [1, 2])
        self.assertGreater(scored[0][1], scored[1][1])
        relevant = store.similarity_search_with_relevance_scores(QUESTION, k=1)
        self.assertTrue(0.5 < relevant[0][1] <= 1)
        self.assertEqual(store.similarity_search(QUESTION, k=4, score_threshold=2.0), [])
        diverse = store.max_marginal_relevance_search(QUESTION, k=2, fetch_k=4, lambda_mult=0.5)
        self.assertEqual(len(diverse), 2)
        self.assertEqual(diverse[0].page_content, TEXTS[0][0])
        retriever = store.as_retriever(search_type="mmr", search_kwargs={"k": 1, "fetch_k": 2})
        self.assertEqual(retriever.invoke(QUESTION)[0].page_content, TEXTS[0][0])

        (first,) = store.get_by_ids(ids[:1])
        self.assertEqual((first.page_content, first.metadata["_id"]), ("remark 0", str(uuid.UUID(ids[0]))))
        self.assertTrue(store.delete(ids))
        self.assertEqual(store.get_by_ids(ids), [])
        self.assertEqual(store.client.count(self.name).count, len(TEXTS))

    def test_hybrid(self):
        both = {"embedding": ServerEmbeddings(self), "sparse_embedding": WordEmbeddings()}
        both.update(retrieval_mode=RetrievalMode.HYBRID, vector_name="dense", sparse_vector_name="words")
        idf = {"modifier": models.Modifier.IDF}
        store = self.from_texts(sparse_vector_params=idf, **both)
        self.restart()
        store = self.reopen(**both)
        scored = store.similarity_search_with_score(QUESTION, k=2)
        self.assertEqual(scored[0][0].metadata["n"], 1)
        self.assertEqual(scored[0][1], 1.0)  # first of both lists: 2 / (1 + 1)
        scored = store.similarity_search_with_score("thousand temples", k=1, filter=of_topic("places"))
        self.assertEqual(scored[0][0].metadata["n"], 6)
        dbsf = models.FusionQuery(fusion=models.Fusion.DBSF)
        found = store.similarity_search("sweet yellow banana", k=1, hybrid_fusion=dbsf)
        self.assertEqual(found[0].metadata["n"], 3)
        self.assertTrue(store.delete([found[0].metadata["_id"]]))
        self.assertNotEqual(store.similarity_search("sweet yellow banana", k=1)[0].metadata["n"], 3)

    def test_sparse_alone(self):
        words = {"sparse_embedding": WordEmbeddings(), "retrieval_mode": RetrievalMode.SPARSE}
        self.from_texts(**words)
        self.restart()
        store = self.reopen(**words)
        found = store.similarity_search("capital Norway", k=5)
        self.assertEqual(found[0].metadata["n"], 5)

    def test_asynchronous(self):
        async def flow():
            store = QdrantVectorStore.construct_instance(
                ServerEmbeddings(self), client_options={"url": self.url}, collection_name=self.name
            )
            ids = await store.aadd_texts([text for text, _, _ in TEXTS])
            found = await store.asimilarity_search(QUESTION, k=1)
            self.assertEqual(found[0].page_content, TEXTS[0][0])
            self.assertTrue(await store.adelete(ids[:1]))
            return await store.asimilarity_search(QUESTION, k=1)

        self.assertNotEqual(asyncio.run(flow())[0].page_content, TEXTS[0][0])

    def test_a_collection_of_another_shape_is_seen(self):
        store = self.from_texts(embedding=ServerEmbeddings(self))
        with self.assertRaisesRegex(QdrantVectorStoreError, "does not contain dense vector|unnamed dense vector"):
            self.reopen(embedding=ServerEmbeddings(self), vector_name="other")
        self.assertTrue(store.client.delete_collection(self.name))
        self.from_texts(embedding=ServerEmbeddings(self), force_recreate=True)


if __name__ == "__main__":
    unittest.main()
