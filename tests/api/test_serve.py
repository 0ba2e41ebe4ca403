"""Starting and stopping: settings, data folders that can't be used, ports that are taken, signals."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from server_process import Server, binary, program_environment, wait_until

NOBODY = 65534


def run(*arguments, environment=None, **options):
    return subprocess.run(
        [binary(), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=program_environment(environment),
        **options,
    )


class Starting(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="akidb-serve-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = os.path.join(self.folder, "data")

    def refused(self, code, *arguments, **options):
        """The one line that a server which can't start prints."""
        result = run("serve", "--http-port", "0", *arguments, **options)
        self.assertEqual(result.returncode, code, result)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("akidb: "), result.stderr)
        return result.stderr

    def start(self, **options):
        server = Server(data_dir=self.data, **options)
        self.addCleanup(server.close)
        return server.start()

    def test_both_signals_stop_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.start()
            self.assertEqual(server.request("GET", "/readyz").status, 200)
            self.assertEqual(server.stop(number), 0)

    def test_a_folder_in_use_is_refused_with_code_5(self):
        self.start()
        self.assertIn("in use", self.refused(5, "--data-dir", self.data))

    def test_a_folder_from_a_newer_version_is_refused_and_left_alone(self):
        os.makedirs(self.data)
        pathlib.Path(self.data, "VERSION").write_text("99\n")
        self.assertIn("99", self.refused(1, "--data-dir", self.data))
        self.assertEqual(pathlib.Path(self.data, "VERSION").read_text(), "99\n")

    def test_a_damaged_version_file_is_refused(self):
        os.makedirs(self.data)
        pathlib.Path(self.data, "VERSION").write_text("garbage")
        self.assertIn("VERSION is damaged", self.refused(4, "--data-dir", self.data))

    def test_a_folder_that_can_not_be_made(self):
        self.assertIn("/proc", self.refused(1, "--data-dir", "/proc/akidb"))

    def test_a_file_in_place_of_the_folder(self):
        pathlib.Path(self.data).write_text("")
        self.assertIn(self.data, self.refused(1, "--data-dir", self.data))

    def test_a_read_only_folder(self):
        os.makedirs(self.data)
        os.chmod(self.folder, 0o755)
        os.chmod(self.data, 0o555)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            message = self.refused(1, "--data-dir", self.data, **options)
        except PermissionError:
            self.skipTest("the program can't be run by another user here")
        finally:
            os.chmod(self.data, 0o755)
        self.assertIn(self.data, message)

    def test_no_data_folder_is_a_usage_error(self):
        self.assertIn("--data-dir", run("serve", "--http-port", "0").stderr)
        self.assertEqual(run("serve", "--http-port", "0").returncode, 2)

    def test_a_taken_port_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            result = run("serve", "--data-dir", self.data, "--http-port", str(port))
        self.assertEqual(result.returncode, 1, result)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(str(port), result.stderr)

    def test_an_address_beyond_loopback_needs_insecure(self):
        self.assertIn("--insecure", self.refused(2, "--data-dir", self.data, "--host", "0.0.0.0"))
        server = self.start(arguments=["--host", "0.0.0.0", "--insecure"])
        self.assertEqual(server.request("GET", "/readyz").status, 200)

    def test_wrong_settings_are_usage_errors(self):
        self.assertIn("http_port", self.refused(2, "--data-dir", self.data, "--http-port", "70000"))
        config = os.path.join(self.folder, "akidb.toml")
        pathlib.Path(config).write_text("http_prot = 1\n")
        message = self.refused(2, "--data-dir", self.data, "--config", config)
        self.assertIn("akidb.toml:1: unknown setting `http_prot`", message)
        self.assertIn("missing.toml", self.refused(2, "--data-dir", self.data, "--config", "missing.toml"))

    def test_config_prints_every_setting_and_its_origin(self):
        config = os.path.join(self.folder, "akidb.toml")
        pathlib.Path(config).write_text('title = "ours"\n')
        result = run("config", "--config", config, "--http-port", "7", environment={"AKIDB_HOST": "::1"})
        self.assertEqual(result.returncode, 0, result)
        lines = {line.split()[0]: line for line in result.stdout.splitlines()}
        self.assertIn("flag --http-port", lines["http_port"])
        self.assertIn("variable AKIDB_HOST", lines["host"])
        self.assertIn(f"file {config}:1", lines["title"])
        self.assertIn("default", lines["io_threads"])

    def test_a_stop_lets_a_running_request_finish(self):
        server = self.start()
        server.request("PUT", "/collections/c", {"vectors": {"size": 512, "distance": "Dot"}})
        points = [{"id": i, "vector": [0.5] * 512} for i in range(500)]
        connection = server.connect()
        body = json.dumps({"points": points}).encode()
        connection.putrequest("PUT", "/collections/c/points?wait=true")
        connection.putheader("content-length", str(len(body)))
        connection.endheaders()
        connection.send(body)
        server.process.send_signal(signal.SIGTERM)
        response = connection.getresponse()
        if response.status == 200:
            response.read()
            server.process.wait(60)
            server = self.start()
            count = server.request("POST", "/collections/c/points/count", {}).result["count"]
            self.assertEqual(count, 500)

    def test_a_stop_does_not_wait_for_the_rest_of_a_request(self):
        server = self.start()
        half = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.addCleanup(half.close)
        half.sendall(
            b"PUT /collections/c HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n")
        self.assertIn(b"100 Continue", half.recv(65536))
        server.process.send_signal(signal.SIGTERM)
        self.assertIn(b"HTTP/1.1 503 ", half.recv(65536))
        half.close()
        self.assertEqual(server.process.wait(60), 0)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("mount"), "mounting a small disk needs root")
class FullDisk(unittest.TestCase):
    def test_writes_get_507_reads_go_on_and_nothing_acknowledged_is_lost(self):
        folder = tempfile.mkdtemp(prefix="akidb-full-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=False)
        server = Server(data_dir=os.path.join(folder, "data")).start()
        self.addCleanup(server.close)
        created = server.request("PUT", "/collections/c", {"vectors": {"size": 1024, "distance": "Dot"}})
        self.assertEqual(created.status, 200, created.text)
        stored, failure = 0, None
        for batch in range(200):
            points = [{"id": stored + i, "vector": [batch + 0.5] * 1024} for i in range(100)]
            reply = server.request("PUT", "/collections/c/points?wait=true", {"points": points})
            if reply.status != 200:
                failure = reply
                break
            stored += 100
        self.assertIsNotNone(failure, "the disk never got full")
        self.assertEqual(failure.status, 507, failure.text)
        self.assertTrue(failure.error.startswith("Insufficient storage: "), failure.error)
        count = server.request("POST", "/collections/c/points/count", {}).result["count"]
        self.assertEqual(count, stored)
        server.kill()
        server.start()
        wait_until(lambda: server.request("GET", "/readyz").status == 200)
        self.assertEqual(server.request("POST", "/collections/c/points/count", {}).result["count"], stored)


if __name__ == "__main__":
    unittest.main()
