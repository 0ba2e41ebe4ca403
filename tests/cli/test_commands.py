"""`akidb models`, `akidb completion` and `--help` everywhere. No network."""

import json
import os
import subprocess
import unittest

from cli_process import CommandTestCase, ModelTestCase, binary, clean_environment, run


class Models(CommandTestCase):
    def setUp(self):
        super().setUp()
        self.models = ["--models-dir", os.path.join(self.folder, "models")]

    def test_an_empty_folder_has_none(self):
        out = self.good("models", "list", "--json", *self.models)
        states = {row["name"]: row["state"] for row in map(json.loads, out.splitlines())}
        self.assertEqual(states["all-minilm-l6-v2"], "absent")
        self.bad(1, "models", "verify", "all-minilm-l6-v2", *self.models)

    def test_damage_is_found(self):
        folder = os.path.join(self.folder, "models", "all-minilm-l6-v2")
        os.makedirs(folder)
        for name in ("model.onnx", "tokenizer.json"):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write("damage")
        err = self.bad(4, "models", "verify", "all-minilm-l6-v2", *self.models)
        self.assertIn("SHA-256", err)

    def test_a_model_that_is_not_known(self):
        err = self.bad(1, "models", "pull", "nothing", *self.models)
        self.assertIn("all-minilm-l6-v2", err)

    def test_a_missing_python_is_told(self):
        library = os.path.join(self.folder, "library.so")
        with open(library, "w", encoding="utf-8"):
            pass
        environment = clean_environment(PATH="/nonexistent", AKIDB_ORT_LIB=library)
        err = self.bad(1, "models", "pull", *self.models, env=environment)
        self.assertIn("install python3", err)
        self.assertEqual(os.listdir(os.path.join(self.folder, "models", "all-minilm-l6-v2")), [])


class InstalledModels(ModelTestCase):
    def test_what_is_there_is_not_fetched_again(self):
        folder = os.environ.get("AKIDB_MODELS_DIR")
        models = ["--models-dir", folder] if folder else []
        listed = self.good("models", "list", "--json", *models)
        states = [json.loads(line)["state"] for line in listed.splitlines()]
        if states != ["installed"] * len(states):
            self.skipTest("not everything is installed by akidb models pull")
        out = self.good("models", "pull", *models, env=clean_environment(PATH="/nonexistent"))
        self.assertEqual(out.count("already there"), 2)
        self.good("models", "verify", *models)


class Help(CommandTestCase):
    def test_every_command_explains_itself(self):
        for command in ([], ["ingest"], ["search"], ["embed"], ["models"], ["models", "list"],
                        ["models", "pull"], ["models", "verify"], ["completion"],
                        ["completion", "bash"]):
            out = self.good(*command, "--help")
            self.assertIn("Usage: ", out)


class Output(CommandTestCase):
    def test_a_full_disk_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([binary(), "version"], stdout=full, stderr=subprocess.PIPE,
                                  env=clean_environment(), text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)

    def test_a_misspelt_variable_is_told(self):
        code, _, err = run("config", env=clean_environment(AKIDB_HTPP_PORT="1"))
        self.assertEqual(code, 0)
        self.assertIn("AKIDB_HTPP_PORT is no setting", err)
        self.assertEqual(run("config")[2], "")


class Completion(CommandTestCase):
    def offers(self, words):
        script = self.good("completion", "bash") + (
            f"COMP_WORDS=({words})\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n_akidb_complete\n"
            'printf "%s\\n" "${COMPREPLY[@]}"\n')
        done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_commands_flags_and_files(self):
        self.assertLessEqual({"serve", "ingest", "search", "embed", "models", "completion"},
                             set(self.offers("akidb ''")))
        self.assertEqual(self.offers("akidb models v"), ["verify"])
        self.assertIn("--collection", self.offers("akidb ingest --c"))
        path = self.write("some_file.md", "")
        self.assertEqual(self.offers(f"akidb ingest {path[:-3]}"), [path])


if __name__ == "__main__":
    unittest.main()
