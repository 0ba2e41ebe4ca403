#!/usr/bin/env python3
"""Kills the real server at random moments while it is written to, restarts it, and checks that
nothing acknowledged is lost and no batch is seen in halves.

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


class Writer(threading.Thread):
    """Writes to ids of its own until the server dies, and knows what must be there afterwards."""

    def __init__(self, number, seed):
        super().__init__()
        self.number = number
        self.random = random.Random(seed)
        # id -> revisions of the write and of the last edit of its payload, as the server acknowledged
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
        elif kind < 0.5:
            ids = self.random.sample(sorted(self.acknowledged), min(8, len(self.acknowledged)))
            self.revision += 1
            after = {**self.acknowledged, **{id: (self.acknowledged[id][0], self.revision) for id in ids}}
            method, path, body = "POST", "/points/payload", {"payload": {"edit": self.revision}, "points": ids}
        else:
            base = self.number * IDS_PER_WRITER
            ids = self.random.sample(range(base, base + IDS_PER_WRITER), self.random.randint(1, 8))
            self.revision += 1
            after = {**self.acknowledged, **{id: (self.revision, None) for id in ids}}
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
        if response.status != 200:
            self.failure = f"status {response.status}: {text!r}"
            return False
        self.acknowledged, self.in_flight = after, None
        self.acknowledged_count += 1
        return True

    @staticmethod
    def point(id, revision):
        return {"id": id, "vector": [float(id), float(revision)] + [0.5] * (DIM - 2), "payload": {"revision": revision}}


def stored_points(server):
    """id -> (revisions in the payload, vector), by walking the whole collection."""
    points, offset = {}, None
    while True:
        body = {"limit": 500, "offset": offset, "with_vector": True}
        reply = server.request("POST", f"/collections/{COLLECTION}/points/scroll", body)
        if reply.status != 200:
            raise AssertionError(f"scroll after restart: {reply.status} {reply.text}")
        for point in reply.result["points"]:
            payload = point["payload"]
            points[point["id"]] = ((payload["revision"], payload.get("edit")), point["vector"])
        offset = reply.result["next_page_offset"]
        if offset is None:
            return points


def check(server, writers):
    """The complaint, or None. Takes over what an unacknowledged write turned out to have done."""
    points = stored_points(server)
    for id, ((revision, _), vector) in points.items():
        if vector[:2] != [float(id), float(revision)]:
            return f"point {id}: vector {vector[:2]} does not belong to revision {revision}"
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
        created = server.request(
            "PUT", f"/collections/{COLLECTION}", {"vectors": {"size": DIM, "distance": "Dot"}}
        )
        assert created.status == 200, created.text
        writers = [Writer(number, chance.getrandbits(32)) for number in range(WRITERS)]
        # A proof goes on until there was something to lose.
        for kill in range(1, options.kills + (PROOF_KILLS_MORE if options.prove else 0) + 1):
            for writer in writers:
                writer.run_until_killed(server.port)
            time.sleep(chance.uniform(0.0, 0.25))
            server.kill()
            for writer in writers:
                writer.join()
            cut = options.prove and kill >= options.kills and cut_log(server.data_dir)
            server.start()
            complaint = check(server, writers)
            if cut:
                print(f"the cut log was noticed: {str(complaint)[:100]}…")
                return 0 if complaint else 1
            if complaint:
                print(f"kill {kill}: {complaint}\nserver log:\n{server.log()[-4000:]}")
                return 1
        writes = sum(writer.acknowledged_count for writer in writers)
        print(f"{options.kills} kills, {writes} acknowledged writes, nothing lost")
        if options.prove:
            print("no log was long enough to be cut")
            return 1
        return 0
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
