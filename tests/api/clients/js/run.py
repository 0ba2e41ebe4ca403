"""Starts a server and runs the JavaScript client's test against it."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from server_process import Server, model_missing  # noqa: E402


def main():
    server = Server().start()
    try:
        command = [
            "node",
            "--require",
            str(HERE / "node18_globals.cjs"),
            str(HERE / "test_qdrant_client.mjs"),
            f"http://127.0.0.1:{server.port}",
        ]
        if model_missing():
            print(f"texts are left out: {model_missing()}")
        else:
            command.append("texts")
        return subprocess.run(command, timeout=300, check=False).returncode
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
