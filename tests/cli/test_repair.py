"""`akidb repair`, of a folder whose files somebody damaged."""

import glob
import json
import os
import unittest

from cli_process import CommandTestCase, Server

RECORDS = 6
LOG_HEADER_BYTES = 4096


def flip_byte(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 4]))


class Repair(CommandTestCase):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        for name in ("bad", "good"):
            path = f"/collections/{name}"
            self.server.request("PUT", path, {"vectors": {"size": 2, "distance": "Dot"}})
            for id in range(RECORDS):
                point = {"id": id, "vector": [1, 2]}
                reply = self.server.request("PUT", path + "/points", {"points": [point]})
                self.assertEqual(reply.status, 200, reply.text)
            if name == "bad":
                (self.log,) = glob.glob(os.path.join(self.server.data_dir, "collections", "*", "log", "*.log"))

    def damage(self):
        self.server.stop()
        used = os.path.getsize(self.log) - LOG_HEADER_BYTES
        flip_byte(self.log, LOG_HEADER_BYTES + used * 3 // 5)

    def count(self, name):
        reply = self.server.request("POST", f"/collections/{name}/points/count", {})
        return reply.result["count"] if reply.status == 200 else reply.status

    def test_a_folder_in_use_or_whole_is_left_alone(self):
        self.bad(5, "repair", self.server.data_dir)
        self.server.stop()
        self.assertIn("nothing is damaged", self.good("repair", self.server.data_dir))
        self.assertFalse(os.path.exists(os.path.join(self.server.data_dir, "repaired")))
        self.bad(1, "repair", os.path.join(self.server.data_dir, "models"))

    def test_nothing_is_changed_without_a_yes(self):
        self.damage()
        with open(self.log, "rb") as file:
            before = file.read()
        self.bad(4, "repair", self.server.data_dir)
        self.bad(4, "repair", "--json", self.server.data_dir)
        with open(self.log, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_what_is_before_the_damage_is_served_again(self):
        self.damage()
        self.server.start()
        self.assertEqual((self.count("bad"), self.count("good")), (503, RECORDS))
        self.server.stop()
        report = json.loads(self.good("repair", "--json", "--yes", self.server.data_dir))
        (damage,) = report["damages"]
        self.assertEqual(damage["part"], "collection `bad`")
        self.assertIn(os.path.basename(self.log), damage["what"])
        self.assertTrue(glob.glob(os.path.join(report["kept"], "*", os.path.basename(self.log))))
        self.server.start()
        self.assertIn(self.count("bad"), range(1, RECORDS))
        self.assertEqual(self.count("good"), RECORDS)

    def test_the_catalog_is_made_anew(self):
        self.server.stop()
        self.assertIn("catalog", self.good("repair", "--rebuild-catalog", self.server.data_dir))
        self.assertFalse(os.path.exists(os.path.join(self.server.data_dir, "catalog.db")))
        self.server.start()
        self.assertEqual((self.count("bad"), self.count("good")), (RECORDS, RECORDS))


if __name__ == "__main__":
    unittest.main()
