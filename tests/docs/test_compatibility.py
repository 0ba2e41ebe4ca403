"""docs/api/compatibility.md lists the operations of the table of routes, each as it is answered."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENTRY = re.compile(r'^    \{"([A-Z]+)", "(/[^"]*)"(.*?)\},$', re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `([A-Z]+) (/[^`]*)` \| (\w+) \|", re.MULTILINE)


def how_it_is_answered(entry):
    """Ways that the page may name."""
    if "kStandalone" in entry:
        return {"standalone"}
    if "kQuick" in entry or "kPooled" in entry or "kLong" in entry:
        return {"exact", "mapped", "own"}
    return {"refused"}


class Compatibility(unittest.TestCase):
    def test_the_page_lists_every_route(self):
        routes = (ROOT / "src/api/rest/route.cc").read_text(encoding="utf-8")
        entries = ENTRY.findall(routes[routes.index("kRoutes[]") : routes.index("};", routes.index("kRoutes[]"))])
        self.assertGreater(len(entries), 70)
        rows = ROW.findall((ROOT / "docs/api/compatibility.md").read_text(encoding="utf-8"))
        self.assertEqual(sorted(row[:2] for row in rows), sorted(entry[:2] for entry in entries))
        answered = {row[:2]: row[2] for row in rows}
        for method, path, rest in entries:
            with self.subTest(method=method, path=path):
                self.assertIn(answered[method, path], how_it_is_answered(rest))


if __name__ == "__main__":
    unittest.main()
