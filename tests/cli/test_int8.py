"""Vectors of INT8 models don't depend on what else is asked."""

import functools
import os
import unittest

from cli_process import Server, binary

MODELS = ("all-minilm-l6-v2-int8", "bge-small-en-v1.5-int8")
TEXTS = ["disks", "How do I find which package a file belongs to?",
         "The quota system allows limiting disk space allocated to a user or group of users. " * 6,
         "Mount the file system and edit /etc/fstab to keep it so.", "RAID-1 across two disks, 中文 naïve",
         "To set it up, you must have a kernel that supports it. " * 30]


def models_folder():
    return os.environ.get("AKIDB_MODELS_DIR") or os.path.join(
        os.path.dirname(os.path.dirname(os.path.abspath(binary()))), "models")


def installed(model):
    return os.path.exists(os.path.join(models_folder(), model, "manifest.json"))


class Int8(unittest.TestCase):
    def embed(self, server, model, texts):
        reply = server.request("POST", "/v1/embeddings", {
            "model": model, "input": texts, "input_type": "document", "encoding_format": "base64"})
        self.assertEqual(reply.status, 200, reply.text)
        return [row["embedding"] for row in reply.json["data"]]

    def test_alone_and_among_others_a_text_has_the_same_vector(self):
        server = Server().start()
        self.addCleanup(server.close)
        for model in MODELS:
            with self.subTest(model):
                if not installed(model):
                    self.skipTest(f"no {model} in {models_folder()}; `akidb models pull {model}` gets it")
                self.check(functools.partial(self.embed, server, model))

    def check(self, embed):
        alone = [embed([text])[0] for text in TEXTS]
        self.assertEqual(embed(TEXTS), alone)
        self.assertEqual(embed(TEXTS[::-1]), alone[::-1])
        for i, text in enumerate(TEXTS):
            self.assertEqual(embed([TEXTS[i - 1], text, TEXTS[i - 2]])[1], alone[i])
        others = [f"{text} {i}" for i in range(12) for text in TEXTS[:4]]
        self.assertEqual(embed(others[:20] + TEXTS + others[20:])[20:20 + len(TEXTS)], alone)


if __name__ == "__main__":
    unittest.main()
