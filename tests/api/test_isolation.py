"""Models in processes of their own: a killed worker costs some answers, never the server."""

import os
import pathlib
import re
import select
import shutil
import signal
import tempfile
import threading
import unittest

from server_process import Server, ServerTestCase, model_missing, models_folder

MODEL = "all-minilm-l6-v2"
RECOVERY_TIMEOUT_S = 60  # a second's pause, and a load on a busy machine


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            return text.read().decode().split("\0")
    except OSError:
        return []


def wait_for_end(pid, timeout=RECOVERY_TIMEOUT_S):
    """False where it goes on."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], timeout)[0])
    finally:
        os.close(handle)


@unittest.skipIf(model_missing(), model_missing())
class Isolation(ServerTestCase):
    # Without providers that would be tried in the background, each in a worker of its own.
    environment = {"AKIDB_EMBEDDING_ISOLATION": "process", "AKIDB_EMBEDDING_PROVIDERS": "cpu",
                   "AKIDB_EMBED_THREADS": "2", "AKIDB_QUERY_CACHE_BYTES": "0"}

    def workers(self):
        """Processes of sessions that this server has started."""
        found = set()
        for task in os.listdir(f"/proc/{self.server.process.pid}/task"):
            try:
                with open(f"/proc/{self.server.process.pid}/task/{task}/children", encoding="ascii") as children:
                    found |= {int(pid) for pid in children.read().split()}
            except OSError:
                continue
        return {pid for pid in found if "session-worker" in command_line(pid)}

    def ask(self, text="often oiled"):
        return self.call("POST", "/v1/embeddings", {"input": text, "encoding_format": "base64"})

    def check_lost(self, reply):
        self.assertEqual(reply.status, 503, reply.text)
        self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)

    def ask_until_answered(self):
        """Answers until one is good, without a pause between: each is 503 or a vector."""
        while True:
            reply = self.ask()
            if reply.status == 200:
                return reply.json["data"]
            self.check_lost(reply)

    def kill_worker(self):
        (worker,) = self.workers()
        os.kill(worker, signal.SIGKILL)
        self.assertTrue(wait_for_end(worker))
        return worker

    def provider(self):
        rows = self.ok("GET", "/v1/models").json["data"]
        (provider,) = next(row for row in rows if row["id"] == MODEL)["akidb"]["providers"]
        return provider

    def test_the_library_is_in_another_process(self):
        self.ask_until_answered()
        (worker,) = self.workers()
        for pid, there in ((self.server.process.pid, False), (worker, True)):
            with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
                self.assertEqual("libonnxruntime" in maps.read(), there)

    def test_a_killed_worker_comes_back(self):
        expected = self.ask_until_answered()
        killed = self.kill_worker()
        self.check_lost(self.ask())
        self.assertEqual(self.ask_until_answered(), expected)
        self.assertTrue(self.workers() - {killed})
        metrics = self.ok("GET", "/metrics").text
        failures = re.search(r"^akidb_model_provider_failures_total\{.*\} (\d+)$", metrics, re.MULTILINE)
        self.assertGreaterEqual(int(failures[1]), 1)
        provider = self.provider()
        self.assertEqual((provider["state"], provider["serves"]), ("ready", True))
        self.assertEqual(provider["failures"], int(failures[1]))

    def test_files_that_were_away_for_a_moment(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="akidb-models-"))
        self.addCleanup(shutil.rmtree, folder)
        shutil.copytree(models_folder() / MODEL, folder / MODEL)
        self.server = Server(environment={**self.environment, "AKIDB_MODELS_DIR": str(folder)}).start()
        self.addCleanup(self.server.close)
        graph, away = folder / MODEL / "model.onnx", folder / "away"
        expected = self.ask_until_answered()
        graph.rename(away)
        self.kill_worker()
        # Until another one has been tried to be made.
        while "is missing" not in self.provider().get("reason", ""):
            self.check_lost(self.ask())
        self.assertEqual(self.provider()["state"], "open")
        away.rename(graph)
        self.assertEqual(self.ask_until_answered(), expected)
        # A load is told as it is, not by what was loaded before.
        graph.rename(away)
        self.kill_worker()
        while self.provider()["serves"]:
            pass  # until the server has seen its end
        self.assertEqual(self.call("POST", f"/akidb/models/{MODEL}/load").status, 400)
        away.rename(graph)
        self.ok("POST", f"/akidb/models/{MODEL}/load")
        self.assertEqual(self.ask().json["data"], expected)

    def test_killed_under_load(self):
        expected = self.ask_until_answered()
        answers, failures = [], []
        killed, done = threading.Event(), threading.Event()

        def ask():
            while not done.is_set():
                reply = self.ask()
                answers.append(reply.status)
                if reply.status == 200 and reply.json["data"] != expected:
                    failures.append(reply.text)
                if reply.status not in (200, 503) or reply.status == 503 and "retry-after" not in reply.headers:
                    failures.append(reply.text)
                if reply.status == 200 and killed.is_set():
                    return  # it is back

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.kill_worker()
        killed.set()
        for thread in threads:
            thread.join(RECOVERY_TIMEOUT_S)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(answers[-1], 200)
        self.assertIsNone(self.server.process.poll())

    def test_unloading_ends_the_process(self):
        self.ask_until_answered()
        (worker,) = self.workers()
        self.assertEqual(self.call("POST", f"/akidb/models/{MODEL}/unload").status, 200)
        self.assertTrue(wait_for_end(worker))
        self.assertEqual(self.workers(), set())

    def test_no_worker_outlives_the_server(self):
        for end in (self.server.kill, self.server.stop):
            self.ask_until_answered()
            (worker,) = self.workers()
            end()
            self.assertTrue(wait_for_end(worker))
            self.server.start()

    def test_a_signal_to_all_lets_requests_end(self):
        self.ask_until_answered()
        (worker,) = self.workers()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(worker, number)
        self.assertEqual(self.ask().status, 200)
        self.assertEqual(self.workers(), {worker})

    def hang(self, path="/v1/embeddings"):
        """A load whose worker stands still, and the thread that asked for it; its reply comes into the list."""
        self.call("POST", f"/akidb/models/{MODEL}/unload")
        replies = []
        body = {"input": "it waits for a load"}
        asking = threading.Thread(target=lambda: replies.append(self.call("POST", path, body)))
        asking.start()
        while not (workers := self.workers()):
            self.assertTrue(asking.is_alive(), replies and replies[0].text)
        (worker,) = workers
        os.kill(worker, signal.SIGSTOP)
        return worker, asking, replies

    def test_a_worker_that_hangs_while_it_opens_ends_with_the_models_load(self):
        worker, asking, replies = self.hang()
        self.assertEqual(self.call("POST", f"/akidb/models/{MODEL}/unload").status, 200)
        self.assertTrue(wait_for_end(worker))
        # Who waited has it loaded anew.
        asking.join()
        self.assertEqual(replies[0].status, 200, replies[0].text)
        self.assertNotIn(worker, self.workers())

    def test_who_asked_for_a_load_that_hangs_has_a_deadline(self):
        worker, asking, replies = self.hang("/v1/embeddings?timeout=1")
        asking.join()
        self.assertEqual(replies[0].status, 408, replies[0].text)
        self.assertIn(f"while model {MODEL} was loaded", replies[0].text)
        # The load goes on, for whoever comes.
        os.kill(worker, signal.SIGCONT)
        self.ask_until_answered()
        self.assertEqual(self.workers(), {worker})

    def test_the_server_ends_while_a_worker_hangs(self):
        worker, asking, replies = self.hang()
        self.server.stop(timeout=20)  # less than the grace of requests
        asking.join()
        self.check_lost(replies[0])
        self.assertIn("about to stop", replies[0].text)
        self.assertTrue(wait_for_end(worker))
        self.server.start()


if __name__ == "__main__":
    unittest.main()
