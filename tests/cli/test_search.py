"""`akidb search` and `akidb embed`, over HTTP and on a data folder."""

import json
import os
import unittest

from cli_process import CommandTestCase, ModelTestCase, clean_environment, run


class Search(ModelTestCase):
    def setUp(self):
        super().setUp()
        self.write_all()
        self.good("ingest", self.documents, *self.here())

    def rows(self, *arguments):
        return [json.loads(line) for line in self.good("search", *arguments, "--json").splitlines()]

    def test_the_best_passage_comes_first(self):
        out = self.good("search", "Which package does a file come from?", *self.here())
        self.assertRegex(out, r"^1  0\.\d{3}  Guide > Packages\n")
        self.assertIn("dpkg -S", out)
        self.assertRegex(out, r"\nembedding [\d.]+ ms, search [\d.]+ ms\n$")
        self.assertNotRegex(out, r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_lines_fit_the_width(self):
        out = self.good("search", "package", *self.here(), env=clean_environment(COLUMNS="40"))
        self.assertLessEqual(max(len(line) for line in out.splitlines()), 40)

    def test_json_has_one_object_a_line(self):
        rows = self.rows("the capital of Italy", *self.here(), "--limit", "2")
        self.assertEqual(len(rows), 2)
        self.assertEqual(list(rows[0]), ["id", "score", "payload", "ms_embed", "ms_search"])
        self.assertEqual(rows[0]["payload"]["title"], "records")
        self.assertEqual(rows[0]["payload"]["section"], ["Italy"])
        self.assertGreater(rows[0]["score"], rows[1]["score"])
        self.assertGreater(rows[0]["ms_embed"], 0)

    def test_filters_narrow_by_type(self):
        rows = self.rows("capital", *self.here(), "--filter", "year=1789")
        self.assertEqual([row["payload"]["year"] for row in rows], [1789])
        rows = self.rows("capital", *self.here(), "--filter", "section=Guide", "--filter",
                         "position.passage=1")
        self.assertEqual([row["payload"]["section"] for row in rows], [["Guide", "Users"]])
        code, out, _ = run("search", "capital", *self.here(), "--filter", 'year="1789"')
        self.assertEqual((code, out.split("\n")[0]), (1, "nothing found"))

    def test_bad_filters_are_usage_errors(self):
        self.bad(2, "search", "q", *self.here(), "--filter", "year")
        self.bad(2, "search", "q", *self.here(), "--filter", "=3")

    def test_hybrid_finds_words_that_meaning_misses(self):
        self.write("codes.txt", "\n\n".join(f"E{n} means that part {n} of the pump is worn." for n in range(40, 60)))
        for number, place in enumerate((["--url", self.url], ["--data-dir", os.path.join(self.folder, "data")])):
            here = ["--collection", f"{self.collection}_words_{number}", *place]
            self.good("ingest", self.documents, "--hybrid", *here)
            self.good("ingest", self.documents, "--hybrid", *here)
            rows = self.rows("adduser", "--hybrid", *here)
            self.assertIn("adduser", rows[0]["payload"]["text"])
            self.assertEqual(len({row["id"] for row in rows}), len(rows))
            filtered = self.rows("capital", "--hybrid", *here, "--filter", "year=1789")
            self.assertEqual([row["payload"]["year"] for row in filtered], [1789])
        err = self.bad(1, "search", "adduser", "--hybrid", *self.here())
        self.assertIn("without --hybrid", err)
        err = self.bad(1, "ingest", self.documents, "--hybrid", *self.here())
        self.assertIn("without --hybrid", err)

    def test_an_unknown_collection(self):
        err = self.bad(1, "search", "q", "--collection", "nothing", "--url", self.url)
        self.assertIn("nothing", err)

    def test_a_data_folder_answers_as_a_server_does(self):
        data = os.path.join(self.folder, "data")
        local = ["--collection", self.collection, "--data-dir", data]
        out = self.good("ingest", self.documents, *local)
        self.assertIn("4 files, 6 passages stored", out)
        self.assertIn("(4 unchanged)", self.good("ingest", self.documents, *local))
        for question in ("adding a user", "mail", "capital of France"):
            by_server = self.rows(question, *self.here())
            by_folder = self.rows(question, *local)
            for one, other in zip(by_server, by_folder, strict=True):
                self.assertEqual(one["id"], other["id"])
                self.assertEqual(one["payload"], other["payload"])
                self.assertAlmostEqual(one["score"], other["score"], places=5)

    def test_a_folder_that_a_server_has_is_refused(self):
        err = self.bad(5, "search", "q", "--collection", "c", "--data-dir", self.server.data_dir)
        self.assertIn("--url", err)

    def test_the_environment_says_where(self):
        self.good("search", "mail", "--collection", self.collection,
                  env=clean_environment(AKIDB_URL=self.url))


class Embed(ModelTestCase):
    def vectors(self, *arguments, **options):
        out = self.good("embed", *arguments, "--json", "--url", self.url, **options)
        return [json.loads(line) for line in out.splitlines()]

    def test_texts_of_the_command_line(self):
        rows = self.vectors("one text", "another")
        self.assertEqual([row["text"] for row in rows], ["one text", "another"])
        for row in rows:
            self.assertEqual(len(row["embedding"]), 384)
            self.assertAlmostEqual(sum(x * x for x in row["embedding"]), 1, places=4)

    def test_lines_of_standard_input(self):
        by_argument = self.vectors("one text", "another")
        by_line = self.vectors(stdin="one text\r\n\nanother")
        self.assertEqual([row["text"] for row in by_line], ["one text", "another"])
        for one, other in zip(by_argument, by_line, strict=True):
            for x, y in zip(one["embedding"], other["embedding"], strict=True):
                self.assertAlmostEqual(x, y, places=4)

    def test_many_lines(self):
        rows = self.vectors(stdin="".join(f"line {i}\n" for i in range(600)))
        self.assertEqual(len(rows), 600)

    def test_a_line_for_people(self):
        out = self.good("embed", "a text", "--url", self.url)
        self.assertIn("384 dimensions  a text", out)


class SearchErrors(CommandTestCase):
    def test_no_server(self):
        self.bad(3, "search", "q", "--collection", "c", "--url", "http://127.0.0.1:1")

    def test_no_folder(self):
        missing = os.path.join(self.folder, "missing")
        err = self.bad(1, "search", "q", "--collection", "c", "--data-dir", missing)
        self.assertIn("no such data folder", err)
        self.assertFalse(os.path.exists(missing))

    def test_usage(self):
        self.bad(2, "search")
        self.bad(2, "search", "q", "--collection", "c", "--limit", "0")
        self.assertIn("empty", self.bad(2, "search", "", "--collection", "c"))
        self.assertIn("UTF-8", self.bad(2, "search", b"\xff", "--collection", "c"))
        self.assertIn("UTF-8", self.bad(1, "embed", b"a\xff"))
        self.bad(2, "search", "q", "--collection", "c", "--url", "http://x", "--data-dir", "y")
        self.bad(2, "search", "q", "--collection", "c", "--nonsense")
        self.bad(1, "search", "q", "--collection", "c", "--url", "ftp://x")


if __name__ == "__main__":
    unittest.main()
