"""Runs the program's commands as a user does, against a server or a data folder of their own."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from server_process import Server, binary, model_missing, program_environment  # noqa: E402

COMMAND_TIMEOUT_S = 120

TEXTS = {
    "guide.md": "# Guide\n\n## Packages\n\nTo find the package that a file belongs to, run dpkg -S.\n\n"
                "## Users\n\nThe command adduser creates an account.\n",
    "page.html": "<html><head><title>Page</title></head><body><nav>menu</nav><h1>Mail</h1>"
                 "<p>Postfix delivers mail.</p></body></html>",
    "notes.txt": "The backup runs every night at two.\n",
    "records.jsonl": '{"text": "Paris is the capital of France.", "title": "France", "year": 1789}\n'
                     '{"text": "Rome is the capital of Italy.", "title": "Italy", "year": 1861}\n',
}


def pdf_of(text):
    """A PDF of one page; readers rebuild the missing cross-reference table."""
    stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET"
    return (
        "%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n"
        "2 0 obj <</Type/Pages/Count 1/Kids[4 0 R]>> endobj\n"
        "3 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj\n"
        "4 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 5 0 R"
        "/Resources<</Font<</F1 3 0 R>>>>>> endobj\n"
        f"5 0 obj <</Length {len(stream)}>> stream\n{stream}\nendstream endobj\n"
        "trailer <</Root 1 0 R>>\n%%EOF\n"
    )


def clean_environment(**changes):
    environment = {
        name: value for name, value in program_environment().items()
        if name not in ("AKIDB_URL", "AKIDB_DATA_DIR", "COLUMNS", "LC_ALL", "LANG")
    }
    return {**environment, "LC_ALL": "C.UTF-8", **changes}


def start(*arguments, **options):
    """A running command, its output in pipes."""
    options.setdefault("env", clean_environment())
    return subprocess.Popen(
        [binary(), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, **options)


def run(*arguments, stdin="", **options):
    """(exit code, standard output, standard error)"""
    process = start(*arguments, **options)
    try:
        out, err = process.communicate(stdin, timeout=COMMAND_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


class CommandTestCase(unittest.TestCase):
    """A scratch folder a test."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="akidb-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.documents = os.path.join(self.folder, "documents")
        os.mkdir(self.documents)

    def write(self, name, text):
        path = os.path.join(self.documents, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def write_all(self):
        for name, text in TEXTS.items():
            self.write(name, text)

    def good(self, *arguments, **options):
        code, out, err = run(*arguments, **options)
        self.assertEqual(code, 0, f"{arguments}\n{out}\n{err}")
        return out

    def bad(self, code, *arguments, **options):
        """One clear line on standard error; returns it."""
        found, out, err = run(*arguments, **options)
        self.assertEqual(found, code, f"{arguments}\n{out}\n{err}")
        self.assertEqual(err.count("\n"), 1, err)
        return err


class ModelTestCase(CommandTestCase):
    """One server with an embedding model for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        reason = model_missing()
        if reason:
            raise unittest.SkipTest(reason)
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)
        cls.url = f"http://127.0.0.1:{cls.server.port}"

    def setUp(self):
        super().setUp()
        self.collection = self.id().rsplit(".", 1)[1]

    def here(self):
        return ["--collection", self.collection, "--url", self.url]

    def points(self):
        """payload by (file name, passage)"""
        path = f"/collections/{self.collection}/points/scroll"
        reply = self.server.request("POST", path, {"limit": 1000, "with_payload": True})
        return {
            (os.path.basename(point["payload"]["file"]), point["payload"]["position"]["passage"]):
            point["payload"] for point in reply.result["points"]
        }
