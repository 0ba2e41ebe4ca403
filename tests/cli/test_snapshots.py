"""`akidb snapshot`, of a server and of a data folder that no server uses."""

import glob
import json
import os
import subprocess
import unittest

from cli_process import CommandTestCase, Server, run

POINTS = 300


class Snapshots(CommandTestCase):
    def setUp(self):
        super().setUp()
        self.server = Server(environment={"AKIDB_HEAD_ROWS_MAX": "128"})
        self.addCleanup(self.server.close)
        self.server.start()
        self.fill("docs", POINTS)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.output = os.path.join(self.folder, "docs.snapshot")

    def fill(self, name, count, first=0):
        self.server.request("PUT", f"/collections/{name}", {"vectors": {"size": 4, "distance": "Dot"}})
        points = [{"id": i, "vector": [1, 2, 3, i], "payload": {"n": i}} for i in range(first, first + count)]
        reply = self.server.request("PUT", f"/collections/{name}/points?wait=true", {"points": points})
        self.assertEqual(reply.status, 200, reply.text)

    def count(self, name):
        return self.server.request("POST", f"/collections/{name}/points/count", {"exact": True}).result["count"]

    def test_of_a_server(self):
        place = ("--url", self.url)
        made = json.loads(self.good("snapshot", "create", "docs", "--json", *place))
        self.assertEqual(set(made), {"name", "bytes", "created", "sha256"})
        listed = [json.loads(line) for line in self.good("snapshot", "list", "docs", "--json", *place).splitlines()]
        self.assertEqual(listed, [made])
        self.assertIn(made["sha256"], self.good("snapshot", "list", "docs", *place))
        self.fill("docs", 50, first=POINTS)
        self.assertIn("--replace", self.bad(1, "snapshot", "restore", made["name"], "docs", *place))
        self.assertEqual(self.count("docs"), POINTS + 50)
        self.good("snapshot", "restore", made["name"], "docs", "--replace", *place)
        self.assertEqual(self.count("docs"), POINTS)
        self.good("snapshot", "restore", made["name"], "copy", "--from", "docs", *place)
        self.assertEqual(self.count("copy"), POINTS)
        self.bad(1, "snapshot", "restore", "nothing", "other", *place)
        self.bad(1, "snapshot", "create", "nothing", *place)

    def test_a_file_travels(self):
        out = self.good("snapshot", "create", "docs", "--output", self.output, "--url", self.url)
        self.assertIn("sha256", out)
        self.assertEqual(self.good("snapshot", "list", "docs", "--url", self.url), "")
        verified = json.loads(self.good("snapshot", "verify", self.output, "--json", "--quiet"))
        self.assertEqual((verified["collection"], verified["seq"]), ("docs", 1))
        self.assertIn("collection: docs", self.good("inspect", "--verify", self.output))
        listed = subprocess.run(["tar", "tf", self.output], check=True, capture_output=True, text=True, timeout=60)
        self.assertEqual(listed.stdout.split()[:2], ["SNAPSHOT", "MANIFEST"])
        self.bad(1, "snapshot", "create", "docs", "--output", self.output, "--url", self.url)
        # To a server, and to a folder that isn't there yet.
        self.good("snapshot", "restore", self.output, "sent", "--url", self.url)
        self.assertEqual(self.count("sent"), POINTS)
        folder = os.path.join(self.folder, "other")
        self.good("snapshot", "restore", self.output, "docs", "--data-dir", folder)
        made = json.loads(self.good("snapshot", "create", "docs", "--json", "--data-dir", folder))
        self.assertEqual([json.loads(line) for line in self.good(
            "snapshot", "list", "docs", "--json", "--data-dir", folder).splitlines()], [made])
        self.good("snapshot", "restore", made["name"], "docs", "--replace", "--data-dir", folder)
        again = os.path.join(self.folder, "again.snapshot")
        self.good("snapshot", "create", "docs", "--output", again, "--data-dir", folder)
        self.assertIn("sound: collection `docs`", self.good("snapshot", "verify", again))
        other = Server(data_dir=folder)
        self.addCleanup(other.close)
        reply = other.start().request("POST", "/collections/docs/points/count", {"exact": True})
        self.assertEqual(reply.result["count"], POINTS)

    def test_the_whole_storage(self):
        self.fill("other", 20)
        self.server.request("POST", "/collections/aliases", {"actions": [
            {"create_alias": {"collection_name": "docs", "alias_name": "manual"}}]})
        self.good("snapshot", "create", "--all", "--output", self.output, "--url", self.url)
        self.assertIn("2 collections", self.good("snapshot", "verify", self.output))
        self.assertIn("--replace", self.bad(1, "snapshot", "restore", self.output, "--all", "--url", self.url))
        self.fill("docs", 10, first=POINTS)
        self.good("snapshot", "restore", self.output, "--all", "--replace", "--url", self.url)
        self.assertEqual((self.count("docs"), self.count("other")), (POINTS, 20))
        folder = os.path.join(self.folder, "other")
        self.good("snapshot", "restore", self.output, "--all", "--data-dir", folder)
        other = Server(data_dir=folder)
        self.addCleanup(other.close)
        reply = other.start().request("POST", "/collections/manual/points/count", {"exact": True})
        self.assertEqual(reply.result["count"], POINTS)
        self.bad(2, "snapshot", "create", "--url", self.url)
        self.bad(2, "snapshot", "create", "docs", "--all", "--url", self.url)

    def test_what_is_wrong_is_told(self):
        self.good("snapshot", "create", "docs", "--output", self.output, "--url", self.url)
        with open(self.output, "r+b") as file:
            file.seek(os.path.getsize(self.output) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        self.assertIn("damaged", self.bad(4, "snapshot", "verify", self.output))
        self.bad(1, "snapshot", "restore", self.output, "other", "--url", self.url)
        self.bad(4, "snapshot", "restore", self.output, "other", "--data-dir", os.path.join(self.folder, "d"))
        self.bad(1, "snapshot", "verify", self.output + "x")
        self.bad(5, "snapshot", "list", "docs", "--data-dir", self.server.data_dir)
        self.bad(3, "snapshot", "list", "docs", "--url", "http://127.0.0.1:1")
        self.bad(2, "snapshot")
        self.assertEqual(self.server.request("GET", "/collections/other").status, 404)

    def stored(self, folder):
        return set(os.listdir(os.path.join(folder, "files")))

    def test_a_folder_takes_what_is_new(self):
        folder = os.path.join(self.folder, "backup")
        at = ("--directory", folder)
        first = json.loads(self.good("snapshot", "create", "docs", "--json", "--quiet", *at, "--url", self.url))
        self.assertEqual(set(first), {"name", "bytes", "copied", "created", "sha256"})
        self.assertEqual(first["copied"], first["bytes"])
        self.assertEqual(self.good("snapshot", "list", "docs", "--url", self.url), "")
        before = self.stored(folder)
        self.fill("docs", 50, first=POINTS)
        second = json.loads(self.good("snapshot", "create", "docs", "--json", *at, "--url", self.url))
        self.assertNotEqual(first["name"], second["name"])
        listed = [json.loads(line) for line in self.good("snapshot", "list", "--json", *at).splitlines()]
        for made in (first, second):
            del made["copied"]
        self.assertEqual(listed, sorted((first, second), key=lambda made: made["name"]))
        self.assertEqual(self.good("snapshot", "list", "other", *at), "")
        verdict = json.loads(self.good("snapshot", "verify", folder, "--json", "--quiet"))
        self.assertEqual((verdict["snapshots"], verdict["files"], verdict["damaged"]),
                         (2, len(self.stored(folder)), []))
        self.assertIn("collection: docs", self.good("inspect", "--verify", folder))
        # Each by itself, to a server and to a folder that isn't there yet.
        self.good("snapshot", "delete", first["name"], *at)
        self.assertFalse(before <= self.stored(folder))
        self.bad(1, "snapshot", "restore", first["name"], "copy", *at, "--url", self.url)
        self.good("snapshot", "restore", second["name"], "copy", *at, "--url", self.url)
        self.assertEqual(self.count("copy"), POINTS + 50)
        data = os.path.join(self.folder, "data")
        self.good("snapshot", "restore", second["name"], "docs", *at, "--data-dir", data)
        local = json.loads(self.good("snapshot", "create", "docs", "--json", *at, "--data-dir", data))
        self.assertLessEqual(local["copied"], local["bytes"])
        self.assertIn("sound: 2 of 2 snapshots", self.good("snapshot", "verify", folder))
        other = Server(data_dir=data)
        self.addCleanup(other.close)
        reply = other.start().request("POST", "/collections/docs/points/count", {"exact": True})
        self.assertEqual(reply.result["count"], POINTS + 50)

    def test_a_damaged_folder_is_told(self):
        folder = os.path.join(self.folder, "backup")
        made = json.loads(self.good("snapshot", "create", "docs", "--json", "--directory", folder, "--url", self.url))
        self.assertIn("no folder of snapshots", self.bad(
            1, "snapshot", "create", "docs", "--directory", self.folder, "--url", self.url))
        largest = max((os.path.join(folder, "files", name) for name in self.stored(folder)), key=os.path.getsize)
        with open(largest, "r+b") as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
        self.assertIn("hash", self.bad(4, "snapshot", "verify", folder))
        self.bad(4, "inspect", "--verify", folder)
        self.bad(4, "snapshot", "restore", made["name"], "b", "--directory", folder,
                 "--data-dir", os.path.join(self.folder, "d"))
        self.bad(1, "snapshot", "restore", made["name"], "b", "--directory", folder, "--url", self.url)
        self.assertEqual(self.server.request("GET", "/collections/b").status, 404)
        os.rename(largest, os.path.join(self.folder, "elsewhere"))
        os.symlink(os.path.join(self.folder, "elsewhere"), largest)
        self.assertIn("link", self.bad(4, "snapshot", "verify", folder))
        self.bad(2, "snapshot", "create", "docs", "--all", "--directory", folder, "--url", self.url)
        self.bad(2, "snapshot", "create", "docs", "--directory", folder, "--output", self.output, "--url", self.url)
        self.bad(2, "snapshot", "create", "--directory", folder, "--url", self.url)
        self.bad(1, "snapshot", "verify", os.path.join(self.folder, "none"))
        self.bad(1, "snapshot", "list", "--directory", os.path.join(self.folder, "none"))
        self.bad(1, "snapshot", "delete", "x", "--directory", os.path.join(self.folder, "none"))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "none")))

    def lines(self, *arguments):
        return [json.loads(line) for line in self.good("snapshot", *arguments, "--json").splitlines()]

    def test_the_whole_storage_in_a_folder(self):
        backup = os.path.join(self.folder, "backup")
        at = ("--directory", backup)
        self.fill("other", 20)
        self.server.request("POST", "/collections/aliases", {"actions": [
            {"create_alias": {"collection_name": "docs", "alias_name": "manual"}}]})
        first = self.lines("create", "--all", "--quiet", *at, "--url", self.url)
        self.assertEqual([made["name"].split("-")[0] for made in first], ["docs", "other", "storage"])
        self.assertEqual(first[2]["bytes"], first[0]["bytes"] + first[1]["bytes"])
        self.assertEqual(first[2]["copied"], first[0]["copied"] + first[1]["copied"])
        for name in ("docs", "other"):
            self.assertEqual(self.good("snapshot", "list", name, "--url", self.url), "")
        self.fill("other", 20, first=20)
        second = self.lines("create", "--all", *at, "--url", self.url)
        self.assertLess(second[2]["copied"], second[2]["bytes"])
        listed = [made["name"] for made in self.lines("list", "--all", *at)]
        self.assertEqual(sorted(listed), sorted([first[2]["name"], second[2]["name"]]))
        self.assertEqual(len(self.lines("list", *at)), 6)
        self.assertEqual(len(self.lines("list", "docs", *at)), 2)
        self.assertIn("sound: 6 of 6", self.good("snapshot", "verify", backup))
        self.assertIn("storage", self.good("inspect", "--verify", backup))
        # What it needs can't go alone; it takes that with it.
        name = first[2]["name"]
        self.assertIn(name, self.bad(1, "snapshot", "delete", first[1]["name"], *at))
        self.good("snapshot", "delete", name, *at)
        self.assertEqual(len(self.lines("list", *at)), 3)
        self.assertIn("sound: 3 of 3", self.good("snapshot", "verify", backup))
        self.bad(1, "snapshot", "restore", name, "--all", "--replace", *at, "--url", self.url)
        # To a server, and to a folder that isn't there yet.
        name = second[2]["name"]
        self.fill("docs", 10, first=POINTS)
        self.assertIn("--replace", self.bad(1, "snapshot", "restore", name, "--all", *at, "--url", self.url))
        self.good("snapshot", "restore", name, "--all", "--replace", *at, "--url", self.url)
        self.assertEqual((self.count("docs"), self.count("other")), (POINTS, 40))
        data = os.path.join(self.folder, "data")
        self.good("snapshot", "restore", name, "--all", *at, "--data-dir", data)
        local = self.lines("create", "--all", *at, "--data-dir", data)
        self.assertEqual(len(local), 3)
        other = Server(data_dir=data)
        self.addCleanup(other.close)
        reply = other.start().request("POST", "/collections/manual/points/count", {"exact": True})
        self.assertEqual(reply.result["count"], POINTS)

    def test_of_the_whole_storage_one_collection_fails(self):
        backup = os.path.join(self.folder, "backup")
        at = ("--directory", backup)
        (docs,) = glob.glob(os.path.join(self.server.data_dir, "collections", "*"))
        self.fill("other", 20)
        self.server.stop()
        place = ("--data-dir", self.server.data_dir)
        with open(os.path.join(docs, "CURRENT"), "w", encoding="ascii") as file:
            file.write("rubbish")
        code, out, error = run("snapshot", "create", "--all", "--json", "--quiet", *at, *place)
        self.assertNotEqual(code, 0)
        self.assertIn("`docs`", error)
        made = [json.loads(line)["name"] for line in out.splitlines()]
        self.assertEqual([name.split("-")[0] for name in made], ["other", "storage"])
        data = os.path.join(self.folder, "data")
        self.good("snapshot", "restore", made[1], "--all", *at, "--data-dir", data)
        # One that lacks a part is damaged.
        os.remove(os.path.join(backup, "snapshots", made[0] + ".list"))
        self.assertIn("`other`", self.bad(4, "snapshot", "verify", backup))
        self.bad(4, "snapshot", "restore", made[1], "--all", "--replace", *at, "--data-dir", data)
        self.good("snapshot", "delete", made[1], *at)
        self.assertIn("sound: 0 of 0", self.good("snapshot", "verify", backup))

    def test_deleting_one_of_a_server(self):
        made = json.loads(self.good("snapshot", "create", "docs", "--json", "--url", self.url))
        self.good("snapshot", "delete", made["name"], "docs", "--url", self.url)
        self.assertEqual(self.good("snapshot", "list", "docs", "--url", self.url), "")
        self.bad(1, "snapshot", "delete", made["name"], "docs", "--url", self.url)

    def test_help_and_completion(self):
        out = self.good("snapshot", "--help")
        for word in ("create", "list", "restore", "verify", "delete"):
            self.assertIn(word, out)
        self.assertIn("--replace", self.good("snapshot", "restore", "--help"))
        self.assertIn("--directory", self.good("snapshot", "create", "--help"))
        completion = self.good("completion", "bash")
        self.assertIn("restore", completion)
        self.assertIn("--directory", completion)


if __name__ == "__main__":
    unittest.main()
