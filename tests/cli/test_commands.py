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


    def test_a_model_that_a_script_makes(self):
        out = self.good("models", "list", "--json", *self.models)
        states = {row["name"]: row["state"] for row in map(json.loads, out.splitlines())}
        for name in ("all-minilm-l6-v2-int8", "bge-small-en-v1.5-int8", "multilingual-e5-small"):
            self.assertEqual(states[name], "absent")
        self.bad(1, "models", "verify", "multilingual-e5-small", *self.models)
        self.assertIn("multilingual-e5-small", self.bad(1, "models", "pull", "nothing", *self.models))
        library = self.write("library.so", "")
        environment = clean_environment(PATH="/nonexistent", AKIDB_ORT_LIB=library)
        err = self.bad(1, "models", "pull", "multilingual-e5-small", *self.models, env=environment)
        self.assertIn("install bash, python3, python3-venv", err)
        # A Python that fails: its last words are told, and nothing is left behind.
        tools = os.path.join(self.folder, "tools")
        os.mkdir(tools)
        python = os.path.join(tools, "python3")
        with open(python, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho 'no module named venv' >&2\nexit 1\n")
        os.chmod(python, 0o755)
        environment["PATH"] = tools + ":/usr/bin:/bin"
        code, out, err = run("models", "pull", "Multilingual-E5-Small", *self.models, env=environment)
        self.assertEqual(code, 1)
        self.assertIn("installing the converter's Python packages", out)
        self.assertIn("no module named venv", err)
        self.assertEqual(os.listdir(os.path.join(self.folder, "models")), [])
        # And what is there, though damaged, stays until a new one is whole.
        target = os.path.join(self.folder, "models", "multilingual-e5-small")
        os.mkdir(target)
        for name in ("manifest.json", "notes.txt"):
            with open(os.path.join(target, name), "w", encoding="utf-8") as file:
                file.write("{")
        self.assertEqual(run("models", "pull", "multilingual-e5-small", *self.models, env=environment)[0], 1)
        self.assertEqual(os.listdir(os.path.join(self.folder, "models")), ["multilingual-e5-small"])
        self.assertEqual(sorted(os.listdir(target)), ["manifest.json", "notes.txt"])


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


class Tokens(ModelTestCase):
    def setUp(self):
        super().setUp()
        folder = os.environ.get("AKIDB_MODELS_DIR")
        self.models = ["--models-dir", folder] if folder else []

    def tokens(self, *arguments, **how):
        out = self.good("models", "tokenize", "--json", *arguments, *self.models, **how)
        return [json.loads(line) for line in out.splitlines()]

    def test_texts_and_lines_of_standard_input_are_shown_alike(self):
        rows = self.tokens("The pumps.", "")
        self.assertEqual(rows[0]["tokens"], ["[CLS]", "the", "pumps", ".", "[SEP]"])
        self.assertEqual((rows[0]["ids"][0], rows[0]["count"], rows[0]["max_tokens"]), (101, 5, 256))
        self.assertEqual(rows[1]["tokens"], ["[CLS]", "[SEP]"])
        for arguments in ((), ("-",)):
            self.assertEqual(self.tokens(*arguments, stdin="The pumps.\r\n\n"), rows[:1])
        self.assertEqual(self.tokens("The pumps.", "--no-specials")[0]["tokens"], ["the", "pumps", "."])
        self.assertGreater(self.tokens("word " * 300)[0]["count"], 256)

    def test_the_readable_form_is_a_line_a_token(self):
        out = self.good("models", "tokenize", "pump\x1b[31m", *self.models)
        self.assertIn("all-minilm-l6-v2: ", out)
        self.assertRegex(out, r"(?m)^ +101  \[CLS\]$")
        self.assertNotIn("\x1b", out)

    def test_what_cannot_be_tokenized(self):
        err = self.bad(1, "models", "tokenize", "--model", "nothing", "a", *self.models)
        self.assertIn("all-minilm-l6-v2", err)
        err = self.bad(1, "models", "tokenize", "a", "--models-dir", self.folder)
        self.assertIn("akidb models pull all-minilm-l6-v2", err)
        self.assertIn("300000 tokens", self.bad(1, "models", "tokenize", *self.models, stdin="ab " * 400_000 + "\n"))


class Help(CommandTestCase):
    def test_every_command_explains_itself(self):
        for command in ([], ["ingest"], ["search"], ["embed"], ["models"], ["models", "list"],
                        ["models", "pull"], ["models", "verify"], ["models", "tokenize"],
                        ["models", "import"], ["selftest"], ["completion"],
                        ["completion", "bash"]):
            out = self.good(*command, "--help")
            self.assertIn("Usage: ", out)

    def test_what_only_a_server_starts_is_not_shown(self):
        self.assertNotIn("session-worker", self.good("--help") + self.good("completion", "bash"))
        self.assertIn("not by hand", self.bad(1, "session-worker"))


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
        self.assertLessEqual({"serve", "ingest", "search", "embed", "models", "selftest", "completion"},
                             set(self.offers("akidb ''")))
        self.assertEqual(self.offers("akidb models v"), ["verify"])
        self.assertIn("--collection", self.offers("akidb ingest --c"))
        path = self.write("some_file.md", "")
        self.assertEqual(self.offers(f"akidb ingest {path[:-3]}"), [path])
        self.assertEqual(self.offers("akidb selftest --ga"), ["--gate"])
        self.assertEqual(self.offers(f"akidb selftest --gate {path[:-3]}"), [path])


if __name__ == "__main__":
    unittest.main()
