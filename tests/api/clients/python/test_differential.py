"""Generated requests of every kind, asked of the server and of two oracles; docs/api/differential.md tells more.

AKIDB_DIFFERENTIAL_REQUESTS says how many (5,000, and 200,000 with AKIDB_DEEP), AKIDB_TEST_SEED where to begin: a
round's own seed is printed with what it finds, and begins with that round. Each of faults.py's is found, too.
"""

import gc
import json
import os
import random
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "differential"), os.path.join(HERE, "..", "..")]

import bm25  # noqa: E402
import faults  # noqa: E402
import rounds  # noqa: E402
import smaller  # noqa: E402
from served import Served  # noqa: E402
from server_process import Server  # noqa: E402
from worlds import World  # noqa: E402

REQUESTS = int(os.environ.get("AKIDB_DIFFERENTIAL_REQUESTS") or (200_000 if os.environ.get("AKIDB_DEEP") else 5_000))
SEED = int(os.environ.get("AKIDB_TEST_SEED", "1207"))
A_ROUND = 125
SMALLER = os.environ.get("AKIDB_DIFFERENTIAL_SMALLER") != "0"  # takes a minute, or more
FINDINGS_MAX = int(os.environ.get("AKIDB_DIFFERENTIAL_FINDINGS", "5"))


class Differential(unittest.TestCase):
    def setUp(self):
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)  # an oracle makes many small objects, and hardly a cycle
        self.server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "30"}).start()
        self.addCleanup(self.server.close)
        self.connection = self.server.connect()
        self.addCleanup(self.connection.close)
        self.asked = {}
        self.findings = []

    def found(self, seed, world, kind, body, before, differences):
        if Served.alter:
            self.findings.append(kind)
            return
        small = smaller.smallest(self.connection, world, before, kind, body) if SMALLER else json.dumps(body)
        self.findings.append(kind)
        print(f"AKIDB_TEST_SEED={seed} {kind}: {json.dumps(differences, indent=1)}\n{small}\n", flush=True)

    def round(self, seed, requests):
        worlds = []
        for kind in (rounds.Wild, rounds.Numbers):
            make = kind(seed)
            world = World(self.connection, make.schema, make.initial, make.indexes(), make.beside())
            worlds.append((make, world))
        chance = random.Random(seed)
        self.texts(seed, chance)
        for _ in range(requests):
            make, world = chance.choice(worlds)
            writes = chance.randrange(8) == 0
            kind, body = make.edit() if writes else make.read()
            before = world.known
            differences = (world.write if writes else world.ask)(kind, body)
            self.asked[kind] = self.asked.get(kind, 0) + 1
            if differences:
                self.found(seed, world, kind, body, before, differences)
                if writes:
                    break  # what follows would only repeat it
            if writes:
                make.saw(world.known)
        for _, world in worlds:
            world.close()

    def texts(self, seed, chance):
        texts = bm25.Texts(self.connection, chance)
        batch = texts.batch()
        self.asked["bm25"] = self.asked.get("bm25", 0) + 1
        if texts.differences(*batch):
            self.findings.append("bm25")
            if not Served.alter:
                print(f"AKIDB_TEST_SEED={seed} bm25: {texts.smallest(*batch)}\n", flush=True)
        texts.close()

    def test_faults_are_found(self):
        self.addCleanup(setattr, Served, "alter", None)
        for name, alter in faults.FAULTS.items():
            Served.alter = staticmethod(alter)
            self.findings, seed = [], SEED
            while not self.findings and seed < SEED + 40:
                self.round(seed, 60)
                seed += 1
            self.assertTrue(self.findings, f"{name} is not found by rounds {SEED} to {seed}")

    def test_requests(self):
        print(f"AKIDB_TEST_SEED={SEED}", flush=True)
        began = time.monotonic()
        left, seed = REQUESTS, SEED
        while left > 0 and len(self.findings) < FINDINGS_MAX:
            self.round(seed, min(left, A_ROUND))
            left -= A_ROUND
            seed += 1
            if seed % 200 == 0:
                print(f"{sum(self.asked.values())} requests", flush=True)
        print(f"{sum(self.asked.values())} requests in {time.monotonic() - began:.0f} s: {self.asked}", flush=True)
        self.assertEqual(self.findings, [])


if __name__ == "__main__":
    unittest.main()
