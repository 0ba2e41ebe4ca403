"""mem0ai, unmodified: its memory without a language model, and its vector store with keyword search."""

import atexit
import os
import shutil
import tempfile
import unittest
import uuid

from flow import MODEL, QUESTION, TEXTS, FlowTestCase, model_missing, sparse

os.environ["MEM0_DIR"] = tempfile.mkdtemp(prefix="akidb-mem0-")  # not into the home folder
atexit.register(shutil.rmtree, os.environ["MEM0_DIR"], ignore_errors=True)

from mem0 import Memory  # noqa: E402
from mem0.vector_stores.qdrant import Qdrant  # noqa: E402


class Encoder:
    """In place of the model that mem0 would download for its keyword search."""

    class Vector:
        def __init__(self, text):
            self.indices, self.values = (Encoder.List(part) for part in sparse(text))

    class List(list):
        def tolist(self):
            return list(self)

    def embed(self, texts):
        return [Encoder.Vector(text) for text in texts]


class VectorStore(FlowTestCase):
    def store(self):
        made = Qdrant(self.name, self.dim, url=self.url)
        made._bm25_encoder = Encoder()
        self.addCleanup(made.client.close)
        return made

    def test_vectors_keywords_and_filters(self):
        store = self.store()
        ids = [str(uuid.uuid4()) for _ in TEXTS]
        texts = [text for text, _, _ in TEXTS]
        payloads = [
            {"data": text, "user_id": user, "topic": topic, "n": n, "at": f"2024-01-0{n}T12:00:00Z"}
            for (text, topic, n), user in zip(TEXTS, ["alice", "bob"] * 3)
        ]
        store.insert(self.embed(texts), payloads=payloads, ids=ids)
        self.restart()
        store = self.store()
        question = self.embed([QUESTION])[0]

        def found(filters):
            return sorted(point.payload["n"] for point in store.search(QUESTION, question, top_k=9, filters=filters))

        self.assertEqual(store.search(QUESTION, question, top_k=1)[0].id, ids[0])
        self.assertEqual(found({"user_id": "alice"}), [1, 3, 5])
        self.assertEqual(found({"topic": ["food", "places"], "user_id": "bob"}), [4, 6])
        self.assertEqual(found({"at": {"gte": "2024-01-02", "lt": "2024-01-05T00:00:00Z"}}), [2, 3, 4])
        self.assertEqual(found({"n": {"gt": 4}}), [5, 6])
        self.assertEqual(found({"topic": {"ne": "food"}, "n": {"nin": [1, 5]}}), [2, 6])
        self.assertEqual(found({"data": {"contains": "temples"}}), [6])
        self.assertEqual(found({"OR": [{"n": 1}, {"topic": {"eq": "places"}}], "NOT": [{"n": 6}]}), [1, 5])
        self.assertEqual(found({"AND": [{"user_id": "bob"}, {"n": {"lte": 2}}], "topic": "*"}), [2])

        self.assertEqual(store.keyword_search("thousand temples", top_k=1)[0].id, ids[5])
        self.assertEqual(store.keyword_search("temples", filters={"user_id": "alice"}), [])
        batch = store.search_batch(texts[:2], self.embed(texts[:2]), filters={"topic": "maintenance"})
        self.assertEqual([points[0].id for points in batch], ids[:2])
        records, following = store.list(filters={"user_id": "bob"}, top_k=2)
        self.assertEqual((len(records), following is not None), (2, True))

        store.update(ids[0], payload={"n": 100})  # merged into the payload
        self.assertEqual(store.get(ids[0]).payload["topic"], "maintenance")
        store.update(ids[0], vector=question)
        self.assertAlmostEqual(store.search(QUESTION, question, top_k=1)[0].score, 1.0, places=5)
        store.update(ids[1], vector=question, payload={"data": "greased lightning", "n": 7})
        self.assertEqual(store.keyword_search("lightning")[0].id, ids[1])
        store.delete(ids[0])
        self.assertIsNone(store.get(ids[0]))
        info = store.col_info()
        self.assertEqual((info.points_count, info.status.value), (5, "green"))
        self.assertEqual(sorted(info.payload_schema), ["actor_id", "agent_id", "run_id", "user_id"])
        store.reset()
        self.assertEqual(store.list()[0], [])
        store.delete_col()


@unittest.skipIf(model_missing(), model_missing())
class Memories(FlowTestCase):
    """Embedding through the server's OpenAI endpoint."""

    def memory(self, folder):
        store = {"collection_name": self.name, "embedding_model_dims": self.dim, "url": self.url}
        embedder = {"model": MODEL, "api_key": "none", "openai_base_url": self.url + "/v1"}
        made = Memory.from_config(
            {
                "vector_store": {"provider": "qdrant", "config": store},
                "embedder": {"provider": "openai", "config": embedder},
                "llm": {"provider": "openai", "config": {"api_key": "none", "openai_base_url": self.url + "/v1"}},
                "history_db_path": folder + "/history.db",
            }
        )
        made.vector_store._bm25_encoder = Encoder()
        return made

    def test_memories_outlive_a_restart(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = self.memory(folder)
            for text, topic, _ in TEXTS:
                memory.add(text, user_id="alice", metadata={"topic": topic}, infer=False)
            memory.add("Bob likes tea.", user_id="bob", infer=False)
            self.restart()
            memory = self.memory(folder)
            results = memory.search(QUESTION, filters={"user_id": "alice"}, top_k=2)["results"]
            self.assertEqual(results[0]["memory"], TEXTS[0][0])
            results = memory.search(QUESTION, filters={"user_id": "alice", "topic": "food"})["results"]
            self.assertTrue({entry["metadata"]["topic"] for entry in results} <= {"food"})
            everything = memory.get_all(filters={"user_id": "alice"})["results"]
            self.assertEqual(len(everything), len(TEXTS))
            one = everything[0]["id"]
            memory.update(one, "The pump has been replaced.")
            self.assertEqual(memory.get(one)["memory"], "The pump has been replaced.")
            memory.delete(one)
            self.assertIsNone(memory.get(one))
            memory.delete_all(user_id="alice")
            self.assertEqual(memory.get_all(filters={"user_id": "alice"})["results"], [])
            self.assertEqual(len(memory.get_all(filters={"user_id": "bob"})["results"]), 1)


if __name__ == "__main__":
    unittest.main()
