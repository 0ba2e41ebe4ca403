#!/usr/bin/env python3
"""Kills the real server at random moments while it is written to, restarts it, and checks that
nothing acknowledged is lost and no batch is seen in halves. Points have a dense vector, one of several
rows and a sparse one, and meanwhile a named vector is added to the collection and left out again.

    kill_test.py [--kills N] [--seed N] [--prove]

AKIDB_DEEP=1 makes 500 kills of the default 50; AKIDB_TEST_SEED sets the seed, which is printed.
--prove cuts the end off the killed server's log and expects the check to notice: a check that can't
fail proves nothing.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from server_process import Server  # noqa: E402

WRITERS = 4
PROOF_KILLS_MORE = 50
IDS_PER_WRITER = 200
DIM = 8
COLLECTION = "crash"
SCHEMA = {
    "vectors": {
        "": {"size": DIM, "distance": "Dot"},
        "rows": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
    },
    "sparse_vectors": {"words": {"modifier": "idf"}},
}
ADDED = "added"


class Writer(threading.Thread):
    """Writes to ids of its own until the server dies, and knows what must be there afterwards."""

    def __init__(self, number, seed):
        super().__init__()
        self.number = number
        self.random = random.Random(seed)
        # id -> revisions of the write, of the last edit of its payload and of its sparse vector, None where it
        # lacks one, as the server acknowledged
        self.acknowledged = {}
        self.in_flight = None  # the state if the unacknowledged operation happened after all
        self.revision = 0
        self.acknowledged_count = 0
        self.failure = None
        self.port = None

    def run_until_killed(self, port):
        self.port = port
        threading.Thread.__init__(self)
        self.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while self.step(connection):
                pass
        except (OSError, http.client.HTTPException):
            pass  # the server is dead, as intended
        finally:
            connection.close()

    def step(self, connection):
        wait = self.random.choice(("true", "false"))
        kind = self.random.random() if self.acknowledged else 1
        if kind < 0.2:
            ids = self.random.sample(sorted(self.acknowledged), min(3, len(self.acknowledged)))
            after = {k: v for k, v in self.acknowledged.items() if k not in ids}
            method, path, body = "POST", "/points/delete", {"points": ids}
        elif kind < 0.4:
            ids = self.random.sample(sorted(self.acknowledged), min(8, len(self.acknowledged)))
            self.revision += 1
            changed = {id: (self.acknowledged[id][0], self.revision, self.acknowledged[id][2]) for id in ids}
            after = {**self.acknowledged, **changed}
            method, path, body = "POST", "/points/payload", {"payload": {"edit": self.revision}, "points": ids}
        elif kind < 0.5:
            ids = self.random.sample(sorted(self.acknowledged), min(8, len(self.acknowledged)))
            self.revision += 1
            given = self.revision if self.random.random() < 0.6 else None
            after = {**self.acknowledged, **{id: (*self.acknowledged[id][:2], given) for id in ids}}
            if given is None:
                method, path, body = "POST", "/points/vectors/delete", {"vector": ["words"], "points": ids}
            else:
                method, path = "PUT", "/points/vectors"
                body = {"points": [{"id": id, "vector": {"words": words(id, given)}} for id in ids]}
        else:
            base = self.number * IDS_PER_WRITER
            ids = self.random.sample(range(base, base + IDS_PER_WRITER), self.random.randint(1, 8))
            self.revision += 1
            after = {**self.acknowledged, **{id: (self.revision, None, self.revision) for id in ids}}
            body = {"points": [self.point(id, self.revision) for id in ids]}
            method, path = "PUT", "/points"
        self.in_flight = after
        connection.request(
            method,
            f"/collections/{COLLECTION}{path}?wait={wait}",
            json.dumps(body),
            {"content-type": "application/json"},
        )
        response = connection.getresponse()
        text = response.read()
        if response.status == 503 and b"vectors" in text:
            self.in_flight = None  # refused: the collection's vectors are being changed
            return True
        if response.status != 200:
            self.failure = f"status {response.status}: {text!r}"
            return False
        self.acknowledged, self.in_flight = after, None
        self.acknowledged_count += 1
        return True

    @staticmethod
    def point(id, revision):
        dense = [float(id), float(revision)] + [0.5] * (DIM - 2)
        vectors = {"": dense, "rows": rows(id, revision), "words": words(id, revision)}
        return {"id": id, "vector": vectors, "payload": {"revision": revision}}


def rows(id, revision):
    return [[float(id), float(revision)]] * (1 + revision % 3)


def words(id, revision):
    return {"indices": [revision, 1_000_000 + id], "values": [1.5, float(revision)]}


class Changer(threading.Thread):
    """Adds a named vector to the collection, and leaves it out, until the server dies."""

    def __init__(self, port, there):
        super().__init__()
        self.port = port
        self.there = there  # as acknowledged; None: either
        self.changes = 0

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while True:
                adds, self.there = not self.there, None
                body = json.dumps({"dense": {"size": 2, "distance": "Dot"}}) if adds else None
                path = f"/collections/{COLLECTION}/vectors/{ADDED}?wait=true"
                connection.request("PUT" if adds else "DELETE", path, body, {"content-type": "application/json"})
                response = connection.getresponse()
                response.read()
                # 503: what was left out is still being removed.
                self.there = adds if response.status == 200 else not adds
                self.changes += response.status == 200
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


def stored_points(server):
    """id -> (revisions, vectors), by walking the whole collection."""
    points, offset = {}, None
    while True:
        body = {"limit": 500, "offset": offset, "with_vector": True}
        reply = server.request("POST", f"/collections/{COLLECTION}/points/scroll", body)
        if reply.status != 200:
            raise AssertionError(f"scroll after restart: {reply.status} {reply.text}")
        for point in reply.result["points"]:
            payload = point["payload"]
            vectors = point["vector"]
            sparse = vectors["words"]["indices"][0] if "words" in vectors else None
            points[point["id"]] = ((payload["revision"], payload.get("edit"), sparse), vectors)
        offset = reply.result["next_page_offset"]
        if offset is None:
            return points


def wrong_vectors(points):
    """The complaint, or None."""
    for id, ((revision, _, sparse), vectors) in points.items():
        if vectors[""][:2] != [float(id), float(revision)] or vectors["rows"] != rows(id, revision):
            return f"point {id}: vectors {vectors} do not belong to revision {revision}"
        if sparse is not None and vectors["words"] != words(id, sparse):
            return f"point {id}: sparse vector {vectors['words']} does not belong to revision {sparse}"
    return None


def check(server, writers):
    """The complaint, or None. Takes over what an unacknowledged write turned out to have done."""
    points = stored_points(server)
    if wrong := wrong_vectors(points):
        return wrong
    for writer in writers:
        if writer.failure:
            return f"writer {writer.number}: {writer.failure}"
        base = writer.number * IDS_PER_WRITER
        found = {id: points[id][0] for id in points if base <= id < base + IDS_PER_WRITER}
        if found == writer.acknowledged:
            writer.in_flight = None
        elif writer.in_flight is not None and found == writer.in_flight:
            writer.acknowledged, writer.in_flight = writer.in_flight, None
        else:
            wrong = {
                id: (writer.acknowledged.get(id), found.get(id))
                for id in set(found) | set(writer.acknowledged)
                if found.get(id) != writer.acknowledged.get(id)
            }
            return f"writer {writer.number}: id: (acknowledged, found) {dict(sorted(wrong.items()))}"
    count = server.request("POST", f"/collections/{COLLECTION}/points/count", {}).result["count"]
    return None if count == len(points) else f"count says {count}, scroll found {len(points)}"


def cut_log(data_dir):
    """Loses the end of what was logged, as a server that acknowledges too early would. False if the
    last file holds too little to lose."""
    logs = sorted(pathlib.Path(data_dir, "collections").glob("*/log/*"), key=lambda path: path.name)
    data = logs[-1].read_bytes()
    end = len(data.rstrip(b"\0"))
    if end < 8000:
        return False
    logs[-1].write_bytes(data[: end - 4000])
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500 if os.environ.get("AKIDB_DEEP") else 50)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("AKIDB_TEST_SEED") or time.time_ns() % 2**32))
    parser.add_argument("--prove", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    # A small head, so that kills also fall into sealing and the change of logs.
    server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "150"}).start()
    try:
        created = server.request("PUT", f"/collections/{COLLECTION}", SCHEMA)
        assert created.status == 200, created.text
        writers = [Writer(number, chance.getrandbits(32)) for number in range(WRITERS)]
        there, changes, cuts = False, 0, 0
        # A proof goes on until there was something to lose: a segment may hold already what was cut off.
        for kill in range(1, options.kills + (PROOF_KILLS_MORE if options.prove else 0) + 1):
            for writer in writers:
                writer.run_until_killed(server.port)
            changer = Changer(server.port, there)
            changer.start()
            time.sleep(chance.uniform(0.0, 0.25))
            server.kill()
            for thread in (changer, *writers):
                thread.join()
            changes += changer.changes
            cut = options.prove and kill >= options.kills and cut_log(server.data_dir)
            server.start()
            complaint = check(server, writers)
            described = server.request("GET", f"/collections/{COLLECTION}").result["config"]["params"]["vectors"]
            there = ADDED in described
            if changer.there not in (None, there):
                complaint = complaint or f"the vector that was {'added' if changer.there else 'left out'} is not"
            cuts += cut
            if cut and complaint:
                print(f"cut {cuts} was noticed: {complaint[:100]}…")
                return 0
            if complaint:
                print(f"kill {kill}: {complaint}\nserver log:\n{server.log()[-4000:]}")
                return 1
        writes = sum(writer.acknowledged_count for writer in writers)
        print(f"{options.kills} kills, {writes} acknowledged writes, {changes} changes of vectors, nothing lost")
        if options.prove:
            print(f"{cuts} cuts, none noticed")
            return 1
        return 0
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
