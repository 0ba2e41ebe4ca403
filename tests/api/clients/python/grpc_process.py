"""A server that speaks gRPC, too."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))

from server_process import Server  # noqa: E402


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_with_grpc(*arguments):
    """The port was free a moment ago; another process may have taken it since."""
    for _ in range(5):
        port = free_port()
        server = Server(arguments=["--grpc-port", str(port), *arguments])
        try:
            return server.start(), port
        except RuntimeError as error:
            server.close()
            last = error
    raise last
