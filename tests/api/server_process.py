"""Starts the real server on a free port with a fresh data folder, and speaks HTTP to it.

The program is $AKIDB_BINARY, else build/release/akidb. Nothing beyond the standard library.
"""

import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60  # sanitizers start slowly on a busy machine


def binary():
    return os.environ.get("AKIDB_BINARY", str(ROOT / "build" / "release" / "akidb"))


# What the tests themselves are told by the environment; the program knows nothing of it.
TEST_VARIABLES = ("AKIDB_BINARY", "AKIDB_CRASH_SEEDS", "AKIDB_DEEP", "AKIDB_JS_MODULES", "AKIDB_TEST_SEED")


def program_environment(changes=None):
    own = {name: value for name, value in os.environ.items() if name not in TEST_VARIABLES}
    return {**own, **(changes or {})}


class Reply:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def result(self):
        return self.json["result"]

    @property
    def error(self):
        return self.json["status"]["error"]


class Server:
    """One server process. Owns its data folder unless one is given."""

    def __init__(self, data_dir=None, arguments=(), environment=None):
        self.owns_folder = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="akidb-api-")
        self.arguments = list(arguments)
        self.environment = program_environment(environment)
        self.process = None
        self.port = None
        self.tls = None  # an ssl.SSLContext, where the server wants TLS
        self.log_path = os.path.join(tempfile.mkdtemp(prefix="akidb-log-"), "stderr")

    def start(self):
        command = [binary(), "serve", "--data-dir", self.data_dir, "--http-port", "0"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command + self.arguments,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environment,
                text=True,
            )
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith(("listening http://", "listening https://")):
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the server did not start: {line!r}\n{self.log()}")
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def connect(self, timeout=60):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        """`body`: bytes go as they are, anything else as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("content-type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Reply(response, response.read())
        finally:
            connection.close()

    def kill(self):
        """As a power cut of the process: SIGKILL."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def stop(self, signal_number=signal.SIGTERM, timeout=60):
        """A clean stop; the exit code."""
        if not self.process:
            return None
        self.process.send_signal(signal_number)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.process.stdout.close()
        self.process = None
        return code

    def close(self):
        self.kill()
        shutil.rmtree(os.path.dirname(self.log_path), ignore_errors=True)
        if self.owns_folder:
            shutil.rmtree(self.data_dir, ignore_errors=True)


def wait_until(condition, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("the condition did not come true in time")
        time.sleep(0.005)


def models_folder():
    return pathlib.Path(os.environ.get("AKIDB_MODELS_DIR") or pathlib.Path(binary()).parent.parent / "models")


def model_missing():
    """Why texts can't be embedded here; None when they can."""
    models = models_folder()
    if not (models / "all-minilm-l6-v2").is_dir():
        return f"no model all-minilm-l6-v2 in {models}; `akidb models pull` gets it"
    return None


class ServerTestCase(unittest.TestCase):
    """One server for all tests of a class; each test makes collections of its own."""

    arguments = ()
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(arguments=cls.arguments, environment=cls.environment).start()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.collection = self.id().rsplit(".", 1)[1]
        self.path = f"/collections/{self.collection}"

    def call(self, method, path, body=None, headers=None):
        return self.server.request(method, path, body, headers)

    def ok(self, method, path, body=None):
        reply = self.call(method, path, body)
        self.assertEqual(reply.status, 200, reply.text)
        return reply

    def refused(self, status, method, path, body=None):
        reply = self.call(method, path, body)
        self.assertEqual(reply.status, status, reply.text)
        self.assertNotIn("result", reply.json)
        self.assertIsInstance(reply.json["time"], float)
        return reply.error

    def create(self, vectors=None, **options):
        vectors = {"size": 4, "distance": "Dot"} if vectors is None else vectors
        self.ok("PUT", self.path, {"vectors": vectors, **options})

    def upsert(self, points):
        return self.ok("PUT", self.path + "/points?wait=true", {"points": points})

    def query(self, body):
        return self.ok("POST", self.path + "/points/query", body).result["points"]
