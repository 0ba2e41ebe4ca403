"""Snapshots over HTTP: made, listed, fetched, sent, restored and deleted, also while others write."""

import hashlib
import io
import os
import pathlib
import subprocess
import tarfile
import tempfile
import threading
import urllib.parse

from server_process import Server, ServerTestCase, wait_until

BOUNDARY = "cut-here"


def multipart(content, name="snapshot", filename="sent.snapshot"):
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n")
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


class SnapshotTestCase(ServerTestCase):
    def fill(self, first=0, count=50, path=None):
        path = path or self.path
        points = [{"id": i, "vector": [1, i, 0, 0], "payload": {"n": i}} for i in range(first, first + count)]
        self.ok("PUT", path + "/points?wait=true", {"points": points})

    def count(self, path=None):
        return self.ok("POST", (path or self.path) + "/points/count", {"exact": True}).result["count"]

    def snapshot(self):
        return self.ok("POST", self.path + "/snapshots").result

    def location(self, name, collection=None):
        path = os.path.join(os.path.realpath(self.server.data_dir), "snapshots", collection or self.collection, name)
        return "file://" + urllib.parse.quote(path)

    def fetch(self, path):
        connection = self.server.connect()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def send(self, path, body, content_type=f"multipart/form-data; boundary={BOUNDARY}"):
        return self.call("POST", path, body, {"content-type": content_type})


class Snapshots(SnapshotTestCase):
    def test_one_is_described_listed_fetched_and_deleted(self):
        self.create()
        self.assertEqual(self.ok("GET", self.path + "/snapshots").result, [])
        self.fill()
        made = self.snapshot()
        self.assertEqual(set(made), {"name", "creation_time", "size", "checksum"})
        self.assertRegex(made["name"], rf"^{self.collection}-.*-\d{{4}}(-\d\d){{5}}\.snapshot$")
        self.assertRegex(made["creation_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
        self.assertEqual(self.ok("GET", self.path + "/snapshots").result, [made])
        path = self.path + "/snapshots/" + made["name"]
        status, headers, body = self.fetch(path)
        headers = {name.lower(): value for name, value in headers.items()}
        self.assertEqual((status, len(body)), (200, made["size"]))
        self.assertEqual(headers["content-type"], "application/octet-stream")
        self.assertEqual(headers["content-length"], str(made["size"]))
        self.assertEqual(headers["content-disposition"], f'attachment; filename="{made["name"]}"')
        self.assertEqual(hashlib.sha256(body).hexdigest(), made["checksum"])
        head = self.call("HEAD", path)
        self.assertEqual((head.text, head.headers["content-length"]), ("", str(made["size"])))
        self.assertIs(self.ok("DELETE", path).result, True)
        self.assertEqual(self.refused(404, "DELETE", path), f"Not found: Snapshot {made['name']} not found")
        self.assertEqual(self.call("GET", path).status, 404)
        self.assertEqual(self.ok("GET", self.path + "/snapshots").result, [])

    def test_it_is_an_archive_that_tar_reads(self):
        self.create()
        self.fill()
        body = self.fetch(self.path + "/snapshots/" + self.snapshot()["name"])[2]
        with tempfile.TemporaryDirectory() as folder:
            archive = os.path.join(folder, "a.snapshot")
            pathlib.Path(archive).write_bytes(body)
            listed = subprocess.run(["tar", "tf", archive], check=True, capture_output=True, text=True, timeout=60)
            names = listed.stdout.split()
            self.assertEqual(names[:2], ["SNAPSHOT", "MANIFEST"])
            self.assertEqual(listed.stderr, "")
            os.mkdir(os.path.join(folder, "out"))
            subprocess.run(["tar", "xf", archive, "-C", os.path.join(folder, "out")], check=True, timeout=60)
            self.assertEqual(sorted(os.listdir(os.path.join(folder, "out"))), sorted(names))
            with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                for member in tar.getmembers():
                    self.assertTrue(member.isreg())
                    self.assertEqual(os.path.getsize(os.path.join(folder, "out", member.name)), member.size)

    def test_a_collection_goes_back_to_it(self):
        self.create()
        self.fill(count=50)
        self.ok("POST", "/collections/aliases", {"actions": [
            {"create_alias": {"collection_name": self.collection, "alias_name": self.collection + "-alias"}}]})
        made = self.snapshot()
        self.fill(first=50, count=30)
        body = {"location": self.location(made["name"]), "priority": "snapshot", "checksum": made["checksum"]}
        self.assertIs(self.ok("PUT", self.path + "/snapshots/recover", body).result, True)
        self.assertEqual(self.count(), 50)
        self.assertEqual(self.count(f"/collections/{self.collection}-alias"), 50)
        self.fill(first=50, count=10)
        self.assertEqual(self.count(), 60)
        # The folder of the dialect's own image means ours; an alias means its collection.
        body = {"location": f"file:///qdrant/snapshots/{self.collection}/{made['name']}"}
        self.ok("PUT", f"/collections/{self.collection}-alias/snapshots/recover?wait=true", body)
        self.assertEqual(self.count(), 50)
        self.assertEqual(self.ok("GET", self.path + "/snapshots").result, [made])

    def test_it_becomes_a_new_collection_also_after_the_old_one_is_gone(self):
        self.create({"size": 4, "distance": "Cosine"})
        self.fill()
        location = self.location(self.snapshot()["name"])
        self.ok("DELETE", self.path)
        other = self.path + "-other"
        self.ok("PUT", other + "/snapshots/recover", {"location": location})
        self.assertEqual(self.count(other), 50)
        info = self.ok("GET", other).result
        self.assertEqual(info["config"]["params"]["vectors"], {"size": 4, "distance": "Cosine"})
        self.assertEqual(self.call("GET", self.path).status, 404)

    def test_it_can_be_sent(self):
        self.create()
        self.fill()
        made = self.snapshot()
        body = self.fetch(self.path + "/snapshots/" + made["name"])[2]
        other = self.path + "-other"
        reply = self.send(f"{other}/snapshots/upload?priority=snapshot&checksum={made['checksum']}", multipart(body))
        self.assertEqual((reply.status, reply.json.get("result")), (200, True), reply.text)
        self.assertEqual(self.count(other), 50)
        # It stays as one of its snapshots.
        listed = self.ok("GET", other + "/snapshots").result
        self.assertEqual([(one["name"], one["checksum"]) for one in listed], [("sent.snapshot", made["checksum"])])
        reply = self.send(other + "/snapshots/upload", multipart(body, filename="../../up.snapshot"))
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual([one["name"] for one in self.ok("GET", other + "/snapshots").result],
                         ["sent.snapshot", "up.snapshot"])

    def test_what_is_sent_may_be_larger_than_a_body(self):
        self.create({"size": 4096, "distance": "Dot"})
        vector = [0.5] * 4096
        for first in range(0, 2400, 400):
            points = [{"id": first + i, "vector": vector} for i in range(400)]
            self.ok("PUT", self.path + "/points?wait=true", {"points": points})
        made = self.snapshot()
        self.assertGreater(made["size"], 33 << 20)
        body = self.fetch(self.path + "/snapshots/" + made["name"])[2]
        self.assertEqual(hashlib.sha256(body).hexdigest(), made["checksum"])
        reply = self.send(self.path + "-other/snapshots/upload", multipart(body))
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(self.count(self.path + "-other"), 2400)

    def test_bad_uploads_are_refused_and_leave_nothing(self):
        path = self.path + "/snapshots/upload"
        for body, content_type, text in (
            (multipart(b"no snapshot"), None, "can't be restored"),
            (multipart(b"x", name="other"), None, "no file called `snapshot`"),
            (multipart(b"x")[:-9], None, "cut off"),
            (b"{}", "application/json", "multipart/form-data"),
            (b"x", "multipart/form-data", "boundary"),
        ):
            reply = self.send(path, body, content_type or f"multipart/form-data; boundary={BOUNDARY}")
            self.assertEqual(reply.status, 400, reply.text)
            self.assertIn(text, reply.error)
        self.assertEqual(self.call("POST", path).status, 400)
        reply = self.send(path + "?checksum=" + "0" * 64, multipart(b"x"))
        self.assertIn("checksum mismatch", reply.error)
        self.assertEqual(self.send(path + "?checksum=12", multipart(b"x")).status, 422)
        self.assertEqual(self.send(path + "?priority=none", multipart(b"x")).status, 400)
        self.assertEqual(self.call("GET", self.path).status, 404)
        self.assertEqual(os.listdir(os.path.join(self.server.data_dir, "snapshots", ".uploads")), [])

    def test_bad_recoveries_are_refused_and_change_nothing(self):
        self.create()
        self.fill()
        made = self.snapshot()
        path = self.path + "/snapshots/recover"
        damaged = pathlib.Path(self.server.data_dir, "snapshots", self.collection, "damaged.snapshot")
        whole = damaged.with_name(made["name"]).read_bytes()
        damaged.write_bytes(whole[:700] + bytes([whole[700] ^ 1]) + whole[701:])
        good = self.location(made["name"])
        for body, status, text in (
            ({}, 400, "location"),
            ({"location": 1}, 400, "location"),
            ({"location": "http://localhost/x"}, 400, "only file:// is"),
            ({"location": "/etc/passwd"}, 400, "only file:// is"),
            ({"location": "file:///etc/passwd"}, 400, "snapshot below"),
            ({"location": good + "/../../../catalog.db"}, 400, "snapshot below"),
            ({"location": self.location("..%2F..%2Fcatalog.db".replace("%2F", "/"))}, 400, "snapshot below"),
            ({"location": self.location("none")}, 400, "does not exist"),
            ({"location": self.location("damaged.snapshot")}, 400, "can't be restored"),
            ({"location": good, "checksum": "0" * 64}, 400, "checksum mismatch"),
            ({"location": good, "checksum": "abc"}, 422, "checksum"),
            ({"location": good, "priority": "mine"}, 400, "priority"),
        ):
            with self.subTest(body=body):
                self.assertIn(text, self.refused(status, "PUT", path, body))
        self.assertEqual(self.count(), 50)
        self.assertEqual(len(os.listdir(os.path.join(self.server.data_dir, "collections"))),
                         len(self.ok("GET", "/collections").result["collections"]))
        # A damaged one is listed, so that it can be deleted; of its time nothing is known.
        listed = {one["name"]: one for one in self.ok("GET", self.path + "/snapshots").result}
        self.assertIsNone(listed["damaged.snapshot"]["checksum"])

    def test_no_name_leads_out_of_the_folder(self):
        self.create()
        self.snapshot()
        secret = pathlib.Path(self.server.data_dir, "snapshots", "secret")
        secret.write_text("secret")
        for name in ("..%2Fsecret", "%2e%2e%2fsecret", "..", "%2e%2e", "..%5Csecret", "%2Fetc%2Fpasswd",
                     "x%00", ".uploads", "..%2F..%2Fcatalog.db"):
            for method in ("GET", "DELETE"):
                reply = self.call(method, f"{self.path}/snapshots/{name}")
                self.assertIn(reply.status, (400, 404, 405), name)
                self.assertNotIn("secret\n", reply.text)
        self.assertEqual(secret.read_text(), "secret")
        secret.unlink()

    def test_unknown_collections(self):
        error = f"Not found: Collection `{self.collection}` doesn't exist!"
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/x"), ("DELETE", "/x")):
            self.assertEqual(self.refused(404, method, self.path + "/snapshots" + path), error)

    def test_who_does_not_wait_is_answered_at_once(self):
        self.create()
        self.fill()
        reply = self.call("POST", self.path + "/snapshots?wait=false")
        self.assertEqual((reply.status, reply.json["status"]), (202, "accepted"))
        wait_until(lambda: self.ok("GET", self.path + "/snapshots").result)
        made = self.ok("GET", self.path + "/snapshots").result[0]
        self.fill(first=50)
        body = {"location": self.location(made["name"])}
        reply = self.call("PUT", self.path + "/snapshots/recover?wait=false", body)
        self.assertEqual((reply.status, reply.json["status"]), (202, "accepted"))
        wait_until(lambda: self.count() == 50)

    def test_writes_go_on_meanwhile(self):
        self.create()
        stop = threading.Event()
        failures = []

        def write():
            number = 0
            while not stop.is_set():
                reply = self.call("PUT", self.path + "/points?wait=true",
                                  {"points": [{"id": number, "vector": [1, 2, 3, 4]}]})
                if reply.status != 200:
                    failures.append(reply.text)
                    return
                number += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(5):
                made = self.snapshot()
                copy = self.path + "-copy"
                self.ok("PUT", copy + "/snapshots/recover", {"location": self.location(made["name"])})
                count = self.count(copy)
                ids = [point["id"] for point in
                       self.ok("POST", copy + "/points/scroll", {"limit": 10000}).result["points"]]
                self.assertEqual(ids, list(range(count)))  # a prefix of the writes
        finally:
            stop.set()
            writer.join()
        self.assertEqual(failures, [])


class WholeStorage(SnapshotTestCase):
    def test_all_collections_are_one_file(self):
        self.assertEqual(self.ok("GET", "/snapshots").result, [])
        for path in (self.path, self.path + "-2"):
            self.ok("PUT", path, {"vectors": {"size": 4, "distance": "Dot"}})
            self.fill(path=path)
        made = self.ok("POST", "/snapshots").result
        self.assertRegex(made["name"], r"^full-snapshot-\d{4}(-\d\d){5}-.*\.snapshot$")
        self.assertEqual(self.ok("GET", "/snapshots").result, [made])
        status, _, body = self.fetch("/snapshots/" + made["name"])
        self.assertEqual((status, hashlib.sha256(body).hexdigest()), (200, made["checksum"]))
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            self.assertEqual(tar.getnames(), ["STORAGE", "1.snapshot", "2.snapshot"])
            inner = tar.extractfile("2.snapshot").read()
        reply = self.send(self.path + "-3/snapshots/upload", multipart(inner))
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(self.count(self.path + "-3"), 50)
        self.assertIs(self.ok("DELETE", "/snapshots/" + made["name"]).result, True)
        self.assertEqual(self.call("GET", "/snapshots/" + made["name"]).status, 404)
        self.assertEqual(self.call("GET", "/snapshots/..%2Fx").status, 404)


class Restart(SnapshotTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)

    def test_a_restored_collection_and_its_snapshots_outlast_a_kill(self):
        self.create()
        self.fill()
        made = self.snapshot()
        self.fill(first=50)
        self.ok("PUT", self.path + "/snapshots/recover", {"location": self.location(made["name"])})
        self.fill(first=1000, count=5)
        leftover = pathlib.Path(self.server.data_dir, "snapshots", self.collection, "x.snapshot.tmp")
        leftover.write_bytes(b"x")
        self.server.kill()
        self.server.start()
        self.assertEqual(self.count(), 55)
        self.assertEqual(self.ok("GET", self.path + "/snapshots").result, [made])
        self.assertFalse(leftover.exists())


class SmallUploads(SnapshotTestCase):
    arguments = ("--upload-bytes-max", "2000")

    def test_one_beyond_the_bound_is_refused(self):
        reply = self.send(self.path + "/snapshots/upload", multipart(b"x" * 2000))
        self.assertEqual(reply.status, 413, reply.text)


if __name__ == "__main__":
    import unittest

    unittest.main()
