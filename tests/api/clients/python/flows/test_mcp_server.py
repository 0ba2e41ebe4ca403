"""mcp-server-qdrant, unmodified: the tools that its users' assistants call."""

import asyncio
import unittest

from fastmcp import Client
from flow import QUESTION, TEXTS, FlowTestCase
from mcp_server_qdrant.embeddings.base import EmbeddingProvider
from mcp_server_qdrant.mcp_server import QdrantMCPServer
from mcp_server_qdrant.settings import FilterableField, QdrantSettings, ToolSettings


class ServerEmbeddings(EmbeddingProvider):
    def __init__(self, test):
        self.test = test

    async def embed_documents(self, documents):
        return self.test.embed(documents)

    async def embed_query(self, query):
        return self.test.embed([query])[0]

    def get_vector_name(self):
        return "fast-all-minilm-l6-v2"

    def get_vector_size(self):
        return self.test.dim


class McpServer(FlowTestCase):
    def tools(self, **settings):
        chosen = QdrantSettings(QDRANT_URL=self.url, COLLECTION_NAME=self.name, **settings)
        server = QdrantMCPServer(ToolSettings(), chosen, embedding_provider=ServerEmbeddings(self))
        return server, Client(server)

    @staticmethod
    def texts(answer):
        return [part.text for part in getattr(answer, "content", answer)]

    def test_store_and_find(self):
        async def store():
            server, client = self.tools()
            async with client:
                self.assertEqual(self.texts(await client.call_tool("qdrant-find", {"query": QUESTION})), [])
                for text, topic, n in TEXTS:
                    arguments = {"information": text, "metadata": {"topic": topic, "n": n}}
                    answer = await client.call_tool("qdrant-store", arguments)
                    self.assertEqual(self.texts(answer), [f"Remembered: {text} in collection {self.name}"])
            self.assertIn(self.name, await server.qdrant_connector.get_collection_names())

        async def find():
            _, client = self.tools()
            async with client:
                return self.texts(await client.call_tool("qdrant-find", {"query": QUESTION}))

        asyncio.run(store())
        self.restart()
        found = asyncio.run(find())
        joined = "\n".join(found)
        self.assertIn(f"Results for the query '{QUESTION}'", joined)
        self.assertIn(f"<content>{TEXTS[0][0]}</content>", joined)
        self.assertLess(joined.index(TEXTS[0][0]), joined.index(TEXTS[2][0]))

    def test_fields_to_filter_by(self):
        fields = [
            FilterableField(name="topic", description="what it is about", field_type="keyword", condition="=="),
            FilterableField(name="n", description="its number", field_type="integer", condition=">"),
        ]

        async def flow():
            server, client = self.tools(filterable_fields=fields)
            async with client:
                for text, topic, n in TEXTS:
                    metadata = {"topic": topic, "n": n}
                    await client.call_tool("qdrant-store", {"information": text, "metadata": metadata})
                arguments = {"query": QUESTION, "topic": "places", "n": 5}
                found = self.texts(await client.call_tool("qdrant-find", arguments))
            info = await server.qdrant_connector._client.get_collection(self.name)
            return "\n".join(found), info

        found, info = asyncio.run(flow())
        self.assertIn(TEXTS[5][0], found)
        for text, _, _ in TEXTS[:5]:
            self.assertNotIn(text, found)
        self.assertEqual(sorted(info.payload_schema), ["metadata.n", "metadata.topic"])


if __name__ == "__main__":
    unittest.main()
