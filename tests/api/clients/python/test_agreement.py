"""REST and gRPC agree: generated requests, some of them spoiled, are sent by both, and answers, or the classes of
errors, are compared; after a write all points are. docs/api/differential.md tells more.

AKIDB_AGREEMENT_REQUESTS says how many (5,000, and 200,000 with AKIDB_DEEP), AKIDB_TEST_SEED where to begin: a round's
own seed is printed with what it finds. Each of faults.py's is found, too.
"""

import json
import os
import random
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "differential"), os.path.join(HERE, "..", "..")]

import grpc  # noqa: E402

import faults  # noqa: E402
import rounds  # noqa: E402
from edge import NotAsked  # noqa: E402
from grpc_process import start_with_grpc  # noqa: E402
from over_grpc import CLASSES, OverGrpc  # noqa: E402
from served import Refused, Served  # noqa: E402
from spoiled import spoiled  # noqa: E402
from worlds import ALL, compare  # noqa: E402

REQUESTS = int(os.environ.get("AKIDB_AGREEMENT_REQUESTS") or (200_000 if os.environ.get("AKIDB_DEEP") else 5_000))
SEED = int(os.environ.get("AKIDB_TEST_SEED", "1207"))
A_ROUND = 250
FINDINGS_MAX = int(os.environ.get("AKIDB_AGREEMENT_FINDINGS", "5"))


def outcome(what):
    """What comes of it, or the class of the error."""
    try:
        return what(), None, ""
    except Refused as refused:
        return None, CLASSES.get(refused.status, refused.status), str(refused)


def sayable(value):
    """Without the integers that no message has."""
    if isinstance(value, dict):
        return {name: sayable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [sayable(each) for each in value]
    return 5 if type(value) is int and value >= 2**63 else value


class Pair:
    """One collection twice."""

    def __init__(self, connection, make):
        self.rest, self.grpc = Served(connection, make.schema), OverGrpc(connection, make.schema)
        points = sayable(make.initial)
        for first in range(0, len(points), 25):
            for one in (self.rest, self.grpc):
                one.send("PUT", "/points?wait=true", {"points": points[first : first + 25]})
        for field, kind in make.indexes():
            for one in (self.rest, self.grpc):
                one.index(field, kind)

    def close(self):
        self.rest.close()
        self.grpc.close()

    def points(self):
        points = self.rest.ask("scroll", ALL)["points"]
        for point in points:
            if isinstance(point.get("vector"), list):
                point["vector"] = {"": point["vector"]}
        return points

    def differ(self, kind, body, writes):
        """How they differ; None where they agree."""
        way = "update" if writes else "ask"
        theirs, their_error, their_text = outcome(lambda: getattr(self.grpc, way)(kind, body))
        ours, our_error, our_text = outcome(lambda: getattr(self.rest, way)(kind, body))
        if our_error != their_error:
            return f"REST: {our_text or 'an answer'}; gRPC: {their_text or 'an answer'}"
        if writes:
            return self.same_points()
        if our_error or kind == "matrix" and body.get("sample", 10) < len(self.points()):
            return None  # which points a sample has is chance
        return compare(kind, body, ours, theirs)

    def same_points(self):
        return compare("scroll", ALL, self.rest.ask("scroll", ALL), Served.ask(self.grpc, "scroll", ALL))


class Agreement(unittest.TestCase):
    def setUp(self):
        self.server, port = start_with_grpc()
        self.addCleanup(self.server.close)
        self.connection = self.server.connect()
        self.addCleanup(self.connection.close)
        OverGrpc.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.addCleanup(OverGrpc.channel.close)
        self.asked, self.left_out = {}, 0
        self.findings = []

    def round(self, seed, requests):
        chance = random.Random(seed)
        pairs = [(make, Pair(self.connection, make)) for make in (rounds.Wild(seed), rounds.Numbers(seed))]
        asked = 0
        while asked < requests and len(self.findings) < FINDINGS_MAX:
            make, pair = chance.choice(pairs)
            writes = chance.randrange(8) == 0
            kind, body = make.edit() if writes else make.read()
            if chance.randrange(3) == 0:
                body = spoiled(body, chance)
            try:
                difference = pair.differ(kind, body, writes)
            except NotAsked:
                self.left_out += 1
                continue
            asked += 1
            self.asked[kind] = self.asked.get(kind, 0) + 1
            if difference:
                self.findings.append(kind)
                if not OverGrpc.alter:
                    print(f"AKIDB_TEST_SEED={seed} {kind} {json.dumps(body)}\n  {difference}\n", flush=True)
                if writes:
                    break  # what follows would only repeat it
            if writes:
                make.saw(pair.points())
        for _, pair in pairs:
            pair.close()
        return asked

    def test_faults_are_found(self):
        """Of the answers over gRPC, and of what is written over it."""
        self.addCleanup(setattr, OverGrpc, "alter", None)
        for name, alter in faults.FAULTS.items():
            OverGrpc.alter = staticmethod(alter)
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
            left -= max(self.round(seed, min(left, A_ROUND)), 1)
            seed += 1
        print(f"{sum(self.asked.values())} requests in {time.monotonic() - began:.0f} s: {self.asked}; "
              f"{self.left_out} that no message says", flush=True)
        self.assertEqual(self.findings, [])


if __name__ == "__main__":
    unittest.main()
