"""Our own protos keep to the rules of proto/buf.yaml: `buf lint`, and the form of comments.

    lint.py BUF
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
WIDTH_MAX = 120


def flaws(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.relative_to(ROOT)}:{number}"
        if len(line) > WIDTH_MAX:
            yield f"{place}: longer than {WIDTH_MAX} columns"
        if re.search(r"\S\s*//", line):
            yield f"{place}: a comment stands above what it tells of"


def lint(buf, folder):
    return subprocess.run([buf, "lint"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def spoilings_that_pass(buf):
    """A test that can't fail is a defect: each of these has to be found."""
    spoilings = {"a field without a comment": ("  // The text.\n", ""),
                 "a value without its prefix": (" INPUT_TYPE_QUERY ", " QUERY "),
                 "a name of another style": (" truncated_texts ", " truncatedTexts "),
                 "a package without a version": ("package akidb.v1;", "package akidb;")}
    for name, (good, bad) in spoilings.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "proto")
            shutil.copytree(PROTO, copy)
            proto = copy / "akidb" / "v1" / "akidb.proto"
            text = proto.read_text(encoding="utf-8")
            assert good in text, good
            proto.write_text(text.replace(good, bad), encoding="utf-8")
            if lint(buf, copy).returncode == 0:
                yield name


def main():
    buf = sys.argv[1]
    told = lint(buf, PROTO)
    found = [flaw for path in sorted(PROTO.rglob("*.proto")) for flaw in flaws(path)]
    found += [f"buf lint doesn't find {name}" for name in spoilings_that_pass(buf)]
    print(told.stdout + told.stderr + "\n".join(found))
    return int(told.returncode != 0 or bool(found))


if __name__ == "__main__":
    sys.exit(main())
