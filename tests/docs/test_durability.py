"""docs/ops/durability.md names tests; all of them exist, and planted bugs make each promise fail."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "crash" / "planted"))

from bugs import BUGS  # noqa: E402

NAMES = re.compile(r"`(\w+\.[A-Z]\w+|[a-z]+:\w+)`")
SUITES = re.compile(r"foreach\(suite ([a-z0-9_ ]+)\)\s+akidb_program_test\((\w+):")


def google_tests():
    names = set()
    for path in (ROOT / "src").rglob("*_test.cc"):
        text = path.read_text(encoding="utf-8")
        names |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text, re.M)}
    return names


def program_tests():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("CMakeLists.txt"))
    names = set(re.findall(r"(?:akidb_program_test\(|add_test\(NAME )(\w+:\w+) ", text))
    return names | {f"{kind}:{suite}" for suites, kind in SUITES.findall(text) for suite in suites.split()}


class Durability(unittest.TestCase):
    def test_every_test_that_the_page_names_exists(self):
        page = (ROOT / "docs" / "ops" / "durability.md").read_text(encoding="utf-8")
        named = set(NAMES.findall(page)) - {"docs:durability"}
        self.assertGreater(len(named), 40)
        self.assertEqual(named - google_tests() - program_tests(), set())

    def promises(self):
        page = (ROOT / "docs" / "ops" / "durability.md").read_text(encoding="utf-8")
        promises = page.split("\n## ", 1)[0]
        return [line for line in promises.splitlines() if line.startswith("| ")][1:]

    def test_every_promise_has_a_test(self):
        rows = self.promises()
        self.assertGreater(len(rows), 15)
        for row in rows:
            self.assertIn("`", row.split("|")[2], row)

    def test_a_planted_bug_makes_every_promise_fail(self):
        found_by = {bug.test for bug in BUGS}
        safe = [row for row in self.promises() if not found_by & set(NAMES.findall(row))]
        # Shown over HTTP alone.
        self.assertEqual([row.split("|")[1].split(" before")[0].strip() for row in safe], ["Texts are embedded"])


if __name__ == "__main__":
    unittest.main()
