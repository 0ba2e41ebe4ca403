"""qdrant-haystack, unmodified: the document store and its retrievers."""

import asyncio
import unittest

from flow import QUESTION, TEXTS, FlowTestCase, sparse
from haystack import Document, Pipeline
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.retrievers.qdrant import (
    QdrantEmbeddingRetriever,
    QdrantHybridRetriever,
    QdrantSparseEmbeddingRetriever,
)
from haystack_integrations.document_stores.qdrant import QdrantDocumentStore
from haystack_integrations.document_stores.qdrant.migrate_to_sparse import migrate_to_sparse_embeddings_support


def equals(field, value, operator="=="):
    return {"field": field, "operator": operator, "value": value}


def every(*conditions):
    return {"operator": "AND", "conditions": list(conditions)}


class Haystack(FlowTestCase):
    def store(self, **options):
        store = QdrantDocumentStore(
            url=self.url, index=self.name, embedding_dim=self.dim, progress_bar=False, return_embedding=True, **options
        )
        self.addCleanup(store.close)
        return store

    def documents(self, with_words=True):
        vectors = self.embed([text for text, _, _ in TEXTS])
        return [
            Document(
                id=f"doc-{n}",
                content=text,
                meta={"topic": topic, "n": n, "at": f"2024-01-0{n}T00:00:00"},
                embedding=vector,
                sparse_embedding=SparseEmbedding(*sparse(text)) if with_words else None,
            )
            for (text, topic, n), vector in zip(TEXTS, vectors)
        ]

    def numbers(self, documents):
        return sorted(document.meta["n"] for document in documents)

    def test_dense_documents_and_filters(self):
        store = self.store(payload_fields_to_index=[{"field_name": "meta.topic", "field_schema": "keyword"}])
        documents = self.documents(with_words=False)
        self.assertEqual(store.write_documents(documents, policy=DuplicatePolicy.FAIL), len(TEXTS))
        with self.assertRaises(DuplicateDocumentError):
            store.write_documents(documents[:1], policy=DuplicatePolicy.FAIL)
        store.write_documents(documents[:2], policy=DuplicatePolicy.SKIP)
        store.write_documents(documents[:2], policy=DuplicatePolicy.OVERWRITE)

        self.restart()
        store = self.store()
        self.assertEqual(store.count_documents(), len(TEXTS))
        found = store.filter_documents(every(equals("meta.topic", "food"), equals("meta.n", 3, ">")))
        self.assertEqual(self.numbers(found), [4])
        self.assertEqual(len(found[0].embedding), self.dim)
        expected = (
            (equals("meta.n", 2, "<="), [1, 2]),
            (equals("meta.topic", "food", "!="), [1, 2, 5, 6]),
            (equals("meta.topic", ["food", "places"], "in"), [3, 4, 5, 6]),
            (equals("meta.topic", ["food", "places"], "not in"), [1, 2]),
            (equals("meta.at", "2024-01-05T00:00:00", ">="), [5, 6]),
            ({"operator": "OR", "conditions": [equals("meta.n", 1), equals("meta.n", 6)]}, [1, 6]),
            ({"operator": "NOT", "conditions": [equals("meta.topic", "food")]}, [1, 2, 5, 6]),
        )
        for condition, numbers in expected:
            with self.subTest(condition=condition):
                self.assertEqual(self.numbers(store.filter_documents(condition)), numbers)
                self.assertEqual(store.count_documents_by_filter(condition), len(numbers))
        pipeline = Pipeline()
        pipeline.add_component("retriever", QdrantEmbeddingRetriever(document_store=store, top_k=2))
        question = self.embed([QUESTION])[0]
        best = pipeline.run({"retriever": {"query_embedding": question}})["retriever"]["documents"]
        self.assertEqual(best[0].content, TEXTS[0][0])
        grouped = QdrantEmbeddingRetriever(document_store=store, group_by="meta.topic", group_size=1, top_k=3)
        topics = [document.meta["topic"] for document in grouped.run(query_embedding=question)["documents"]]
        self.assertEqual((topics[0], sorted(topics)), ("maintenance", ["food", "maintenance", "places"]))

        self.assertEqual(store.get_metadata_fields_info(), {"topic": {"type": "keyword"}})
        self.assertEqual(store.get_metadata_field_min_max("n"), {"min": 1, "max": 6})
        self.assertEqual(store.update_by_filter(equals("meta.topic", "food"), {"checked": True}), 2)
        self.assertEqual(self.numbers(store.filter_documents(equals("meta.checked", True))), [3, 4])
        store.delete_documents(["doc-1", "doc-99"])
        self.assertEqual(store.delete_by_filter(equals("meta.topic", "places")), 2)
        self.assertEqual(store.count_documents(), 3)
        store.delete_all_documents()
        self.assertEqual(store.count_documents(), 0)

    def test_hybrid_retrievers(self):
        store = self.store(use_sparse_embeddings=True, sparse_idf=True)
        store.write_documents(self.documents())
        self.restart()
        store = self.store(use_sparse_embeddings=True, sparse_idf=True)
        question = self.embed([QUESTION])[0]
        temples = SparseEmbedding(*sparse("thousand temples"))
        retriever = QdrantSparseEmbeddingRetriever(document_store=store, return_embedding=True)
        found = retriever.run(query_sparse_embedding=temples)["documents"]
        self.assertEqual(found[0].meta["n"], 6)
        self.assertEqual(found[0].sparse_embedding.indices, sorted(sparse(TEXTS[5][0])[0]))
        for options in ({}, {"rrf_k": 10}, {"rrf_weights": [5.0, 1.0]}):
            with self.subTest(options=options):
                retriever = QdrantHybridRetriever(document_store=store, top_k=2, **options)
                both = retriever.run(query_embedding=question, query_sparse_embedding=temples)["documents"]
                self.assertEqual({document.meta["n"] for document in both}, {1, 6})

    def test_a_store_moves_to_sparse_embeddings(self):
        """Its optimizer is told to rest meanwhile, by a change of the collection."""
        old = self.store()
        old.write_documents(self.documents(with_words=False))
        migrate_to_sparse_embeddings_support(old, self.name + "_new")
        options = {"embedding_dim": self.dim, "use_sparse_embeddings": True, "progress_bar": False}
        new = QdrantDocumentStore(url=self.url, index=self.name + "_new", **options)
        self.addCleanup(new.close)
        self.assertEqual(new.count_documents(), len(TEXTS))
        best = QdrantEmbeddingRetriever(document_store=new, top_k=1).run(query_embedding=self.embed([QUESTION])[0])
        self.assertEqual(best["documents"][0].content, TEXTS[0][0])

    def test_asynchronous(self):
        async def flow():
            store = self.store(use_sparse_embeddings=True)
            await store.write_documents_async(self.documents())
            self.assertEqual(await store.count_documents_async(), len(TEXTS))
            retriever = QdrantHybridRetriever(document_store=store, top_k=1)
            question = self.embed([QUESTION])[0]
            words = SparseEmbedding(*sparse(QUESTION))
            both = await retriever.run_async(query_embedding=question, query_sparse_embedding=words)
            self.assertEqual(both["documents"][0].content, TEXTS[0][0])
            self.assertEqual(await store.delete_by_filter_async(equals("meta.topic", "food")), 2)
            await store.close_async()

        asyncio.run(flow())


if __name__ == "__main__":
    unittest.main()
