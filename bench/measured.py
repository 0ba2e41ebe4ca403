"""What measuring scripts share: the machine in words, and a server with an empty data folder."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

PROGRAM = str(pathlib.Path(__file__).resolve().parents[1] / "build" / "release" / "akidb")


def hardware():
    with open("/proc/cpuinfo", encoding="ascii") as info:
        model = next(line.split(":", 1)[1].strip() for line in info if line.startswith(("model name", "CPU part")))
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}"


@contextlib.contextmanager
def served(program, name):
    """(process, HTTP port) of a server that is gone, with its folder, at the end."""
    with tempfile.TemporaryDirectory(prefix=f"akidb-{name}-", ignore_cleanup_errors=True) as folder:
        with subprocess.Popen([program, "serve", "--data-dir", os.path.join(folder, "data"), "--http-port", "0"],
                              stdout=subprocess.PIPE) as server:
            try:
                yield server, int(server.stdout.readline().decode().rsplit(":", 1)[1])
            finally:
                server.terminate()
                server.wait(60)
