"""llama-index-vector-stores-qdrant, unmodified: an index of documents over its store."""

import asyncio
import unittest
import uuid

from flow import QUESTION, TEXTS, FlowTestCase, sparse
from llama_index.core import Document, Settings, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import AsyncQdrantClient, QdrantClient, models

Settings.llm = None


class ServerEmbedding(BaseEmbedding):
    def _get_text_embedding(self, text):
        return self._test.embed([text])[0]

    def _get_text_embeddings(self, texts):
        return self._test.embed(texts)

    def _get_query_embedding(self, query):
        return self._test.embed([query])[0]

    async def _aget_query_embedding(self, query):
        return self._get_query_embedding(query)

    def __init__(self, test):
        super().__init__()
        self._test = test


def word_vectors(texts):
    indices, values = zip(*(sparse(text) for text in texts))
    return list(indices), list(values)


def where(key, value, operator=FilterOperator.EQ):
    return MetadataFilter(key=key, value=value, operator=operator)


class LlamaIndex(FlowTestCase):
    def store(self, **options):
        client, asynchronous = QdrantClient(url=self.url), AsyncQdrantClient(url=self.url)
        self.addCleanup(client.close)
        return QdrantVectorStore(self.name, client=client, aclient=asynchronous, batch_size=4, **options)

    def build(self, **options):
        left_out = {"excluded_embed_metadata_keys": ["topic", "n"]}
        documents = [
            Document(text=text, metadata={"topic": topic, "n": n}, doc_id=f"doc-{n}", **left_out)
            for text, topic, n in TEXTS
        ]
        context = StorageContext.from_defaults(vector_store=self.store(**options))
        VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=ServerEmbedding(self))

    def index(self, **options):
        return VectorStoreIndex.from_vector_store(self.store(**options), embed_model=ServerEmbedding(self))

    def numbers(self, nodes):
        return [node.metadata["n"] for node in nodes]

    def test_an_index_of_documents(self):
        indexed = [{"field_name": "topic", "field_schema": models.PayloadSchemaType.KEYWORD}]
        self.build(payload_indexes=indexed)
        self.restart()
        index = self.index()
        self.assertEqual(self.numbers(index.as_retriever(similarity_top_k=2).retrieve(QUESTION))[0], 1)

        def found(*filters, condition=FilterCondition.AND):
            chosen = MetadataFilters(filters=list(filters), condition=condition)
            nodes = index.as_retriever(similarity_top_k=9, filters=chosen).retrieve(QUESTION)
            return sorted(self.numbers(nodes))

        self.assertEqual(found(where("topic", "food")), [3, 4])
        self.assertEqual(found(where("n", 3.0)), [3])  # an equal float is a range
        self.assertEqual(found(where("n", 4, FilterOperator.GT), where("topic", "places")), [5, 6])
        self.assertEqual(found(where("n", 1), where("n", 6), condition=FilterCondition.OR), [1, 6])
        self.assertEqual(found(where("topic", "food"), condition=FilterCondition.NOT), [1, 2, 5, 6])
        self.assertEqual(found(where("topic", ["food", "places"], FilterOperator.NIN)), [1, 2])
        self.assertEqual(found(where("topic", "food,places", FilterOperator.IN)), [3, 4, 5, 6])
        self.assertEqual(found(where("topic", "places", FilterOperator.TEXT_MATCH)), [5, 6])
        self.assertEqual(found(where("nothing", None, FilterOperator.IS_EMPTY)), [1, 2, 3, 4, 5, 6])

        store = index.vector_store
        self.assertEqual(sorted(store.client.get_collection(self.name).payload_schema), ["doc_id", "topic"])
        index.delete_ref_doc("doc-1")
        self.assertEqual(store.client.count(self.name).count, 5)
        nodes = store.get_nodes(filters=MetadataFilters(filters=[where("topic", "food")]))
        self.assertEqual((sorted(self.numbers(nodes)), len(nodes[0].embedding)), ([3, 4], self.dim))
        store.delete_nodes(node_ids=[nodes[0].node_id])
        self.assertEqual(store.get_nodes(node_ids=[nodes[0].node_id]), [])
        index.insert(Document(text=TEXTS[0][0], metadata={"n": 10}))
        self.assertEqual(self.numbers(index.as_retriever(similarity_top_k=1).retrieve(QUESTION)), [10])
        store.clear()
        self.assertFalse(store.client.collection_exists(self.name))

    def test_hybrid(self):
        options = {"enable_hybrid": True, "sparse_doc_fn": word_vectors, "sparse_query_fn": word_vectors}
        idf = models.SparseVectorParams(modifier=models.Modifier.IDF)
        self.build(sparse_config=idf, **options)
        self.restart()
        index = self.index(**options)

        def found(question, mode, **more):
            retriever = index.as_retriever(vector_store_query_mode=mode, similarity_top_k=2, sparse_top_k=4, **more)
            return self.numbers(retriever.retrieve(question))

        self.assertEqual(found(QUESTION, "hybrid", alpha=0.5)[0], 1)
        self.assertEqual(found("thousand temples", "sparse")[0], 6)
        self.assertEqual(found(QUESTION, "default")[0], 1)
        food = MetadataFilters(filters=[where("topic", "food")])
        self.assertEqual(found("yellow banana", "hybrid", filters=food)[0], 3)

    def test_asynchronous(self):
        async def flow():
            options = {"enable_hybrid": True, "sparse_doc_fn": word_vectors, "sparse_query_fn": word_vectors}
            store = self.store(**options)
            nodes = [
                TextNode(id_=str(uuid.uuid4()), text=text, metadata={"topic": topic, "n": n})
                for text, topic, n in TEXTS
            ]
            for node, vector in zip(nodes, self.embed([node.text for node in nodes])):
                node.embedding = vector
            self.assertEqual(await store.async_add(nodes), [node.node_id for node in nodes])
            query = VectorStoreQuery(
                query_embedding=self.embed([QUESTION])[0],
                query_str=QUESTION,
                similarity_top_k=3,
                mode=VectorStoreQueryMode.HYBRID,
            )
            answer = await store.aquery(query)
            self.assertEqual(answer.nodes[0].metadata["n"], 1)
            await store.adelete_nodes(node_ids=[nodes[0].node_id])
            left = await store.aget_nodes(filters=MetadataFilters(filters=[where("topic", "maintenance")]))
            self.assertEqual([node.metadata["n"] for node in left], [2])
            await store.aclear()

        asyncio.run(flow())


if __name__ == "__main__":
    unittest.main()
