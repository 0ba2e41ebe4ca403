"""HTTPS: certificates made here by openssl, those of clients, renewal, what is refused, the command line."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest

from server_process import Server, binary, program_environment, wait_until

KEY = "a-key-of-this-test"
HEADERS = {"api-key": KEY}


class Certificates:
    """Two authorities that don't know each other, and what they sign."""

    def __init__(self, folder):
        self.folder = folder
        for authority in ("ca", "other-ca"):
            self.openssl(
                *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", self.path(authority + ".key"), "-out", self.path(authority + ".pem")),
                *("-subj", f"/CN={authority}", "-days", "2"),
            )
        self.sign("server", "ca")
        self.sign("client", "ca")
        self.sign("stranger", "other-ca")

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)

    def sign(self, name, authority):
        names = self.path(name + ".ext")
        pathlib.Path(names).write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self.openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr")),
        )
        self.openssl(
            *("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path(authority + ".pem")),
            *("-CAkey", self.path(authority + ".key"), "-CAcreateserial", "-days", "2"),
            *("-extfile", names, "-out", self.path(name + ".pem")),
        )

    def client_context(self, authority="ca", shown=None):
        context = ssl.create_default_context(cafile=self.path(authority + ".pem"))
        if shown:
            context.load_cert_chain(self.path(shown + ".pem"), self.path(shown + ".key"))
        return context


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="akidb-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.certificates = Certificates(cls.folder)

    def start(self, *arguments, key=KEY, context=None, name="server", **options):
        given = ["--tls-cert", self.path(name + ".pem"), "--tls-key", self.path(name + ".key"), *arguments]
        environment = {"AKIDB_API_KEY": key} if key else {}
        server = Server(arguments=given, environment=environment, **options)
        server.tls = context or self.certificates.client_context()
        self.addCleanup(server.close)
        return server.start()

    def path(self, name):
        return self.certificates.path(name)

    def refused(self, *arguments, environment=None):
        data = tempfile.mkdtemp(dir=self.folder)
        result = subprocess.run(
            [binary(), "serve", "--data-dir", data, "--http-port", "0", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=program_environment(environment),
            stdin=subprocess.DEVNULL,
        )
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        return result.stderr

    def test_requests_of_every_size_on_one_connection(self):
        server = self.start()
        connection = server.connect()
        self.addCleanup(connection.close)

        def send(method, path, body=None, headers=HEADERS):
            connection.request(method, path, body=body and json.dumps(body), headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.read()

        self.assertEqual(send("GET", "/readyz")[0], 200)
        self.assertEqual(send("GET", "/collections", headers={})[0], 401)
        self.assertEqual(send("PUT", "/collections/c", {"vectors": {"size": 2, "distance": "Dot"}})[0], 200)
        points = [{"id": i, "vector": [1, i], "payload": {"text": "x" * 500}} for i in range(4000)]
        self.assertEqual(send("PUT", "/collections/c/points?wait=true", {"points": points})[0], 200)
        status, body = send("POST", "/collections/c/points/scroll", {"limit": 4000})
        self.assertEqual(status, 200)
        self.assertGreater(len(body), 2_000_000)
        self.assertEqual(len(json.loads(body)["result"]["points"]), 4000)
        self.assertEqual(connection.sock.version(), "TLSv1.3")
        self.assertEqual(server.stop(), 0)

    def raw(self, server, request, answers_end=b""):
        with server.tls.wrap_socket(
            socket.create_connection(("127.0.0.1", server.port), timeout=60),
            server_hostname="127.0.0.1",
            suppress_ragged_eofs=False,
        ) as client:
            client.sendall(request)
            got = b""
            while not answers_end or answers_end not in got:
                part = client.recv(65536)
                if not part:
                    return got
                got += part
            client.sendall(b"{}")
            return got + client.recv(65536)

    def test_the_end_of_a_connection_is_told(self):
        server = self.start()
        # Without the end that TLS tells, recv would raise SSLEOFError.
        answer = self.raw(server, b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        self.assertIn(b"200 OK", answer)
        two = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
        answer = self.raw(server, two + two[:-2] + b"connection: close\r\n\r\n")
        self.assertEqual(answer.count(b"200 OK"), 2)
        # Also while the server waits for what else might come, as it does during a job.
        head = b"GET /collections HTTP/1.1\r\nhost: x\r\nconnection: close\r\napi-key: " + KEY.encode()
        self.assertIn(b"200 OK", self.raw(server, head + b"\r\n\r\n"))

    def test_expectations_are_met_and_large_bodies_refused(self):
        server = self.start("--body-bytes-max", "100000")
        head = b"POST /collections/c/points/scroll HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\napi-key: "
        request = head + KEY.encode() + b"\r\nconnection: close\r\ncontent-length: 2\r\n\r\n"
        self.assertIn(b"404 Not Found", self.raw(server, request, b"100 Continue\r\n\r\n"))
        self.assertEqual(server.request("PUT", "/collections/c", b"x" * 100001, HEADERS).status, 413)

    def test_who_speaks_no_tls_or_an_older_one_gets_nothing(self):
        server = self.start("--log-level", "info")
        plain = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        with self.assertRaises((http.client.HTTPException, OSError)):
            plain.request("GET", "/readyz")
            plain.getresponse()
        plain.close()
        older = self.certificates.client_context()
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        for context in (older, self.certificates.client_context("other-ca")):
            server.tls = context
            with self.assertRaises(ssl.SSLError):
                server.request("GET", "/readyz")
        wait_until(lambda: server.log().count("tls_handshake_failed") >= 3)
        self.assertEqual(server.stop(), 0)

    def test_a_client_that_never_shakes_hands_ends_with_the_server(self):
        server = self.start()
        with socket.create_connection(("127.0.0.1", server.port)):
            self.assertEqual(server.request("GET", "/readyz").status, 200)
            server.process.send_signal(signal.SIGTERM)
            server.kill()

    def test_clients_show_certificates_where_they_must(self):
        server = self.start("--tls-ca", self.path("ca.pem"), context=self.certificates.client_context(shown="client"))
        self.assertEqual(server.request("GET", "/collections", headers=HEADERS).status, 200)
        for shown in (None, "stranger"):
            server.tls = self.certificates.client_context(shown=shown)
            with self.assertRaises((ssl.SSLError, OSError)):
                server.request("GET", "/readyz")

    def test_other_addresses_need_a_key_and_tls(self):
        tls = ["--tls-cert", self.path("server.pem"), "--tls-key", self.path("server.key")]
        message = self.refused("--host", "0.0.0.0", *tls)
        self.assertIn("no key", message)
        self.assertIn("--insecure", message)
        message = self.refused("--host", "0.0.0.0", environment={"AKIDB_API_KEY": KEY})
        self.assertIn("no TLS", message)
        server = self.start("--host", "0.0.0.0")
        self.assertEqual(server.request("GET", "/collections", headers=HEADERS).status, 200)
        server = self.start("--host", "0.0.0.0", "--insecure", key=None)
        self.assertEqual(server.request("GET", "/collections").status, 200)

    def test_files_that_do_not_do(self):
        def tls(certificate, key):
            return ["--tls-cert", self.path(certificate), "--tls-key", self.path(key)]

        self.assertIn("tls_key", self.refused("--tls-cert", self.path("server.pem")))
        self.assertIn("tls_cert", self.refused("--tls-key", self.path("server.key")))
        self.assertIn("tls_cert", self.refused("--tls-ca", self.path("ca.pem")))
        self.assertIn("missing.pem", self.refused(*tls("missing.pem", "server.key")))
        self.assertIn("certificate", self.refused(*tls("server.key", "server.key")))
        self.assertIn("key", self.refused(*tls("server.pem", "client.key")))
        self.assertIn("authorities", self.refused(*tls("server.pem", "server.key"), "--tls-ca", self.path("ca.key")))
        encrypted = self.path("encrypted.key")
        self.certificates.openssl(
            "pkcs8", "-topk8", "-in", self.path("server.key"), "-out", encrypted, "-passout", "pass:secret"
        )
        self.assertIn("unencrypted", self.refused(*tls("server.pem", "encrypted.key")))

    def test_a_renewed_certificate_is_taken_by_new_connections(self):
        for suffix in ("pem", "key"):
            shutil.copy(self.path("server." + suffix), self.path("renewed." + suffix))
        server = self.start("--log-level", "info", name="renewed")

        def subject():
            connection = server.connect()
            connection.connect()
            names = dict(name[0] for name in connection.sock.getpeercert()["subject"])
            connection.close()
            return names["commonName"]

        before = server.connect()
        self.addCleanup(before.close)
        before.request("GET", "/readyz")
        self.assertEqual(before.getresponse().read()[:5], b"ready")
        self.assertEqual(subject(), "server")
        pathlib.Path(self.path("renewed.pem")).write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "tls_not_renewed" in server.log())
        self.assertEqual(subject(), "server")
        for suffix in ("pem", "key"):
            shutil.copy(self.path("client." + suffix), self.path("renewed." + suffix))
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "tls_renewed" in server.log())
        self.assertEqual(subject(), "client")
        before.request("GET", "/readyz")
        self.assertEqual(before.getresponse().status, 200)
        self.assertEqual(server.stop(), 0)

    def test_the_command_line_talks_to_it(self):
        server = self.start("--tls-ca", self.path("ca.pem"), context=self.certificates.client_context(shown="client"))
        url = f"https://127.0.0.1:{server.port}"

        def search(*arguments):
            return subprocess.run(
                [binary(), "search", "words", "--collection", "none", "--url", url, "--api-key", KEY, *arguments],
                capture_output=True,
                text=True,
                timeout=60,
                env=program_environment(),
            )

        shown = ["--tls-cert", self.path("client.pem"), "--tls-key", self.path("client.key")]
        result = search("--tls-ca", self.path("ca.pem"), *shown)
        self.assertIn("none", result.stderr)
        self.assertNotIn("TLS", result.stderr)
        result = search(*shown)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("--tls-ca", result.stderr)
        result = search("--tls-ca", self.path("missing.pem"), *shown)
        self.assertIn("--tls-ca", result.stderr)


if __name__ == "__main__":
    unittest.main()
