"""docs/ops/durability.md names tests; all of them exist."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
        named = set(re.findall(r"`(\w+\.[A-Z]\w+|[a-z]+:\w+)`", page)) - {"docs:durability"}
        self.assertGreater(len(named), 40)
        self.assertEqual(named - google_tests() - program_tests(), set())

    def test_every_promise_has_a_test(self):
        page = (ROOT / "docs" / "ops" / "durability.md").read_text(encoding="utf-8")
        promises = page.split("\n## ", 1)[0]
        rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
        self.assertGreater(len(rows), 15)
        for row in rows:
            self.assertIn("`", row.split("|")[2], row)


if __name__ == "__main__":
    unittest.main()
