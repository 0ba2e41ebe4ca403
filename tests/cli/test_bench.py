"""`akidb bench`: of a file of vectors, of a collection, in a data folder and over HTTP."""

import json
import os
import random
import signal
import struct
import time
import unittest
import xml.etree.ElementTree

from cli_process import CommandTestCase, clean_environment, run, start
from server_process import Server, wait_until

DIM = 8
ROWS = 600


def vectors(rows=ROWS, seed=5):
    rng = random.Random(seed)
    return [[rng.gauss(0, 1) for _ in range(DIM)] for _ in range(rows)]


class Bench(CommandTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)
        cls.url = f"http://127.0.0.1:{cls.server.port}"

    def setUp(self):
        super().setUp()
        self.scratch = os.path.join(self.folder, "scratch")
        os.mkdir(self.scratch)
        self.environment = clean_environment(TMPDIR=self.scratch)
        self.json = os.path.join(self.folder, "out.json")
        self.data = os.path.join(self.folder, "data")

    def file(self, name="vectors.f32", rows=None):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            for row in vectors() if rows is None else rows:
                file.write(struct.pack(f"<{len(row)}f", *row))
        return path

    def measure(self, *arguments):
        """What --json has, and the printed text."""
        out = self.good("bench", *arguments, "--json", self.json, "--ef", "10,50", "--rounds", "2", "--quiet",
                        env=self.environment)
        with open(self.json, encoding="utf-8") as file:
            return json.load(file), out

    def refused(self, code, *arguments):
        return self.bad(code, "bench", *arguments, env=self.environment)

    def test_a_file_is_measured_in_a_folder_that_goes_away(self):
        report, out = self.measure(self.file(), "--dim", str(DIM), "--selectivity", "50,10")
        self.assertEqual((report["points"], report["queries"], report["dim"]), (540, 60, DIM))
        self.assertEqual([one["name"] for one in report["series"]],
                         ["akidb", "akidb, 50 % pass", "akidb, 10 % pass"])
        for one in report["series"]:
            self.assertEqual([point["ef"] for point in one["points"]], [10, 50])
            for point in one["points"]:
                self.assertGreater(point["recall"], 0.9)
                for key in ("queries_per_s", "queries_per_cpu_s", "p50_us", "p99_us", "rows_per_query",
                            "bytes_per_query"):
                    self.assertGreater(point[key], 0)
        self.assertIn("540 points of 8 dimensions, Cosine, 60 queries, k 10, 1 thread, 2 rounds", out)
        self.assertIn("recall@10", out)
        self.assertIn("rows/query  bytes/query", out)
        self.assertIn("at equal recall", out)
        self.assertEqual(os.listdir(self.scratch), [])

    def test_a_server_is_measured_and_left_as_it_was(self):
        report, _ = self.measure(self.file(), "--dim", str(DIM), "--url", self.url, "--metric", "euclid",
                                 "--threads", "3", "--selectivity", "20")
        self.assertEqual(report["metric"], "Euclid")
        for one in report["series"]:
            for point in one["points"]:
                self.assertGreater(point["recall"], 0.9)
                self.assertNotIn("queries_per_cpu_s", point)
                self.assertGreater(point["rows_per_query"], 0)
                self.assertGreater(point["bytes_per_query"], point["rows_per_query"])
        names = self.server.request("GET", "/collections").result["collections"]
        self.assertNotIn("akidb-bench", [one["name"] for one in names])

    def test_a_collection_of_a_server(self):
        path = "/collections/mine"
        self.assertEqual(200, self.server.request(
            "PUT", path, {"vectors": {"a": {"size": DIM, "distance": "Dot"}}}).status)
        points = [{"id": i, "vector": {"a": row}, "payload": {"n": i % 4}} for i, row in enumerate(vectors())]
        self.assertEqual(200, self.server.request("PUT", path + "/points?wait=true", {"points": points}).status)
        here = ["--collection", "mine", "--url", self.url, "--vector", "a", "--queries", "40"]
        report, _ = self.measure(*here, "--filter", '{"must": [{"key": "n", "match": {"value": 1}}]}')
        self.assertEqual([one["name"] for one in report["series"]], ["akidb", "akidb, filtered"])
        self.assertEqual((report["points"], report["queries"], report["metric"]), (ROWS, 40, "Dot"))
        self.assertGreater(report["series"][1]["points"][0]["recall"], 0.9)
        self.assertEqual(self.server.request("POST", path + "/points/count", {}).result["count"], ROWS)
        self.assertIn("--vector", self.refused(1, "--collection", "mine", "--url", self.url))
        self.assertIn("nothing", self.refused(1, "--collection", "nothing", "--url", self.url))
        self.assertIn("filter", self.refused(1, *here, "--filter", '{"must": 3}'))
        self.assertIn("no point matches",
                      self.refused(1, *here, "--filter", '{"must": [{"key": "n", "match": {"value": 9}}]}'))

    def test_a_kept_collection_is_used_again(self):
        here = [self.file(), "--dim", str(DIM), "--data-dir", self.data, "--keep"]
        self.measure(*here)
        before = time.monotonic()
        report, _ = self.measure(*here, "--label", "again")
        self.assertLess(time.monotonic() - before, 60)
        self.assertEqual(report["series"][0]["name"], "again")
        report, _ = self.measure("--collection", "akidb-bench", "--data-dir", self.data, "--filter",
                                 '{"must": [{"key": "share", "range": {"lt": 5000}}]}', "--k", "5")
        self.assertEqual(report["points"], 540)
        self.assertIn("--keep", self.refused(1, *here[:-1]))
        self.assertIn("doesn't hold", self.refused(1, *here, "--rows", "300"))
        self.assertIn("--filter", self.refused(
            1, "--collection", "akidb-bench", "--data-dir", self.data, "--filter", "{"))

    def test_rounds_can_be_taken_in_turn(self):
        process = start("bench", self.file(), "--dim", str(DIM), "--ef", "10", "--rounds", "2", "--step", "--quiet",
                        env=self.environment)
        for number in (1, 2):
            process.stdin.write("\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), f"round {number} of 2\n")
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("2 rounds", out)

    def test_queries_of_another_file(self):
        asked = self.file("asked.f32", vectors(30, seed=6))
        report, _ = self.measure(self.file(), "--dim", str(DIM), "--query-file", asked)
        self.assertEqual((report["points"], report["queries"]), (ROWS, 30))
        narrow = self.file("narrow.f32", [[1.0] * 3])
        self.assertIn("narrow.f32", self.refused(1, self.file(), "--dim", str(DIM), "--query-file", narrow))

    def test_results_are_compared_and_drawn(self):
        one, other = os.path.join(self.folder, "one.json"), os.path.join(self.folder, "other.json")
        for path, name, factor in ((one, "first", 1), (other, "second & <last>", 2)):
            points = [{"ef": ef, "recall": 0.9 + ef / 1000, "queries_per_s": factor * 1e5 / ef} for ef in (10, 50, 95)]
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"series": [{"name": name, "points": points}]}, file)
        svg = os.path.join(self.folder, "picture.svg")
        out = self.good("bench", "--compare", one, "--compare", other, "--svg", svg, "--title", "A title")
        self.assertRegex(out, r"second & <last> +20,000 \(0\.50\)")
        picture = xml.etree.ElementTree.parse(svg).getroot()
        texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
        for text in ("first", "second & <last>", "A title"):
            self.assertIn(text, texts)
        with open(other, "w", encoding="utf-8") as file:
            file.write('{"series": 3}')
        self.assertIn("other.json", self.refused(1, "--compare", other))

    def test_files_that_are_no_vectors(self):
        self.assertIn("--dim", self.refused(1, self.file()))
        self.assertIn("whole rows", self.refused(1, self.file(), "--dim", "7"))
        self.assertIn("no-such", self.refused(1, os.path.join(self.folder, "no-such.npy")))
        self.assertIn(".npy", self.refused(1, self.write("rows.csv", "1,2\n")))
        bad = vectors(20)
        bad[13][2] = float("nan")
        self.assertIn("row 13: component 2 is NaN", self.refused(1, self.file(rows=bad), "--dim", str(DIM)))
        self.assertIn("too few", self.refused(1, self.file(rows=vectors(11)), "--dim", str(DIM)))
        self.assertEqual(os.listdir(self.scratch), [])

    def test_usage(self):
        self.refused(2)
        self.refused(2, self.file(), "--k", "0")
        self.refused(2, self.file(), "--ef", "ten")
        self.refused(2, self.file(), "--url", "http://x", "--data-dir", "y")
        self.assertIn("--selectivity", self.refused(2, self.file(), "--selectivity", "0"))
        self.assertIn("no such folder", self.refused(2, self.file(), "--svg", "/no/such/folder/x.svg"))
        self.assertIn("metric", self.refused(1, self.file(), "--dim", str(DIM), "--metric", "hamming"))
        self.refused(3, "--collection", "c", "--url", "http://127.0.0.1:1")
        self.assertIn("no such data folder", self.refused(1, "--collection", "c", "--data-dir", self.data))

    def test_ctrl_c_stops_and_cleans_up(self):
        process = start("bench", self.file(), "--dim", str(DIM), "--rounds", "1000", "--ef", "500",
                        "--threads", "2", env=self.environment)
        wait_until(lambda: os.listdir(self.scratch), timeout_s=60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("stopped", err)
        self.assertEqual(os.listdir(self.scratch), [])

    def test_progress_without_a_terminal_has_no_control_characters(self):
        _, out, err = run("bench", self.file(), "--dim", str(DIM), "--ef", "10", env=self.environment)
        for text in (out, err):
            self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f]")


if __name__ == "__main__":
    unittest.main()
