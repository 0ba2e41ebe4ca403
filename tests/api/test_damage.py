"""A damaged part of one segment is an error of the requests that need it, and of nothing else."""

import glob
import os
import random
import unittest

from segment_file import sections
from server_process import ServerTestCase, wait_until

DIM = 64
POINTS = 3_000
BLOCK = 65_536
ROWS_SECTION = 7  # docs/format/segment.md


class Damage(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "2500"}

    def load(self, name):
        path = "/collections/" + name
        before = set(self.segments())
        rng = random.Random(name)
        self.assertEqual(self.server.request("PUT", path, {"vectors": {"size": DIM, "distance": "Cosine"}}).status, 200)
        for first in range(0, POINTS, 500):
            columns = {"ids": list(range(first, first + 500)),
                       "vectors": [[round(rng.gauss(0, 1), 3) for _ in range(DIM)] for _ in range(500)]}
            reply = self.server.request("PUT", path + "/points?wait=true", {"batch": columns})
            self.assertEqual(reply.status, 200, reply.text)
        wait_until(lambda: set(self.segments()) - before, timeout_s=60)
        return path

    def segments(self):
        return glob.glob(os.path.join(self.server.data_dir, "**", "*.seg"), recursive=True)

    def ask(self, path, **body):
        return self.server.request("POST", path + "/points/query", {"query": [1.0] * DIM, "limit": 5, **body})

    def test_damaged_vectors_are_503_with_the_name_of_the_segment(self):
        sound = self.load("sound")
        others = {os.path.dirname(segment) for segment in self.segments()}
        path = self.load("damaged")
        self.server.stop()
        damaged = [segment for segment in self.segments() if os.path.dirname(segment) not in others]
        for segment in damaged:
            ((at, size),) = [(at, size) for number, at, size in sections(segment) if number == ROWS_SECTION]
            with open(segment, "r+b") as file:
                # Blocks of vectors alone: what opening looks at stays sound.
                for block in range(-(-at // BLOCK), (at + size) // BLOCK):
                    file.seek(block * BLOCK + 100)
                    byte = file.read(1)
                    file.seek(block * BLOCK + 100)
                    file.write(bytes([byte[0] ^ 1]))
        self.server.start()
        for body in ({}, {"params": {"exact": True}}, {"filter": {"must": [{"has_id": list(range(900, 1900))}]}}):
            reply = self.ask(path, **body)
            self.assertEqual(reply.status, 503, reply.text)
            self.assertTrue(reply.error.startswith("Service unavailable: "), reply.error)
            self.assertTrue(any(os.path.basename(segment) in reply.error for segment in damaged), reply.error)
        reply = self.server.request("GET", path)
        info, own = reply.result, reply.json["akidb"]
        self.assertEqual((own["state"], own["reason"]), ("degraded", info["optimizer_status"]["error"]))
        self.assertIn('akidb_collections{state="degraded"} 1', self.server.request("GET", "/metrics").text)
        self.assertEqual(info["status"], "red")
        self.assertTrue(any(segment in info["optimizer_status"]["error"] for segment in damaged), info)
        count = self.server.request("POST", path + "/points/count", {"exact": True})
        self.assertEqual(count.result["count"], POINTS)
        reply = self.server.request("PUT", path + "/points?wait=true",
                                    {"batch": {"ids": [POINTS], "vectors": [[1.0] * DIM]}})
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(self.server.request("GET", "/readyz").status, 200)
        reply = self.ask(sound)
        self.assertEqual((reply.status, len(reply.result["points"])), (200, 5), reply.text)


if __name__ == "__main__":
    unittest.main()
