"""`akidb models describe`: the models that an import knows by name."""
import json
import subprocess
import unittest

from cli_process import binary


def describe(*arguments):
    return subprocess.run([binary(), "models", "describe", *arguments], capture_output=True, text=True, timeout=60,
                          check=False)


class Describe(unittest.TestCase):
    def test_all_in_one_line_each(self):
        done = describe()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), len(describe("--json").stdout.splitlines()))
        for name in ("Qwen/Qwen3-Embedding-0.6B", "BAAI/bge-m3", "Alibaba-NLP/gte-Qwen2-7B-instruct"):
            self.assertIn(name, done.stdout)

    def test_one_in_full_by_either_name(self):
        done = describe("Qwen/Qwen3-Embedding-4B")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, describe("qwen3-embedding-4b").stdout)
        for words in ("2560", "Instruct: {instruction}", "151643", "0.7534", "akidb models convert", "--model qwen3"):
            self.assertIn(words, done.stdout)

    def test_json(self):
        model = json.loads(describe("bge-m3", "--json").stdout)
        self.assertEqual((model["dims"], model["pooling"], model["end_token"]), (1024, "cls", None))
        self.assertEqual(len(model["example"]["cosines"]), 4)

    def test_what_is_built_in_is_described_alike(self):
        for name, dims, pooling, query, document in (
                ("bge-small-zh-v1.5", 512, "cls", "为这个句子生成表示以用于检索相关文章：", ""),
                ("e5-small-v2", 384, "mean", "query: ", "passage: "),
                ("multilingual-e5-small", 384, "mean", "query: ", "passage: ")):
            model = json.loads(describe(name, "--json").stdout)
            self.assertEqual((model["dims"], model["pooling"], model["query_prompt"], model["document_prompt"],
                              model["licence"]), (dims, pooling, query, document, "MIT"))

    def test_a_name_that_nobody_knows(self):
        done = describe("nothing")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn("known are qwen3-embedding-0.6b", done.stderr)


if __name__ == "__main__":
    unittest.main()
