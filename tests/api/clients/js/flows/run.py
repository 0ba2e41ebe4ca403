"""Runs the flow of a framework for JavaScript against a server, which is killed and started again when it asks.

    run.py langchain|llama_index
"""

import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from server_process import Server, model_missing  # noqa: E402

TIMEOUT_S = 240


def main(framework):
    server = Server().start()
    command = ["node", "--require", str(HERE.parent / "node18_globals.cjs"), str(HERE / f"{framework}.mjs")]
    command += [f"http://127.0.0.1:{server.port}"] + ([] if model_missing() else ["texts"])
    flow = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    deadline = threading.Timer(TIMEOUT_S, flow.kill)
    deadline.start()
    try:
        for line in flow.stdout:
            if line != "restart\n":
                print(line, end="")
                continue
            server.kill()
            server.start()
            flow.stdin.write(f"http://127.0.0.1:{server.port}\n")
            flow.stdin.flush()
        return flow.wait()
    finally:
        deadline.cancel()
        flow.kill()
        flow.wait()
        server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
