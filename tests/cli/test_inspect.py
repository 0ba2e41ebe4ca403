"""`akidb inspect`, of what a server has written."""

import glob
import json
import os
import unittest

from cli_process import CommandTestCase, Server

DIM = 16
POINTS = 600


class Inspect(CommandTestCase):
    def setUp(self):
        super().setUp()
        self.server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "256"})
        self.addCleanup(self.server.close)
        self.server.start()
        path = "/collections/robots"
        self.server.request("PUT", path, {"vectors": {"size": DIM, "distance": "Cosine"}})
        points = [{"id": i, "vector": [float(i % 7 + 1)] * DIM, "payload": {"n": i}} for i in range(POINTS)]
        reply = self.server.request("PUT", path + "/points?wait=true", {"points": points})
        self.assertEqual(reply.status, 200, reply.text)

    def test_beside_a_server_and_after_it(self):
        report = json.loads(self.good("inspect", "--json", self.server.data_dir))
        self.assertEqual((report["kind"], report["in_use"], report["version"]), ("data folder", True, "1"))
        self.server.stop()
        report = json.loads(self.good("inspect", "--json", "--verify", self.server.data_dir))
        self.assertFalse(report["in_use"])
        kinds = [part["kind"] for part in report["parts"]]
        self.assertEqual(kinds, ["system log", "catalog", "collection"])
        text = self.good("inspect", self.server.data_dir)
        self.assertIn("create collection `robots`", text)

    def test_damage_ends_with_4_and_says_where(self):
        self.server.stop()
        (log,) = glob.glob(os.path.join(self.server.data_dir, "system", "*.log"))
        with open(log, "r+b") as file:
            file.seek(20)
            byte = file.read(1)
            file.seek(20)
            file.write(bytes([byte[0] ^ 4]))
        err = self.bad(4, "inspect", self.server.data_dir)
        self.assertIn("damaged", err)
        self.bad(1, "inspect", os.path.join(self.server.data_dir, "nothing"))


if __name__ == "__main__":
    unittest.main()
