"""Files of every format version that was ever written, which this program must go on reading.

`python3 test_golden.py make NAME [POINTS]` writes what make() does with the program of today: once for each
version, with the default, which stays in the log, and as NAME-sealed.snapshot with 1100 points, which become a segment.
`python3 test_golden.py make-texts NAME` writes texts with an index that ranks them.
`python3 test_golden.py make-folder NAME` writes a folder of two snapshots that share a segment.
`python3 test_golden.py make-data NAME` writes an archive of a data folder whose system log was cut behind a checkpoint.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "api"))

from server_process import Server, binary, program_environment  # noqa: E402

VECTORS = {
    "": {"size": 4, "distance": "Dot"},
    "half": {"size": 3, "distance": "Cosine", "datatype": "float16"},
    "many": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
}
POINTS = 100
UUID = "936da01f-9abd-4d9d-80c7-02af85c822a8"


def point(number):
    return {
        "id": number,
        "vector": {"": [number, 1, 0, -1], "half": [1, 0.5, number], "many": [[1, 2], [number, 4]],
                   "words": {"indices": [1, number + 2], "values": [0.5, 2.0]}},
        "payload": {"n": number, "nested": {"a": [1, {"b": "ü"}]}, "big": 9007199254740993, "none": None},
    }


SEALED_POINTS = 1100


def sender(server):
    def send(method, rest, body):
        reply = server.request(method, "/collections/golden" + rest, body)
        assert reply.status == 200, reply.text
        return reply
    return send


def make(path, points):
    """Rows of every kind of vector, in a segment if there are enough; deletes and changed payloads, in the log."""
    server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "32"})
    try:
        server.start()
        fill(sender(server), points)
        made = sender(server)("POST", "/snapshots", {}).result
        os.replace(os.path.join(server.data_dir, "snapshots", "golden", made["name"]), path)
    finally:
        server.close()


TEXTS = 400


def text(number):
    return f"word{number % 7} number {number} of {'many ' * (number % 5)}word{number % 3}"


def make_texts(path):
    """Texts whose index keeps the order of words and how many there are."""
    server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "32"})
    try:
        server.start()
        send = sender(server)
        send("PUT", "", {"vectors": {"size": 1, "distance": "Dot"}})
        schema = {"type": "text", "scoring": True, "phrase_matching": True}
        send("PUT", "/index?wait=true", {"field_name": "t", "field_schema": schema})
        for first in range(0, TEXTS, 10):
            send("PUT", "/points?wait=true", {"points": [
                {"id": i, "vector": [i], "payload": {"t": text(i)}} for i in range(first, first + 10)]})
        while send("GET", "", None).result["segments_count"] < 2:
            time.sleep(0.1)
        send("POST", "/points/delete?wait=true", {"points": [3, 50]})
        made = send("POST", "/snapshots", {}).result
        os.replace(os.path.join(server.data_dir, "snapshots", "golden", made["name"]), path)
    finally:
        server.close()


def make_folder(path):
    """What make() does with a segment, then one more point deleted; the lock isn't part of it."""
    server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "32"})
    try:
        server.start()
        send = sender(server)
        create = [binary(), "snapshot", "create", "golden", "--directory", path,
                  "--url", f"http://127.0.0.1:{server.port}"]
        fill(send, SEALED_POINTS)
        subprocess.run(create, check=True, env=program_environment())
        send("POST", "/points/delete?wait=true", {"points": [7]})
        subprocess.run(create, check=True, env=program_environment())
        os.remove(os.path.join(path, "LOCK"))
    finally:
        server.close()


def make_data(archive_path):
    """A collection, a restored one and aliases, behind more records of the system log than it may have; then one
    more alias. The catalog, which is made anew from these, isn't part of it."""
    server = Server()
    try:
        server.start()
        send = sender(server)
        fill(send, POINTS)
        made = send("POST", "/snapshots", {}).result
        snapshot = pathlib.Path(server.data_dir, "snapshots", "golden", made["name"])
        body = {"location": snapshot.as_uri()}
        assert server.request("PUT", "/collections/copy/snapshots/recover", body).status == 200
        create_aliases(server, {"first": "golden", "second": "copy"})
        for number in range(24):
            body = {"vectors": {"size": 1, "distance": "Dot"}, "metadata": {"long": "x" * 50_000}}
            assert server.request("PUT", f"/collections/c{number}", body).status == 200
            assert server.request("DELETE", f"/collections/c{number}").status == 200
        create_aliases(server, {"third": "golden"})
        server.stop()
        with tarfile.open(archive_path, "w:gz") as archive:
            for name in ("VERSION", "system", "collections"):
                archive.add(os.path.join(server.data_dir, name), name)
    finally:
        server.close()


def create_aliases(server, names):
    actions = [{"create_alias": {"alias_name": alias, "collection_name": name}} for alias, name in names.items()]
    assert server.request("POST", "/collections/aliases", {"actions": actions}).status == 200


def fill(send, points):
    send("PUT", "", {"vectors": VECTORS, "sparse_vectors": {"words": {"modifier": "idf"}},
                     "metadata": {"made": "once"}})
    send("PUT", "/index?wait=true", {"field_name": "n", "field_schema": "integer"})
    for first in range(0, points, 10):
        send("PUT", "/points?wait=true", {"points": [point(i) for i in range(first, first + 10)]})
    while points == SEALED_POINTS and send("GET", "", None).result["segments_count"] < 2:
        time.sleep(0.1)
    send("PUT", "/points?wait=true", {"points": [{**point(1), "id": UUID}]})
    send("POST", "/points/delete?wait=true", {"points": [3, 50]})
    send("POST", "/points/payload?wait=true", {"payload": {"late": True}, "points": [4, 99]})


class Snapshots(unittest.TestCase):
    def test_every_version_is_restored(self):
        files = sorted(HERE.glob("*.snapshot"))
        self.assertTrue(files)
        for file in files:
            with self.subTest(file=file.name), tempfile.TemporaryDirectory() as folder:
                before = hashlib.sha256(file.read_bytes()).hexdigest()
                data = os.path.join(folder, "data")
                for command in (["verify", str(file)], ["restore", str(file), "golden", "--data-dir", data]):
                    subprocess.run([binary(), "snapshot", *command], check=True, timeout=100,
                                   env=program_environment(), stdout=subprocess.DEVNULL)
                self.assertEqual(hashlib.sha256(file.read_bytes()).hexdigest(), before)
                server = Server(data_dir=data).start()
                self.addCleanup(server.close)
                if "texts" in file.name:
                    self.check_texts(server)
                else:
                    self.check(server, SEALED_POINTS if "sealed" in file.name else POINTS)
                server.stop()

    def test_every_version_of_a_folder_is_restored(self):
        folders = sorted(HERE.glob("*.folder"))
        self.assertTrue(folders)
        for path in folders:
            with self.subTest(folder=path.name), tempfile.TemporaryDirectory() as temporary:
                def command(*arguments):
                    return subprocess.run([binary(), "snapshot", *arguments], check=True, timeout=100, text=True,
                                          env=program_environment(), stdout=subprocess.PIPE).stdout

                before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
                self.assertIn("sound: 2 of 2 snapshots", command("verify", str(path)))
                made = [json.loads(line) for line in command("list", "--json", "--directory", str(path)).splitlines()]
                made.sort(key=lambda one: one["created"])
                for number, snapshot in enumerate(made):
                    data = os.path.join(temporary, str(number))
                    command("restore", snapshot["name"], "golden", "--directory", str(path), "--data-dir", data)
                    server = Server(data_dir=data).start()
                    self.addCleanup(server.close)
                    self.check(server, SEALED_POINTS, {7} if number else set())
                    server.stop()
                self.assertEqual({file: file.read_bytes() for file in path.rglob("*") if file.is_file()}, before)

    def test_every_version_of_a_data_folder_is_opened(self):
        archives = sorted(HERE.glob("*.data"))
        self.assertTrue(archives)
        for path in archives:
            with self.subTest(folder=path.name), tempfile.TemporaryDirectory() as temporary:
                data = os.path.join(temporary, "data")
                with tarfile.open(path) as archive:
                    archive.extractall(data)
                report = subprocess.run([binary(), "inspect", data, "--verify", "--json"], check=True, text=True,
                                        env=program_environment(), stdout=subprocess.PIPE, timeout=100).stdout
                self.assertIn("system checkpoint", report)
                for _ in range(2):  # without a catalog, and with one
                    server = Server(data_dir=data).start()
                    self.addCleanup(server.close)
                    collections = server.request("GET", "/collections").result["collections"]
                    self.assertEqual({one["name"] for one in collections}, {"golden", "copy"})
                    aliases = server.request("GET", "/aliases").result["aliases"]
                    self.assertEqual({one["alias_name"]: one["collection_name"] for one in aliases},
                                     {"first": "golden", "second": "copy", "third": "golden"})
                    self.check(server, POINTS)
                    server.stop()

    def check_texts(self, server):
        def ask(body):
            reply = server.request("POST", "/collections/golden/points/query", body)
            self.assertEqual(reply.status, 200, reply.text)
            return reply.result["points"]

        hits = ask({"query": {"text": "word6 321"}, "using": "t", "limit": TEXTS})
        having = [i for i in range(TEXTS) if i not in (3, 50) and (i % 7 == 6 or i == 321)]
        self.assertEqual(sorted(hit["id"] for hit in hits), having)
        self.assertEqual(hits[0]["id"], 321)
        phrase = {"must": [{"key": "t", "match": {"phrase": "number 77 of many"}}]}
        self.assertEqual([hit["id"] for hit in ask({"filter": phrase})], [77])

    def check(self, server, points, deleted_later=frozenset()):
        gone = {3, 50} | deleted_later

        def ask(method, rest, body=None):
            reply = server.request(method, "/collections/golden" + rest, body)
            self.assertEqual(reply.status, 200, reply.text)
            return reply.result

        config = ask("GET", "")["config"]
        self.assertEqual(set(config["params"]["vectors"]), set(VECTORS))
        self.assertEqual(config["metadata"], {"made": "once"})
        page = ask("POST", "/points/scroll", {"limit": 10000, "with_payload": True, "with_vector": True})
        found = {one["id"]: one for one in page["points"]}
        self.assertEqual(set(found), ({*range(points)} - gone) | {UUID})
        for number in set(range(points)) - gone:
            expected = point(number)
            if number in (4, 99):
                expected["payload"]["late"] = True
            self.assertEqual(found[number]["payload"], expected["payload"])
            self.assertEqual(found[number]["vector"][""], expected["vector"][""])
            self.assertEqual(found[number]["vector"]["many"], expected["vector"]["many"])
            self.assertEqual(found[number]["vector"]["words"], expected["vector"]["words"])
        nearest = ask("POST", "/points/query", {"query": [1, 0, 0, 0], "limit": 1})["points"]
        self.assertEqual(nearest[0]["id"], points - 1)
        words = {"indices": [72], "values": [1.0]}
        hits = ask("POST", "/points/query", {"query": words, "using": "words", "limit": 3})["points"]
        self.assertEqual(hits[0]["id"], 70)
        body = {"exact": True, "filter": {"must": [{"key": "n", "range": {"lt": 10}}]}}
        self.assertEqual(ask("POST", "/points/count", body)["count"], 10 - len(deleted_later))


if __name__ == "__main__":
    if len(sys.argv) in (3, 4) and sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else POINTS)
    elif len(sys.argv) == 3 and sys.argv[1] == "make-texts":
        make_texts(sys.argv[2])
    elif len(sys.argv) == 3 and sys.argv[1] == "make-folder":
        make_folder(sys.argv[2])
    elif len(sys.argv) == 3 and sys.argv[1] == "make-data":
        make_data(sys.argv[2])
    else:
        unittest.main()
