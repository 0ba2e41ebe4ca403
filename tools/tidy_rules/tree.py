"""The files under check, read once, and C++ text with comments and literals blanked."""
import fnmatch
import functools
import os
import pathlib
import re
import subprocess
from typing import NamedTuple

# These hold the patterns that no other file may hold.
PATTERN_FILES = ("tools/tidy_rules/*", "tools/tidy_test.py")
CPP_ENDINGS = (".cc", ".h")
SKIPPED_FOLDERS = {".git", ".cache", ".venv", "build", "node_modules", "__pycache__"}
BINARY_PROBE_BYTES = 8192

_COMMENT = r"//[^\n]*|/\*.*?\*/"
_LITERAL = (r'R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
            r'|"(?:\\.|[^"\\\n])*"'
            r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'")
_TOKEN = re.compile(f"(?P<comment>{_COMMENT})|(?P<literal>{_LITERAL})", re.S)
_INCLUDE_LINE = re.compile(r"^[ \t]*#[ \t]*include[^\n]*$", re.M)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Include(NamedTuple):
    line: int
    name: str
    quoted: bool


def blank(text):
    """Spaces for everything but line ends, so that offsets and lines stay."""
    return re.sub(r"[^\n]", " ", text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


class Tree:
    """Paths are relative to the root, with forward slashes. Nothing is written."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = sorted(path for path in self._list() if (self.root / path).is_file())
        self._known = set(self.files)
        self._folders = {parent.as_posix() for path in self.files
                         for parent in pathlib.PurePosixPath(path).parents}

    def _list(self):
        if (self.root / ".git").exists():
            listed = subprocess.run(
                ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others",
                 "--exclude-standard"], capture_output=True, check=False)
            if listed.returncode == 0:
                return set(os.fsdecode(listed.stdout).split("\0")) - {""}
        return self._walk()

    def _walk(self):
        found = set()
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [name for name in subfolders if name not in SKIPPED_FOLDERS]
            for name in names:
                found.add((pathlib.Path(folder) / name).relative_to(self.root).as_posix())
        return found

    def exists(self, path):
        return path in self._known or path in self._folders

    def any_match(self, pattern):
        return any(fnmatch.fnmatchcase(path, pattern) for path in self.files)

    def size(self, path):
        return (self.root / path).stat().st_size

    @functools.lru_cache(maxsize=None)
    def is_binary(self, path):
        with open(self.root / path, "rb") as file:
            return b"\0" in file.read(BINARY_PROBE_BYTES)

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        if self.is_binary(path):
            return ""
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path):
        """(number, line) pairs."""
        return enumerate(self.text(path).splitlines(), 1)

    def text_files(self):
        return [path for path in self.files if not self.is_binary(path)]

    def cpp(self, *folders):
        """C++ files below any of `folders`; all of the tree's without one."""
        below = tuple(folder + "/" for folder in folders) or ("",)
        return [p for p in self.files if p.endswith(CPP_ENDINGS) and p.startswith(below)]

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        """C++ without comments and the content of literals; lines and offsets as in text()."""
        text = self.text(path)
        includes = {match.start(): match.end() for match in _INCLUDE_LINE.finditer(text)}

        def mask(match):
            if match.group("comment"):
                return blank(match.group())
            start = text.rfind("\n", 0, match.start()) + 1
            if start in includes:
                return match.group()
            token = match.group()
            return token[0] + blank(token[1:-1]) + token[-1]

        return _TOKEN.sub(mask, text)

    @functools.lru_cache(maxsize=None)
    def plain_code(self, path):
        """code() without preprocessor lines."""
        return _DIRECTIVE.sub(lambda match: blank(match.group()), self.code(path))

    @functools.lru_cache(maxsize=None)
    def comments(self, path):
        """(number, text) for every line of comment, without its marks."""
        found = []
        text = self.text(path)
        for match in _TOKEN.finditer(text):
            if not match.group("comment"):
                continue
            first = line_of(text, match.start())
            for i, line in enumerate(match.group().split("\n")):
                found.append((first + i, re.sub(r"^\s*(//|/\*|\*/|\*)", "", line)))
        return found

    @functools.lru_cache(maxsize=None)
    def includes(self, path):
        found = []
        pattern = re.compile(r'\s*#\s*include\s*([<"])([^">]+)[">]')
        for number, line in enumerate(self.code(path).splitlines(), 1):
            match = pattern.match(line)
            if match:
                found.append(Include(number, match.group(2), match.group(1) == '"'))
        return found
