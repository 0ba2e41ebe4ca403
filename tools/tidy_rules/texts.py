"""What no tracked file may say: paths of one machine, hosts of registries, people, dates."""
import re

from .rule import Rule
from .tree import PATTERN_FILES, matches

_TEST_FOLDERS = ("tests/*", "src/*_test.cc", "src/*_fixture.h", "bench/*", "*/test_*.py")

_MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(work|root|home|Users)/")
_TEMPORARY_PATH = re.compile(r"(?<![\w.~/-])/tmp/")
_REGISTRY_HOST = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|registry\.yarnpkg\.com|crates\.io"
    r"|repo1?\.maven\.(?:apache\.)?org|mvnrepository\.com|proxy\.golang\.org|deb\.debian\.org"
    r"|archive\.ubuntu\.com|ports\.ubuntu\.com)\b", re.I)
_AUTHOR = re.compile(r"@author\b|\b[Aa]uthors?:|\b(?:[Ww]ritten|[Cc]reated) by [A-Z]|Signed-off-by"
                     r"|Co-[Aa]uthored-[Bb]y|Copyright (?:\(c\) )?\d{4}")
# Younger than the oldest commit could be: others are data, such as an epoch.
_DATE = re.compile(r"\b20[2-9]\d-[01]\d-[0-3]\d\b(?!T)|\b[0-3]?\d/[01]?\d/20\d\d\b")
_PLAN = re.compile(r"\b(?:phase|milestone|sprint|step) \d+\b|\bissues? #?\d+\b", re.I)
_GENERATED = (".o", ".a", ".so", ".pyc", ".class", ".onnx", ".whl", ".deb", ".gz", ".zip", ".tar",
              ".log", ".orig", ".rej", ".swp")
BINARY_BYTES_MAX = 500_000


def _lines(tree):
    for path in tree.text_files():
        if not matches(path, PATTERN_FILES):
            for number, line in tree.lines(path):
                yield path, number, line


def machine_paths(tree):
    for path, number, line in _lines(tree):
        found = _MACHINE_PATH.search(line)
        if not found and not matches(path, _TEST_FOLDERS):
            found = _TEMPORARY_PATH.search(line)
        if found:
            yield path, number, f"{found.group()}: a path of one machine; take it as an argument"


def registry_hosts(tree):
    for path, number, line in _lines(tree):
        found = _REGISTRY_HOST.search(line)
        if found:
            yield path, number, (
                f"{found.group(1)}: name the package and leave the host to its client")


def _comments(tree):
    for path in tree.text_files():
        if matches(path, PATTERN_FILES):
            continue
        if path.endswith((".cc", ".h")):
            for number, comment in tree.comments(path):
                yield path, number, comment
        elif path.endswith((".py", ".sh", ".cmake", "CMakeLists.txt")):
            for number, line in tree.lines(path):
                if "#" in line:
                    yield path, number, line.split("#", 1)[1]


def people_and_dates(tree):
    for path, number, comment in _comments(tree):
        for pattern in (_AUTHOR, _DATE, _PLAN):
            found = pattern.search(comment)
            if found:
                yield path, number, (
                    f"{found.group().strip()}: authors, dates and plans belong to version control")


def generated_files(tree):
    for path in tree.files:
        if path.endswith(_GENERATED):
            yield path, 1, "looks generated or fetched; make it at build time, or ignore it"
        elif tree.size(path) > BINARY_BYTES_MAX and tree.is_binary(path):
            yield path, 1, (f"a binary of {tree.size(path)} bytes; at most {BINARY_BYTES_MAX}, else "
                            "fetch or make it at build time")


RULES = (
    Rule("machine-paths", "no paths of one machine", machine_paths),
    Rule("registry-hosts", "no host names of package registries", registry_hosts),
    Rule("people-and-dates", "no authors, dates or plans in comments", people_and_dates),
    Rule("generated-files", "no generated files and no large binaries", generated_files),
)
