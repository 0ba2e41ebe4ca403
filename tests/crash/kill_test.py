#!/usr/bin/env python3
"""Kills the real server at random moments, restarts it, and checks that nothing acknowledged is lost and no
batch is seen in halves. The truth is kept here, apart from the server.

Under load: points are written, edited and deleted, heads sealed, segments merged; a named vector is added to
the collection and left out again; snapshots of it are made, restored as a copy, and deleted; other collections
and aliases are made and deleted. Points have a dense vector, one of several rows and a sparse one. Between two
loads SIGKILL also falls into starts, with the collection's recovery, and into `akidb repair --yes` of the
stopped folder.

    kill_test.py [--kills N] [--seed N] [--prove]

AKIDB_DEEP=1 makes 500 kills of the default 50; AKIDB_TEST_SEED sets the seed, which is printed.
--prove takes something away, one after the other: the end of the killed server's log, a snapshot, an alias
or a collection. It expects the check to notice: a check that can't fail proves nothing.
"""

import argparse
import http.client
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from kill_actors import PROGRAM_TIMEOUT_S, Actor, Namer, Snapshotter, VectorChanger, ask  # noqa: E402
from server_process import Server, binary  # noqa: E402

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


class Writer(Actor):
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
        status, text = ask(connection, method, f"/collections/{COLLECTION}{path}?wait={wait}", body)
        if status == 503 and b"vectors" in text:
            self.in_flight = None  # refused: the collection's vectors are being changed
            return True
        if status != 200:
            self.failure = f"status {status}: {text!r}"
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


def stored_points(server, collection=COLLECTION):
    """id -> (revisions, vectors), by walking the whole collection."""
    points, offset = {}, None
    while True:
        body = {"limit": 500, "offset": offset, "with_vector": True}
        reply = server.request("POST", f"/collections/{collection}/points/scroll", body)
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
    """The complaint about vectors that don't belong to their point's revision, or None."""
    for id, ((revision, _, sparse), vectors) in points.items():
        if vectors[""][:2] != [float(id), float(revision)] or vectors["rows"] != rows(id, revision):
            return f"point {id}: vectors {vectors} do not belong to revision {revision}"
        if sparse is not None and vectors["words"] != words(id, sparse):
            return f"point {id}: sparse vector {vectors['words']} does not belong to revision {sparse}"
    return None


def wrong_copy(server, collection):
    return wrong_vectors(stored_points(server, collection))


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


class KillRun:
    """One data folder through many lives of its server."""

    LOAD_MAX_S = 0.25

    def __init__(self, seed):
        self.chance = random.Random(seed)
        # A small head, so that kills also fall into sealing, merging and the change of logs.
        self.server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "100"}).start()
        created = self.server.request("PUT", f"/collections/{COLLECTION}", SCHEMA)
        assert created.status == 200, created.text
        (self.folder,) = pathlib.Path(self.server.data_dir, "collections").iterdir()
        self.writers = [Writer(number, self.chance.getrandbits(32)) for number in range(WRITERS)]
        self.changer = VectorChanger(COLLECTION, "added")
        self.snapshotter = Snapshotter(COLLECTION, self.server.data_dir, self._chance_of_its_own(), wrong_copy)
        self.namer = Namer(COLLECTION, self._chance_of_its_own())
        self.actors = [self.changer, self.snapshotter, self.namer, *self.writers]
        # kills by where they fell; merges: those under load, after the merges of that life had begun
        self.kills = {"load": 0, "merges": 0, "recovery": 0, "ready": 0, "repair": 0}
        # What they take, undisturbed: kills fall before that, or a little later.
        self.start_s = self.repair_s = 0.3

    def _chance_of_its_own(self):
        return random.Random(self.chance.getrandbits(32))

    def close(self):
        self.server.close()

    def kill_under_load(self):
        for actor in self.actors:
            actor.run_until_killed(self.server.port)
        time.sleep(self.chance.uniform(0.0, self.LOAD_MAX_S))
        self.kills["merges"] += self._has_merged()
        self.server.kill()
        for actor in self.actors:
            actor.join()
        self.kills["load"] += 1

    def _has_merged(self):
        metrics = self.server.request("GET", "/metrics").text
        name = f'akidb_collection_merged_rows_total{{id="{COLLECTION}"}} '
        return any(line.startswith(name) and float(line[len(name) :]) > 0 for line in metrics.splitlines())

    def kill_elsewhere(self):
        """While the stopped folder is recovered or repaired. The complaint, or None."""
        if self.chance.random() < 0.6:
            return self._kill_in_recovery()
        return self._kill_in_repair()

    def _kill_in_recovery(self):
        """Kills a start before its collection answers, or soon after it did."""
        answered = threading.Event()

        def begin():
            line = process.stdout.readline()
            if not line.startswith("listening http://"):
                return
            connection = http.client.HTTPConnection("127.0.0.1", int(line.rsplit(":", 1)[1]), timeout=30)
            try:
                status, _ = ask(connection, "POST", f"/collections/{COLLECTION}/points/count", {})
                if status == 200:
                    answered.set()
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()

        command = [binary(), "serve", "--data-dir", self.server.data_dir, "--http-port", "0"]
        with open(self.server.log_path, "ab") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=self.server.environment,
                                       text=True)
        client = threading.Thread(target=begin)
        client.start()
        time.sleep(self.chance.uniform(0.0, 1.1 * self.start_s))
        ready, ended = answered.is_set(), process.poll()
        process.kill()
        client.join()
        process.stdout.close()
        process.wait()
        if ended is not None:
            return f"a start ended with {ended}"
        self.kills["ready" if ready else "recovery"] += 1
        return None

    def _kill_in_repair(self):
        command = [binary(), "repair", "--yes", self.server.data_dir]
        begun = time.monotonic()
        with open(self.server.log_path, "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=self.server.environment)
        try:
            code = process.wait(self.chance.uniform(0.0, 1.1 * self.repair_s))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PROGRAM_TIMEOUT_S)
            self.kills["repair"] += 1
            return None
        self.repair_s = time.monotonic() - begun
        return None if code == 0 else f"repair of a sound folder: {code}"

    def start_and_check(self):
        """The complaint, or None."""
        if pathlib.Path(self.server.data_dir, "repaired").exists():
            return "a repair took something away from a sound folder"
        begun = time.monotonic()
        try:
            self.server.start()
            self.server.request("POST", f"/collections/{COLLECTION}/points/count", {})
            self.start_s = time.monotonic() - begun
            complaints = [check(self.server, self.writers), *(actor.check(self.server) for actor in self.actors[:3])]
            return next((complaint for complaint in complaints if complaint), None)
        except (AssertionError, RuntimeError) as error:
            return str(error)

    def count(self):
        return sum(number for where, number in self.kills.items() if where != "merges")

    def run(self, kills):
        """The complaint, or None."""
        while self.count() < kills:
            self.kill_under_load()
            while self.count() < kills and self.chance.random() < 0.4:
                if complaint := self.kill_elsewhere():
                    return complaint
            if complaint := self.start_and_check():
                return complaint
        return None

    def summary(self):
        kills, done = self.kills, [actor.acknowledged_count for actor in self.actors]
        return (f"{self.count()} kills ({kills['load']} under load, {kills['merges']} of them after merges, "
                f"{kills['recovery']} in recovery, {kills['ready']} just after, {kills['repair']} in repair), "
                f"{sum(done[3:])} acknowledged writes, {done[0]} changes of vectors, {done[1]} of snapshots, "
                f"{done[2]} of collections and aliases, nothing lost")

    # ---- Proofs: losses that must be noticed

    def prove(self):
        """The complaint about a loss that wasn't noticed, or None."""
        losses = {
            "an alias or a collection": lambda: self._lose_from(self.namer),
            "a snapshot": lambda: self._lose_from(self.snapshotter),
            "the end of the log": self._cut_log,
        }
        for what, lose in losses.items():
            if complaint := self._prove(what, lose):
                return complaint
        return None

    def _prove(self, what, lose):
        """Tries until there was something to lose: a segment may hold already what is cut off a log."""
        lost = 0
        for _ in range(PROOF_KILLS_MORE):
            self.kill_under_load()
            undo = lose()
            lost += undo is not None
            complaint = self.start_and_check()
            if complaint and undo is None:
                return complaint
            if complaint and "quarantined" not in complaint:
                print(f"{what}: noticed: {complaint[:100]}…", flush=True)
                undo()
                return None
            if complaint:  # the server has noticed by itself, what the check is worth isn't known
                self.server.kill()
                undo()
                self.server.start()
        return f"{what}: lost {lost} times, and never noticed"

    def _lose_from(self, actor):
        """Has an actor's thing taken away by a life of the server that it doesn't know of. How to go on after
        that, or None: there was nothing to lose."""
        self.server.start()
        lost = actor.lose_one(self.server)
        self.server.kill()
        return (lambda: actor.take_over(self.server)) if lost else None

    def _cut_log(self):
        """As _lose_from: the end of what was logged, as a server would that acknowledges too early."""
        log = max(self.folder.glob("log/*"), key=lambda path: path.name)
        data = log.read_bytes()
        end = len(data.rstrip(b"\0"))
        if end < 8000:
            return None
        log.write_bytes(data[: end - 4000])
        return lambda: log.write_bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500 if os.environ.get("AKIDB_DEEP") else 50)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("AKIDB_TEST_SEED") or time.time_ns() % 2**32))
    parser.add_argument("--prove", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    run = KillRun(options.seed)
    try:
        complaint = run.run(options.kills)
        if not complaint and options.prove:
            complaint = run.prove()
        if complaint:
            print(f"after {run.count()} kills: {complaint}\nserver log:\n{run.server.log()[-4000:]}")
            return 1
        print(run.summary())
        return 0
    finally:
        run.close()


if __name__ == "__main__":
    sys.exit(main())
