"""What the flows of all frameworks share: a server of their own, its restart, texts and their vectors.

Dense vectors come from the server's /v1/embeddings; where it has no model, and for sparse ones, from
words hashed here, the same on every machine.
"""

import math
import os
import pathlib
import re
import sys
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from server_process import Server, model_missing  # noqa: E402

# Frameworks that report home, or ask for models, are told not to.
os.environ.update(
    HAYSTACK_TELEMETRY_ENABLED="False",
    LANGSMITH_TRACING="false",
    MEM0_TELEMETRY="False",
    NO_PROXY="127.0.0.1,localhost",
)

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
HASHED_DIM = 64

# Each topic's first text answers its question, and shares a rare word with nothing else.
TEXTS = [
    ("Grease the bearings of the water pump every 500 operating hours.", "maintenance", 1),
    ("Replace the air filter of the engine once a year.", "maintenance", 2),
    ("The ripe banana is yellow and tastes sweet.", "food", 3),
    ("Bread is baked from flour, water, salt and yeast.", "food", 4),
    ("Oslo is the capital of Norway.", "places", 5),
    ("Kyoto has more than a thousand temples.", "places", 6),
]
QUESTION = "how often do the bearings of the pump need grease?"


def words(text):
    return re.findall(r"\w+", text.lower())


def sparse(text):
    """(indices, values) of a text: its words' checksums, and how often each is there."""
    counts = {}
    for word in words(text):
        index = zlib.crc32(word.encode())
        counts[index] = counts.get(index, 0) + 1
    return list(counts), [1 + math.log(count) for count in counts.values()]


def hashed(text):
    vector = [0.0] * HASHED_DIM
    for word in words(text):
        checksum = zlib.crc32(word.encode())
        vector[checksum % HASHED_DIM] += 1.0 if checksum & 0x1000 else -1.0
    return vector


class FlowTestCase(unittest.TestCase):
    """One server for the tests of a class; restart() ends it without a warning, and starts it again."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def dim(self):
        return HASHED_DIM if model_missing() else 384

    def restart(self):
        self.server.kill()
        self.server.start()

    def embed(self, texts):
        if model_missing():
            return [hashed(text) for text in texts]
        reply = self.server.request("POST", "/v1/embeddings", {"model": MODEL, "input": list(texts)})
        self.assertEqual(reply.status, 200, reply.text)
        return [entry["embedding"] for entry in reply.json["data"]]
