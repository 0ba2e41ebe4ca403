"""`akidb selftest`, with the installed model and without any."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import unittest

from cli_process import COMMAND_TIMEOUT_S, CommandTestCase, ModelTestCase, binary, clean_environment, run, start

MODEL = "all-minilm-l6-v2"


def models_dir():
    folder = os.environ.get("AKIDB_MODELS_DIR")
    return folder or os.path.join(os.path.dirname(os.path.dirname(binary())), "models")


class Measured(ModelTestCase):
    def gate_file(self, gate):
        return self.write("gate.json", gate if isinstance(gate, str) else json.dumps(gate))

    def selftest(self, *arguments):
        return ["selftest", "--quick", "--model", MODEL, *arguments]

    def test_report_and_a_gate_that_passes(self):
        path = os.path.join(self.folder, "report.json")
        gate = self.gate_file({"models": {MODEL: {
            "query_p95_ms_max": 1e6, "queries_per_s_min": 1e-6, "tokens_per_s_min": 1e-6,
            "golden_cosine_min": 0.9, "memory_bytes_max": 1e12}}})
        out = self.good(*self.selftest("--json", path, "--gate", gate))
        self.assertIn("no evidence that they work here", out)
        self.assertIn("on             CPUExecutionProvider: lowest cosine 1.0", out)
        self.assertIn("on             CUDAExecutionProvider: ", out)
        self.assertIn("runs on        CPUExecutionProvider", out)
        self.assertEqual(out.count("\n  pass "), 5, out)
        self.assertNotIn("\x1b", out)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual((report["schema"], report["quick"], report["interrupted"]), (1, True, False))
        self.assertTrue(report["gate"]["passed"])
        self.assertIn("CPUExecutionProvider", report["onnxruntime"]["built_with"])
        self.assertGreater(report["machine"]["read_bandwidth"]["bytes_per_s"], 0)
        (model,) = report["models"]
        self.assertEqual((model["id"], model["problem"]), (MODEL, None))
        self.assertGreater(model["graph_bytes"], 20e6)
        self.assertEqual([count["provider"] for count in model["nodes"]], ["CPUExecutionProvider"])
        self.assertGreater(model["nodes"][0]["nodes"], 50)
        self.assertGreater(model["peak_resident_bytes"], model["resident_before_bytes"])
        self.assertTrue(model["golden"])
        for golden in model["golden"]:
            self.assertGreaterEqual(golden["cosine"], golden["min_cosine"])
        for series, tokens in (("queries", 16), ("passages", 128)):
            self.assertEqual(model[series]["text_tokens"], tokens)
            self.assertEqual([row["texts"] for row in model[series]["requests"]], [1, 2, 8, 32])
            for row in model[series]["requests"]:
                self.assertLessEqual(row["p50_ms"], row["p95_ms"])
                self.assertGreater(row["tokens_per_s"], row["texts_per_s"])
                # With the two special tokens; random texts may fall short of their length.
                self.assertLessEqual(row["tokens"] / row["texts"], tokens + 4)
                self.assertGreater(row["tokens"] / row["texts"], tokens / 2)

    def test_a_gate_that_fails_says_why(self):
        gate = self.gate_file({"models": {"*": {"query_p95_ms_max": 1e-6, "golden_cosine_min": 0.5},
                                          "another": {"query_p50_ms_max": 1}}})
        code, out, err = run(*self.selftest("--json", "-", "--gate", gate))
        self.assertEqual(code, 1, err)
        verdict = json.loads(out)["gate"]
        self.assertFalse(verdict["passed"])
        failed = [finding["text"] for finding in verdict["findings"] if not finding["passed"]]
        self.assertEqual(len(failed), 2, verdict)
        self.assertIn("another: the gate names it, but it was not measured", failed)
        self.assertIn("FAIL all-minilm-l6-v2: query p95", err)
        self.assertIn("is not passed", err.splitlines()[-1])

    def test_the_gate_of_another_machine_never_passes(self):
        out = run(*self.selftest("--gate", "thor", "--memory-budget", "64GiB"))
        self.assertEqual(out[0], 1, out)
        self.assertIn("FAIL the machine: a GPU of compute capability 11.0 or 10.1", out[1])
        self.assertIn("no threshold is judged", out[1])
        self.assertNotIn("query p95", out[1])

    def test_memory_above_the_budget(self):
        gate = self.gate_file({"models": {"*": {"golden_cosine_min": 0.5}}})
        code, out, _ = run(*self.selftest("--gate", gate, "--memory-budget", "1MB"))
        self.assertEqual(code, 1)
        self.assertRegex(out, r"FAIL all-minilm-l6-v2: memory \d+ MB, at most 1 MB")

    def test_a_damaged_model_fails_and_the_sound_one_is_measured(self):
        folder = os.path.join(self.folder, "models")
        shutil.copytree(os.path.join(models_dir(), MODEL), os.path.join(folder, MODEL))
        broken = os.path.join(folder, "bge-small-en-v1.5")
        shutil.copytree(os.path.join(folder, MODEL), broken)
        os.makedirs(os.path.join(folder, "unread"))
        with open(os.path.join(folder, "unread", "manifest.json"), "w", encoding="utf-8") as file:
            file.write("{")
        code, out, err = run("selftest", "--quick", "--models-dir", folder, "--json", "-")
        self.assertEqual(code, 1, err)
        problems = {os.path.basename(os.path.dirname(model["id"])) or model["id"]: model["problem"]
                    for model in json.loads(out)["models"]}
        self.assertEqual(problems[MODEL], None)
        self.assertIsNotNone(problems["bge-small-en-v1.5"])
        self.assertIsNotNone(problems["unread"])
        self.assertIn("2 of 3 models can't be used", err)

    def test_ctrl_c_keeps_what_was_measured(self):
        path = os.path.join(self.folder, "report.json")
        process = start("selftest", "--model", MODEL, "--json", path)
        line = ""
        while not line.startswith("models "):  # measuring begins
            line = process.stdout.readline()
            self.assertTrue(line, process.stderr.read() if process.poll() is not None else "")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("stopped", err)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        self.assertTrue(report["interrupted"])
        self.assertIsNone(report["gate"])

    def test_progress_on_a_terminal_only(self):
        self.assertNotIn("\r", run(*self.selftest())[2])
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [binary(), *self.selftest()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=follower, env=clean_environment(TERM="xterm"))
        os.close(follower)
        shown = b""
        while process.poll() is None or select.select([leader], [], [], 0)[0]:
            if select.select([leader], [], [], 0.1)[0]:
                try:
                    shown += os.read(leader, 4096)
                except OSError:  # the other end is closed
                    break
        self.assertEqual(process.wait(COMMAND_TIMEOUT_S), 0)
        os.close(leader)
        self.assertIn(b"\r", shown)
        self.assertIn(b"measurements of " + MODEL.encode(), shown)


class BadOptions(CommandTestCase):
    def test_gates_that_nobody_can_use(self):
        err = self.bad(2, "selftest", "--gate", "nano")
        self.assertIn("orin, thor or a file", err)
        err = self.bad(2, "selftest", "--gate", "thor")
        self.assertIn("needs --memory-budget", err)
        err = self.bad(2, "selftest", "--memory-budget", "1GB")
        self.assertIn("--gate", err)
        for text, message in (("{", "not JSON"), ("{}", "`models` is missing"),
                              ('{"models": {"a": {"p95": 1}}}', "`models.a.p95` is not known")):
            err = self.bad(2, "selftest", "--gate", self.write("gate.json", text))
            self.assertIn(message, err)
            self.assertIn("gate.json", err)
        err = self.bad(2, "selftest", "--gate", self.write("large.json", " " * ((1 << 20) + 1)))
        self.assertIn("large.json", err)

    def test_options_that_are_wrong(self):
        for arguments in (["--memory-budget", "much"], ["--nothing"], ["--gate"], ["--json"]):
            code, out, err = run("selftest", *arguments)
            self.assertEqual((code, out), (2, ""), err)
        err = self.bad(1, "selftest", "--model", "nothing")
        self.assertIn(MODEL, err)
        empty = os.path.join(self.folder, "empty")
        err = self.bad(1, "selftest", "--model", MODEL, "--models-dir", empty)
        self.assertIn("akidb models pull", err)

    def test_without_models_the_machine_is_told(self):
        empty = os.path.join(self.folder, "empty")
        code, out, err = run("selftest", "--quick", "--models-dir", empty)
        self.assertEqual(code, 1)
        self.assertIn("processor", out)
        self.assertIn("no model is installed in " + empty, err)

    def test_a_report_that_cannot_be_written(self):
        path = os.path.join(self.folder, "nowhere", "report.json")
        code, _, err = run("selftest", "--quick", "--models-dir", self.folder, "--json", path)
        self.assertEqual(code, 1)
        self.assertIn("nowhere", err)


if __name__ == "__main__":
    unittest.main()
