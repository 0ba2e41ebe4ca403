"""What those ask who watch the server: metrics, telemetry, what collections are doing."""

import glob
import os
import re
import unittest

from server_process import ServerTestCase, wait_until

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})? [-+.e0-9]+$')


class Monitoring(ServerTestCase):
    def samples(self):
        reply = self.ok("GET", "/metrics")
        self.assertTrue(reply.headers["content-type"].startswith("text/plain"))
        kinds, samples = {}, {}
        for line in reply.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, kinds)
                kinds[name] = kind
            elif not line.startswith("# HELP "):
                self.assertRegex(line, SAMPLE)
                name, value = line.rsplit(" ", 1)
                self.assertNotIn(name, samples)
                samples[name] = float(value)
                family = re.sub(r"(_bucket|_sum|_count)?(\{.*)?$", "", name)
                self.assertIn(family, kinds)
        return samples

    def test_metrics(self):
        self.create()
        self.upsert([{"id": i, "vector": [1, 2, 3, 4]} for i in range(5)])
        self.call("GET", "/collections/nobody")
        before = self.samples()
        query = 'method="POST",endpoint="/collections/{name}/points/query"'
        for _ in range(3):
            self.query({"query": [1, 2, 3, 4]})
        samples = self.samples()
        self.assertEqual(samples['app_info{name="akidb",version="1.20.0"}'], 1)
        self.assertGreaterEqual(samples["collections_total"], 1)
        self.assertEqual(samples[f'collection_points{{id="{self.collection}"}}'], 5)
        self.assertEqual(samples[f'akidb_collection_read_only{{id="{self.collection}"}}'], 0)
        for rows in ("sealed", "merged"):
            self.assertEqual(samples[f'akidb_collection_{rows}_rows_total{{id="{self.collection}"}}'], 0)
        written = 'akidb_collection_written_bytes_total{id="%s",what="%s"}'
        self.assertGreater(samples[written % (self.collection, "log")], 5 * 16)
        for what in ("sealed", "merged"):
            self.assertEqual(samples[written % (self.collection, what)], 0)
        counted = f'rest_responses_total{{{query},status="200"}}'
        self.assertEqual(samples[counted] - before.get(counted, 0), 3)
        missing = 'rest_responses_total{method="GET",endpoint="/collections/{name}",status="404"}'
        self.assertGreaterEqual(samples[missing], 1)
        name = "rest_responses_duration_seconds"
        buckets = [value for key, value in samples.items() if key.startswith(f"{name}_bucket{{{query}")]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(buckets[-1], samples[f"{name}_count{{{query}}}"])
        self.assertGreater(samples[f"{name}_sum{{{query}}}"], 0)
        self.assertGreater(samples["memory_resident_bytes"], 1 << 20)
        self.assertGreater(samples["process_cpu_seconds_total"], 0)
        self.assertGreater(samples["process_threads"], 1)

    def test_metrics_open_no_collection(self):
        self.create()
        self.server.stop()
        self.server.start()
        self.assertNotIn(f'collection_points{{id="{self.collection}"}}', self.samples())
        self.ok("GET", self.path)
        self.assertIn(f'collection_points{{id="{self.collection}"}}', self.samples())

    def test_telemetry(self):
        self.create()
        result = self.ok("GET", "/telemetry?details_level=3&anonymize=true").result
        self.assertEqual(result["app"]["version"], "1.20.0")
        self.assertRegex(result["app"]["startup"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertGreaterEqual(result["collections"]["number_of_collections"], 1)
        self.assertEqual(result["cluster"], {"enabled": False})
        answered = result["requests"]["rest"]["responses"]["PUT /collections/{name}"]["200"]
        self.assertGreaterEqual(answered["count"], 1)
        self.assertGreater(answered["avg_duration_micros"], 0)
        self.assertGreater(result["memory"]["resident_bytes"], 1 << 20)
        telemetry = self.ok("GET", "/cluster/telemetry").result
        self.assertEqual(telemetry, {"collections": {}, "cluster": {"enabled": False, "peers": {}}})

    def test_issues_and_quotas(self):
        self.assertEqual(self.ok("GET", "/issues").result, {"issues": []})
        self.assertIs(self.ok("DELETE", "/issues").result, True)
        self.assertEqual(self.ok("GET", "/quotas").result["config"], {"enabled": False})

    def test_a_full_disk_leaves_deletions(self):
        """Any disk is fuller than 1 percent; what is set stays over a restart."""
        self.create()
        point = {"id": 1, "vector": [1, 2, 3, 4]}
        self.upsert([point, point | {"id": 2}])
        usage = self.ok("GET", "/quotas").result["usage"]
        self.assertEqual(set(usage), {"resident_memory_percent", "disk_usage_percent"})
        if usage["disk_usage_percent"] < 1:
            self.skipTest("an empty disk")
        self.assertNotIn("quota_exceeded", self.call("GET", "/metrics").text)
        config = {"enabled": True, "max_disk_usage_percent": 1, "release_margin_percent": 0}
        self.assertIs(self.ok("PUT", "/quotas?wait=true", config).result, True)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.ok("GET", "/quotas").result["config"], config)
        points = self.path + "/points"
        for method, path, body in (
            ("PUT", points, {"points": [point]}),
            ("POST", points + "/payload", {"payload": {"a": 1}, "points": [1]}),
            ("POST", points + "/payload/delete", {"keys": ["a"], "points": [1]}),
            ("PUT", points + "/vectors", {"points": [point]}),
            ("POST", points + "/batch", {"operations": [{"delete": {"points": [2]}}, {"upsert": {"points": [point]}}]}),
        ):
            with self.subTest(path=path):
                error = self.refused(507, method, path, body)
                self.assertIn("exceeding the configured limit of 1%", error)
                self.assertIn("`max_disk_usage_percent` in the global quota config", error)
        self.assertIn('quota_exceeded{resource="disk"} 1', self.call("GET", "/metrics").text)
        self.ok("POST", points + "/delete?wait=true", {"points": [2]})
        self.ok("POST", points + "/batch?wait=true", {"operations": [{"delete": {"points": [2]}}]})
        self.assertEqual(self.ok("POST", points + "/count", {}).result["count"], 1)
        self.ok("PUT", "/quotas", {"enabled": False, "max_disk_usage_percent": 1})
        self.upsert([point])
        self.ok("PUT", "/quotas", {"enabled": None})
        self.assertEqual(self.ok("GET", "/quotas").result["config"], {"enabled": False})
        for status, body, words in (
            (422, {"max_disk_usage_percent": 0}, "max_disk_usage_percent"),
            (422, {"max_resident_memory_percent": 101}, "max_resident_memory_percent"),
            (422, {"release_margin_percent": 101}, "release_margin_percent"),
            (400, {"release_margin_percent": -1}, "release_margin_percent"),
            (400, {"enabled": 1}, "enabled"),
            (400, [], "object"),
        ):
            with self.subTest(body=body):
                self.assertIn(words, self.refused(status, "PUT", "/quotas", body))

    def test_what_a_collection_is_doing(self):
        self.create()
        for start in range(0, 4000, 2000):
            self.upsert([{"id": i, "vector": [1, 2, 3, i]} for i in range(start, start + 2000)])
        optimizations = self.ok("GET", self.path + "/optimizations").result
        self.assertEqual(set(optimizations), {"summary", "running"})
        counts = {"queued_optimizations", "queued_segments", "queued_points", "idle_segments"}
        self.assertEqual(set(optimizations["summary"]), counts)
        asked = self.ok("GET", self.path + "/optimizations?with=queued,idle_segments").result
        self.assertEqual(set(asked), {"summary", "running", "queued", "idle_segments"})
        asked = self.ok("GET", self.path + "/optimizations?with=idle_segments%2Cqueued").result
        self.assertEqual(len(asked["idle_segments"]), asked["summary"]["idle_segments"])
        self.assertEqual({"queued"} & set(asked), {"queued"})
        memory = self.ok("GET", self.path + "/memory").result
        usage = {"disk_bytes", "ram_bytes", "cached_bytes", "expected_cache_bytes"}
        self.assertEqual(set(memory), {"total", "vectors", "sparse_vectors", "payload", "payload_index", "other"})
        self.assertEqual(set(memory["total"]), usage)
        self.assertEqual([set(v) for v in memory["vectors"]], [{"name", "storage", "index", "quantized"}])
        self.assertGreater(memory["total"]["ram_bytes"] + memory["total"]["disk_bytes"], 4000 * 16)
        for path in ("/optimizations", "/memory", "/cluster"):
            self.refused(404, "GET", "/collections/nobody" + path)

    def test_one_node(self):
        self.create()
        self.upsert([{"id": 1, "vector": [1, 2, 3, 4]}])
        cluster = self.ok("GET", self.path + "/cluster").result
        shard = {"shard_id": 0, "points_count": 1, "state": "Active"}
        self.assertEqual((cluster["shard_count"], cluster["local_shards"]), (1, [shard]))
        self.assertEqual((cluster["remote_shards"], cluster["shard_transfers"]), ([], []))
        for method, path in (
            ("POST", "/cluster/recover"),
            ("DELETE", "/cluster/peer/1"),
            ("POST", self.path + "/cluster"),
            ("PUT", self.path + "/shards"),
            ("POST", self.path + "/shards/delete"),
            ("GET", self.path + "/shards/0/snapshots"),
            ("DELETE", self.path + "/shards/0/snapshots/x"),
        ):
            with self.subTest(method=method, path=path):
                error = self.refused(405, method, path, {} if method in ("POST", "PUT") else None)
                self.assertEqual(error, "AkiDB is running in standalone mode")


class Scrubs(ServerTestCase):
    environment = {"AKIDB_HEAD_ROWS_MAX": "100", "AKIDB_SCRUB_INTERVAL_S": "1"}

    def metric(self, name):
        lines = self.call("GET", "/metrics").text.splitlines()
        (value,) = [line.split()[1] for line in lines if line.split()[0] == name]
        return float(value)

    def test_a_damaged_file_is_an_issue(self):
        self.create()
        for first in range(0, 300, 60):
            self.upsert([{"id": id, "vector": [id, 2, 3, 4]} for id in range(first, first + 60)])
        pattern = os.path.join(self.server.data_dir, "collections", "*", "seg", "*.seg")
        wait_until(lambda: glob.glob(pattern) and self.metric("akidb_scrub_rounds_total") > 0)
        self.assertEqual(self.metric("akidb_scrub_damaged_files"), 0)
        segment = sorted(glob.glob(pattern))[0]
        with open(segment, "r+b") as file:
            file.seek(-10, os.SEEK_END)
            byte = file.read(1)
            file.seek(-10, os.SEEK_END)
            file.write(bytes([byte[0] ^ 8]))
        wait_until(lambda: self.metric("akidb_scrub_damaged_files") > 0)
        issues = self.ok("GET", "/issues").result["issues"]
        (issue,) = [i for i in issues if i["id"].startswith("FILE/")]
        self.assertIn(os.path.basename(segment), issue["description"])


class States(ServerTestCase):
    """What /metrics, /issues and the listing say of collections that can't be used."""

    def states(self):
        lines = self.call("GET", "/metrics").text.splitlines()
        found = [re.fullmatch(r'akidb_collections\{state="([a-z]+)"\} (\d+)', line) for line in lines]
        return {match[1]: int(match[2]) for match in found if match}

    def issues(self):
        return self.ok("GET", "/issues").result["issues"]

    def damage(self, pattern):
        (path,) = glob.glob(os.path.join(self.server.data_dir, "collections", "*", pattern))
        with open(path, "r+b") as file:
            file.seek(30)
            byte = file.read(1)
            file.seek(30)
            file.write(bytes([byte[0] ^ 8]))
        return os.path.basename(path)

    def test_a_quarantined_collection_can_be_alerted_on(self):
        self.create()
        self.upsert([{"id": 1, "vector": [1, 2, 3, 4]}])
        none = {state: 0 for state in ("closed", "recovering", "ready", "degraded", "unavailable", "quarantined")}
        self.assertEqual(self.states(), none | {"ready": 1})
        self.assertEqual(self.ok("GET", self.path).json["akidb"]["state"], "ready")
        self.server.stop()
        name = self.damage("MANIFEST-*")
        self.server.start()
        self.ok("PUT", "/collections/sound", {"vectors": {"size": 4, "distance": "Dot"}})
        # Without being asked for.
        wait_until(lambda: self.states()["quarantined"] == 1)
        self.assertEqual(self.states(), none | {"ready": 1, "quarantined": 1})
        error = self.refused(503, "GET", self.path)
        self.assertIn("quarantined", error)
        (issue,) = self.issues()
        self.assertEqual(issue["id"], "COLLECTION/" + self.collection)
        self.assertIn("is quarantined", issue["description"])
        self.assertIn(name, issue["description"])
        self.assertIn("akidb repair", issue["solution"]["refactor"])
        listed = self.ok("GET", "/collections")
        self.assertEqual(listed.result["collections"], [{"name": "sound"}, {"name": self.collection}])
        trouble = listed.json["akidb"]["troubles"][self.collection]
        self.assertEqual(trouble["state"], "quarantined")
        self.assertIn(name, trouble["reason"])
        self.assertEqual(list(listed.json["akidb"]["troubles"]), [self.collection])
        self.ok("DELETE", self.path)
        self.assertEqual(self.states(), none | {"ready": 1})
        self.assertEqual(self.issues(), [])


class Recovery(ServerTestCase):
    """What is open after a start before anybody has asked, as GET /akidb/status tells."""

    environment = {"AKIDB_LOG_LEVEL": "info"}

    def status(self):
        return self.ok("GET", "/akidb/status").result

    def recovered(self):
        wait_until(lambda: self.status()["recovery"]["phase"] == "done")
        status = self.status()
        self.assertGreater(status["recovery"].pop("seconds"), 0)
        return status

    def setUp(self):
        super().setUp()
        for name in self.names():
            self.ok("DELETE", "/collections/" + name)
        for name in ("a", "b", "c"):
            self.ok("PUT", "/collections/" + name, {"vectors": {"size": 4, "distance": "Dot"}})
            self.add(name, 1)

    def names(self):
        return [one["name"] for one in self.ok("GET", "/collections").result["collections"]]

    def add(self, name, id):
        points = {"points": [{"id": id, "vector": [1, 2, 3, 4]}]}
        self.ok("PUT", f"/collections/{name}/points?wait=true", points)

    def count(self, name):
        return self.ok("POST", f"/collections/{name}/points/count", {}).result["count"]

    def test_what_was_killed_is_recovered_and_what_was_closed_stays_so(self):
        self.server.stop()
        self.server.start()
        none = {state: 0 for state in ("closed", "recovering", "ready", "degraded", "unavailable", "quarantined")}
        status = self.recovered()
        counts = {"phase": "done", "collections": 3, "looked_at": 3, "recovered": 0, "troubled": 0}
        counts |= {"torn_logs": 0, "torn_records": 0}
        self.assertEqual(status["recovery"], counts)
        self.assertEqual(status["collections"], none | {"closed": 3})
        self.assertEqual((status["not_ready"], status["not_ready_total"]), ([], 0))
        self.assertEqual(status["dialect"], "1.20.0")
        self.assertRegex(status["version"], r"^\d+\.\d+\.\d+")
        self.assertRegex(status["commit"], "^[0-9a-f]{40}$")
        self.assertGreater(status["uptime_s"], 0)
        self.assertLess(status["uptime_s"], 600)
        self.assertIn('"event":"recovery_ended"', self.server.log())
        # A write to each of two, and a kill with what these hold in the log alone.
        self.add("a", 2)
        self.add("c", 2)
        self.server.kill()
        self.server.start()
        status = self.recovered()
        self.assertEqual(status["recovery"], counts | {"recovered": 2})
        self.assertEqual(status["collections"], none | {"closed": 3})
        self.assertEqual((self.count("a"), self.count("b"), self.count("c")), (2, 1, 2))

    def test_a_damaged_one_is_quarantined_without_being_asked_for(self):
        self.server.kill()
        # The header of one collection's log.
        path = sorted(glob.glob(os.path.join(self.server.data_dir, "collections", "*", "log", "*.log")))[0]
        with open(path, "r+b") as file:
            file.seek(40)
            byte = file.read(1)
            file.seek(40)
            file.write(bytes([byte[0] ^ 8]))
        self.server.start()
        status = self.recovered()
        recovery = status["recovery"]
        self.assertEqual((recovery["looked_at"], recovery["recovered"], recovery["troubled"]), (3, 2, 1))
        self.assertEqual((status["collections"]["closed"], status["collections"]["quarantined"]), (2, 1))
        (one,) = status["not_ready"]
        self.assertEqual(status["not_ready_total"], 1)
        self.assertIn(one["name"], self.names())
        self.assertEqual(one["state"], "quarantined")
        self.assertIn(os.path.basename(path), one["reason"])
        self.assertIn('"event":"collection_quarantined"', self.server.log())
        self.assertEqual(self.server.request("GET", "/readyz").status, 200)


if __name__ == "__main__":
    unittest.main()
