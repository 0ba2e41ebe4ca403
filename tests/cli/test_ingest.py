"""`akidb ingest`: formats, repetition, change, removal, interruption, terminals."""

import os
import pty
import re
import select
import signal
import subprocess
import unittest

from cli_process import ModelTestCase, Server, binary, clean_environment, pdf_of, run, start


def long_text(sections):
    return "".join(f"# Part {i}\n\nThis is the text of part {i}. " + "word " * 150 + "\n\n"
                   for i in range(sections))


class Ingest(ModelTestCase):
    def test_every_format_is_read(self):
        self.write_all()
        self.write("paper.pdf", pdf_of("Penguins live in the south."))
        out = self.good("ingest", self.documents, *self.here())
        self.assertRegex(out, rf"^{self.collection}: 5 files, 7 passages stored, ")
        points = self.points()
        self.assertEqual(len(points), 7)
        guide = points["guide.md", 0]
        self.assertEqual(guide["title"], "Guide")
        self.assertEqual(guide["section"], ["Guide", "Packages"])
        self.assertEqual(guide["position"], {"passage": 0, "of": 2, "line": 5})
        self.assertEqual(guide["file"], os.path.join(self.documents, "guide.md"))
        self.assertRegex(guide["sha256"], "^[0-9a-f]{64}$")
        self.assertEqual(points["paper.pdf", 0]["text"], "Penguins live in the south.")
        self.assertEqual(points["paper.pdf", 0]["position"]["page"], 1)
        self.assertEqual(points["page.html", 0]["text"], "Postfix delivers mail.")
        self.assertEqual(points["records.jsonl", 1]["year"], 1861)

    def test_the_same_files_again_change_nothing(self):
        self.write_all()
        self.good("ingest", self.documents, *self.here())
        before = self.server.request("GET", f"/collections/{self.collection}").result
        out = self.good("ingest", self.documents, *self.here())
        self.assertRegex(out, r"4 files \(4 unchanged\), 0 passages stored")
        after = self.server.request("GET", f"/collections/{self.collection}").result
        self.assertEqual(before["points_count"], after["points_count"])

    def test_a_changed_file_replaces_its_passages(self):
        self.write("a.md", long_text(12))
        self.good("ingest", self.documents, *self.here())
        self.assertEqual(len(self.points()), 12)
        self.write("a.md", "# Only\n\nThe new text.\n")
        out = self.good("ingest", self.documents, *self.here())
        self.assertRegex(out, r"1 file, 1 passage stored, 11 deleted")
        self.assertEqual([p["text"] for p in self.points().values()], ["The new text."])

    def test_files_that_are_gone_are_deleted_when_asked(self):
        self.write_all()
        self.good("ingest", self.documents, *self.here())
        os.remove(os.path.join(self.documents, "guide.md"))
        self.good("ingest", self.documents, *self.here())
        self.assertEqual(len(self.points()), 6)
        self.good("ingest", self.documents, "--prune", *self.here())
        self.assertEqual({name for name, _ in self.points()},
                         {"page.html", "notes.txt", "records.jsonl"})

    def test_a_file_that_cannot_be_read_is_told_and_passed_over(self):
        self.write_all()
        self.write("broken.jsonl", "{\n")
        code, out, err = run("ingest", self.documents, *self.here())
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^skipped: .*broken\.jsonl: line 1: .*\n$")
        self.assertIn("1 file skipped", out)
        self.assertEqual(len(self.points()), 6)

    def test_without_a_terminal_there_is_no_control_character(self):
        self.write_all()
        _, out, err = run("ingest", self.documents, *self.here())
        self.assertNotRegex(out + err, r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(self):
        self.write("a.md", long_text(400))
        process = start("ingest", self.documents, *self.here())
        path = f"/collections/{self.collection}/points/count"
        count = 0
        while count == 0:
            reply = self.server.request("POST", path, {"exact": True})
            count = reply.result["count"] if reply.status == 200 else 0
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertIn("the same command goes on", err)
        stored = self.server.request("POST", path, {"exact": True}).result["count"]
        self.assertLess(stored, 400)
        out = self.good("ingest", self.documents, *self.here())
        self.assertIn(f"1 file, {400 - stored} passages stored", out)

    def test_a_second_ctrl_c_ends_it_at_once(self):
        self.write("a.md", long_text(400))
        process = start("ingest", self.documents, *self.here())
        path = f"/collections/{self.collection}"
        while self.server.request("GET", path).status != 200:
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)

    def test_a_terminal_shows_a_bar_of_its_width(self):
        self.write("a.md", long_text(60))
        leader, follower = pty.openpty()
        subprocess.run(["stty", "cols", "60", "rows", "24"], stdin=follower, check=True)
        process = subprocess.Popen(
            [binary(), "ingest", self.documents, *self.here()], stdin=follower, stdout=follower,
            stderr=follower, env=clean_environment(TERM="xterm"))
        os.close(follower)
        shown = b""
        while select.select([leader], [], [], 60)[0]:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        self.assertEqual(process.wait(60), 0)
        os.close(leader)
        text = shown.decode()
        bars = re.findall(r"\r\x1b\[K([^\r\n]+)", text)
        bars = [re.sub(r"\x1b\[[0-9;]*m", "", bar) for bar in bars]
        bars = [bar for bar in bars if "━" in bar]
        self.assertTrue(any("passages" in bar for bar in bars), text)
        self.assertLess(max(map(len, bars)), 60)
        self.assertIn("60 passages stored", text)


class IngestCutOff(ModelTestCase):
    def test_a_server_that_dies_is_told_and_nothing_sent_is_lost(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        self.write("a.md", long_text(300))
        place = ["--collection", "c", "--url", f"http://127.0.0.1:{server.port}"]
        process = start("ingest", self.documents, *place)
        count = 0
        while count == 0:
            reply = server.request("POST", "/collections/c/points/count", {"exact": True})
            count = reply.result["count"] if reply.status == 200 else 0
            self.assertIsNone(process.poll())
        server.kill()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3, out + err)
        self.assertIn("no server answers", err)
        reported = int(re.search(r"(\d+) passages? stored", out).group(1))
        server.start()
        stored = server.request("POST", "/collections/c/points/count", {"exact": True})
        self.assertGreaterEqual(stored.result["count"], max(reported, count))
        place[-1] = f"http://127.0.0.1:{server.port}"
        self.good("ingest", self.documents, *place)
        stored = server.request("POST", "/collections/c/points/count", {"exact": True})
        self.assertEqual(stored.result["count"], 300)


class IngestErrors(ModelTestCase):
    def test_a_missing_path(self):
        err = self.bad(1, "ingest", "/no/such/path", *self.here())
        self.assertIn("/no/such/path", err)

    def test_an_unknown_model(self):
        self.write_all()
        err = self.bad(1, "ingest", self.documents, "--model", "nothing", *self.here())
        self.assertIn("all-minilm-l6-v2", err)

    def test_no_server(self):
        self.write_all()
        err = self.bad(3, "ingest", self.documents, "--collection", "c", "--url",
                       "http://127.0.0.1:1")
        self.assertIn("no server answers at http://127.0.0.1:1", err)


if __name__ == "__main__":
    unittest.main()
