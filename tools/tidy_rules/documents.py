"""Folders explain themselves, and what a text points at is there."""
import posixpath
import re

from . import layers
from .rule import Rule
from .tree import line_of

README_LINES_MAX = 40
_BANNED_NAMES = re.compile(r"(^|_)(common|utils?|helpers?|manager|misc)(_|$)")
_DOCS_PATH = re.compile(r"(?<![\w/.-])docs/[\w./-]*\w")
_LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.M | re.S)
LOG_PAGE = "docs/ops/logging.md"
# Events are the only snake_case literals of the call before its fields.
_LOG_CALL = re.compile(r"\bWrite\(\s*[^;{]{0,60}?LogLevel::k[^;{]*")
_EVENT_NAME = re.compile(r'"([a-z]+(?:_[a-z]+)+)"')
_TICKED_FILE = re.compile(r"`(\w[\w./*-]*\.(?:cc|h|py|sh|md))`")


def module_readmes(tree):
    folders = {posixpath.dirname(module.list_file): module.list_file
               for module in layers.modules(tree).values()}
    if tree.exists("src/server/CMakeLists.txt"):
        folders["src/server"] = "src/server/CMakeLists.txt"
    for folder, list_file in sorted(folders.items()):
        readme = f"{folder}/README.md"
        if not tree.exists(readme):
            yield list_file, 1, (f"{readme} is missing: purpose, what it is not for, invariants, "
                                 "files in reading order")
        elif tree.text(readme).count("\n") > README_LINES_MAX:
            yield readme, README_LINES_MAX + 1, (
                f"{tree.text(readme).count(chr(10))} lines; at most {README_LINES_MAX}, "
                "the rest belongs to docs/internals")


def listed_sources(tree):
    for path in tree.cpp("src"):
        if not path.endswith(".cc"):
            continue
        folder = posixpath.dirname(path)
        while folder and not tree.exists(f"{folder}/CMakeLists.txt"):
            folder = posixpath.dirname(folder)
        if not folder:
            yield path, 1, "no CMakeLists.txt builds this folder"
            continue
        name = posixpath.relpath(path, folder)
        listed = re.sub(r"#[^\n]*", "", tree.text(f"{folder}/CMakeLists.txt"))
        if not re.search(rf"(?<![\w/.]){re.escape(name)}(?![\w.])", listed):
            yield path, 1, f"is in no list of {folder}/CMakeLists.txt; list or delete it"


def docs_paths(tree):
    for path in tree.text_files():
        if path.endswith(".md") or path.startswith("tools/tidy"):
            continue
        for number, line in tree.lines(path):
            for match in _DOCS_PATH.finditer(line):
                if not tree.exists(match.group()):
                    yield path, number, f"{match.group()} does not exist; write it or mend the path"


def _resolves(tree, path, target):
    folder = posixpath.dirname(path)
    for base in (folder, "src", ""):
        candidate = posixpath.normpath(posixpath.join(base, target))
        if tree.exists(candidate) or ("*" in target and tree.any_match(candidate)):
            return True
    return "/" not in target and tree.any_match(f"*/{target}")


def links(tree):
    for path in tree.text_files():
        if not path.endswith(".md"):
            continue
        text = _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), tree.text(path))
        for match in _LINK.finditer(text):
            target = match.group(1)
            if re.match(r"\w+:", target):
                continue
            if not tree.exists(posixpath.normpath(posixpath.join(posixpath.dirname(path), target))):
                yield path, line_of(text, match.start()), f"link to {target}, which does not exist"
        for match in _TICKED_FILE.finditer(text):
            if "/." not in match.group(1) and not _resolves(tree, path, match.group(1)):
                yield path, line_of(text, match.start()), (
                    f"{match.group(1)} does not exist here, below src/ or at the root")


def log_events(tree):
    if not tree.exists(LOG_PAGE):
        return
    described = set(re.findall(r"^\| `(\w+)` \| (?:debug|info|warning|error) \|",
                               tree.text(LOG_PAGE), re.M))
    for path in tree.cpp("src"):
        if layers.is_test_file(path):
            continue
        text = tree.text(path)
        for call in _LOG_CALL.finditer(text):
            for name in _EVENT_NAME.finditer(call.group()):
                if name.group(1) not in described:
                    yield path, line_of(text, call.start() + name.start()), (
                        f"event {name.group(1)} has no row in {LOG_PAGE}; operators search for it")



def names(tree):
    for path in tree.files:
        if not path.startswith(("src/", "tools/", "tests/", "bench/", "fuzz/")):
            continue
        for part in path.split("/"):
            stem = part.split(".")[0]
            if _BANNED_NAMES.search(stem):
                yield path, 1, f"{stem}: name the one thing it is; such a name collects anything"
        if path.endswith((".cc", ".h", ".py")) and not re.fullmatch(
                r"[a-z0-9_]+\.\w+", posixpath.basename(path)):
            yield path, 1, "file names are snake_case"


RULES = (
    Rule("module-readme", f"each module has a README.md of at most {README_LINES_MAX} lines",
         module_readmes),
    Rule("listed-sources", "each .cc is in its CMakeLists.txt", listed_sources),
    Rule("docs-paths", "pages that code refers to exist", docs_paths),
    Rule("links", "links and file names in documents point at files", links),
    Rule("log-events", f"events of the log have a row in {LOG_PAGE}", log_events),
    Rule("names", "files and folders are named after one thing, in snake_case", names),
)
