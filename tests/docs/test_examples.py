"""Runs the examples of the README as they stand there, against a real server.

An example is a fenced block below the line `<!-- example: bash -->` or `<!-- example: python -->`.
"""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "api"))

from server_process import ServerTestCase, model_missing  # noqa: E402


def examples(language):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"<!-- example: {language} -->\n```{language}\n(.*?)```", text, re.DOTALL)


@unittest.skipIf(model_missing(), model_missing())
class Examples(ServerTestCase):
    def run_example(self, language, program):
        (source,) = examples(language)
        self.assertIn("localhost:6333", source)
        source = source.replace("localhost:6333", f"127.0.0.1:{self.server.port}")
        result = subprocess.run([*program, source], capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_the_shell_example_finds_the_filter(self):
        output = self.run_example("bash", ["bash", "-euo", "pipefail", "-c"])
        self.assertIn('"payload":{"chapter":"Filter"}', output)
        self.assertIn('"object":"list"', output)

    def test_the_python_example_finds_the_battery(self):
        self.assertRegex(self.run_example("python", [sys.executable, "-c"]), r"^2 0\.\d+ \{'arm': None\}\n$")


if __name__ == "__main__":
    unittest.main()
