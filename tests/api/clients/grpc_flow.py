"""Builds the program of one of the official gRPC clients and runs it against the real server.

    grpc_flow.py go|java|js|rust

Exit code 77: this machine has no tools for that language, so it was not run. What is downloaded and built stays in
build/clients, so that a second run needs no network.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "python"), str(HERE.parent)]

from grpc_process import start_with_grpc  # noqa: E402

BUILT = HERE.parents[2] / "build" / "clients"
NOT_RUN = 77
BUILD_TIMEOUT_S, RUN_TIMEOUT_S = 1500, 120


def version_of(*command):
    """Of a tool; nothing where it isn't there."""
    if not shutil.which(command[0]):
        return None
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"(\d+)\.(\d+)", told.stdout + told.stderr)
    return tuple(map(int, found.groups())) if found else None


def build(command, folder, **environment):
    subprocess.run(command, cwd=folder, check=True, timeout=BUILD_TIMEOUT_S, env={**os.environ, **environment})


def go():
    built = BUILT / "go"
    # GOTOOLCHAIN: the client isn't worth fetching another Go.
    build(["go", "build", "-o", str(built / "flow"), "."], HERE / "go", GOFLAGS="-mod=readonly -modcacherw",
          GOMODCACHE=str(built / "modules"), GOCACHE=str(built / "cache"), GOTOOLCHAIN="local")
    return [str(built / "flow")]


def java():
    built = BUILT / "java"
    # Maven keeps what it resolved; the classes go where sources aren't.
    jar = built / "target" / "flow.jar"
    changed = max(path.stat().st_mtime for path in (HERE / "java").rglob("*") if path.is_file())
    if not jar.exists() or jar.stat().st_mtime < changed:
        build(["mvn", "-q", "-B", f"-Dmaven.repo.local={built / 'repository'}", f"-Dflow.target={built / 'target'}",
               "package"], HERE / "java")
    return ["java", "-cp", f"{jar}:{built / 'target' / 'lib'}/*", "Flow"]


def js():
    built = BUILT / "js_grpc"
    build([str(HERE / "prepare.sh"), "js/grpc"], HERE)
    shutil.copy(HERE / "js" / "grpc" / "flow.mjs", built / "flow.mjs")  # modules are found beside it
    return ["node", str(built / "flow.mjs")]


def rust():
    built = BUILT / "rust"
    build(["cargo", "build", "--quiet", "--locked", "--target-dir", str(built / "target")], HERE / "rust")
    return [str(built / "target" / "debug" / "flow")]


# What a client's program is built and run with, each at least of the version that the client accepts.
TOOLS = {
    "go": (go, [(("go", "version"), (1, 24))]),
    "java": (java, [(("mvn", "-v"), (3, 6)), (("javac", "-version"), (17, 0))]),
    "js": (js, [(("node", "--version"), (20, 0)), (("npm", "--version"), (9, 0))]),
    "rust": (rust, [(("cargo", "--version"), (1, 85))]),
}


def main():
    make, tools = TOOLS[sys.argv[1]]
    for tool, oldest in tools:
        found = version_of(*tool)
        if not found or found < oldest:
            print(f"not run: {tool[0]} {'.'.join(map(str, oldest))} or newer is needed, here is {found or 'none'}")
            return NOT_RUN
    if sys.argv[1] == "rust" and not os.environ.get("AKIDB_DEEP") and not (BUILT / "rust" / "target").exists():
        print("not run: it takes minutes to build, so that only AKIDB_DEEP=1 does it for the first time")
        return NOT_RUN
    command = make()
    server, port = start_with_grpc()
    try:
        return subprocess.run([*command, "127.0.0.1", str(port)], timeout=RUN_TIMEOUT_S, check=False).returncode
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
