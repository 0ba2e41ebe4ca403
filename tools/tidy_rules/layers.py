"""Which module may use which: by link (DEPENDS) and by include."""
import functools
import posixpath
import re
from typing import NamedTuple

from .rule import Rule
from .tree import line_of

_BELOW_ENGINE = ("base", "env", "types", "types/text", "simd", "index", "index/codes", "index/graph",
                 "index/sparse",
                 "storage/wal", "storage/segment", "storage/manifest", "storage/snapshot", "catalog")
_BELOW_SERVICE = _BELOW_ENGINE + ("engine", "embedding", "embedding/tokenizer")

# The arrows of docs/ARCHITECTURE.md: a module may name these and no other.
ALLOWED = {
    "base": (),
    "env": ("base",),
    "types": ("base",),
    "types/text": ("base", "types"),
    "simd": ("base",),
    "index": ("base", "types", "simd", "env"),
    "index/codes": ("base", "types", "simd"),
    "index/graph": ("base", "types", "simd", "index/codes"),
    "index/sparse": ("base", "types"),
    "storage/wal": ("base", "env", "types"),
    "storage/segment": ("base", "env", "types"),
    "storage/manifest": ("base", "env", "types", "storage/segment"),
    "storage/snapshot": ("base", "env", "types", "storage/segment"),
    "catalog": ("base", "env", "types"),
    "embedding/tokenizer": ("base",),
    "embedding": ("base", "env", "types", "embedding/tokenizer"),
    "engine/payload_index": ("base", "types", "types/text"),
    "engine": _BELOW_ENGINE + ("engine/payload_index",),
    "service": ("base", "env", "types", "catalog", "embedding", "engine"),
    "api/rest/schema": ("base",),
    "api/dialect": ("base", "types", "types/text", "service", "api/rest/schema"),
    "api/rest": ("base", "types", "types/text", "service", "api/rest/schema", "api/dialect"),
    "api/grpc": ("base", "types", "types/text", "service", "api/dialect"),
    "cli/documents": ("base", "env", "types"),
    "cli/inspect": _BELOW_ENGINE + ("engine", "service"),
    "cli/selftest": ("base", "env", "simd", "embedding"),
    "cli": _BELOW_SERVICE + ("service", "cli/documents", "cli/inspect", "cli/selftest"),
    "server": _BELOW_SERVICE + ("service", "api/rest", "api/dialect", "api/grpc", "cli",
                                "cli/documents"),
}

_DECLARATION = re.compile(r"\bakidb_module\(\s*([\w/]+)([^)]*)\)")
_KEYWORDS = ("SOURCES", "DEPENDS", "THIRD_PARTY", "TESTS", "TEST_DEPENDS", "BENCHES")
_TEST_FILE = re.compile(r"(_test|_bench)\.cc$|_fixture\.(h|cc)$|(^|/)test_\w+\.(h|cc)$")


class Module(NamedTuple):
    name: str
    list_file: str  # its CMakeLists.txt
    line: int
    depends: tuple
    test_depends: tuple


def is_test_file(path):
    return bool(_TEST_FILE.search(path))


def _arguments(body):
    groups, current = {keyword: [] for keyword in _KEYWORDS}, None
    for word in re.sub(r"#[^\n]*", "", body).split():
        if word in groups:
            current = groups[word]
        elif current is not None:
            current.append(word)
    return groups


@functools.lru_cache(maxsize=None)
def modules(tree):
    found = {}
    for path in tree.files:
        if not (path.startswith("src/") and path.endswith("/CMakeLists.txt")):
            continue
        text = tree.text(path)
        for match in _DECLARATION.finditer(text):
            groups = _arguments(match.group(2))
            found[match.group(1)] = Module(match.group(1), path, line_of(text, match.start()),
                                           tuple(groups["DEPENDS"]), tuple(groups["TEST_DEPENDS"]))
    return found


def module_of(path, names):
    """The module whose folder holds `path` (from the root), the deepest that fits."""
    folder = posixpath.dirname(path)[len("src/"):]
    while folder and folder not in names:
        folder = posixpath.dirname(folder)
    return folder or None


@functools.lru_cache(maxsize=None)
def _reachable(name):
    below = set()
    for direct in ALLOWED.get(name, ()):
        below |= {direct} | _reachable(direct)
    return frozenset(below)


def _arrow(source, target):
    return f"{source} may use {' '.join(ALLOWED[source]) or 'no module'}, not {target}"


def layer_link(tree):
    for module in modules(tree).values():
        if module.name not in ALLOWED:
            yield module.list_file, module.line, (
                f"module {module.name} has no row in tools/tidy_rules/layers.py; add its arrows "
                "there and in docs/ARCHITECTURE.md")
            continue
        if module.list_file != f"src/{module.name}/CMakeLists.txt":
            yield module.list_file, module.line, (
                f"declares {module.name}; a module is declared in its own folder")
        for target in module.depends:
            if target not in ALLOWED[module.name]:
                yield module.list_file, module.line, f"DEPENDS: {_arrow(module.name, target)}"
        for target in module.test_depends:
            if target not in _reachable(module.name):
                yield module.list_file, module.line, (
                    f"TEST_DEPENDS: tests of {module.name} reach what lies below it, not {target}")


def _include_error(path, name, tree):
    """What is wrong with including "name" (from src/) in path, or None."""
    declared = modules(tree)
    target = module_of(f"src/{name}", ALLOWED)
    if target is None or not tree.exists(f"src/{name}"):
        return f'"{name}" is no header of ours; include by the path from src/'
    source = module_of(path, ALLOWED)
    if source is None or source == target:
        return None
    test = is_test_file(path)
    if target not in (_reachable(source) if test else ALLOWED[source]):
        return _arrow(source, target)
    if source in declared:
        named = declared[source].depends + (declared[source].test_depends if test else ())
        if target not in named:
            where = "TEST_DEPENDS" if test else "DEPENDS"
            return f"{target} is used but not named; add it to {where} of {source}"
    return None


def layer_include(tree):
    for path in tree.cpp("src"):
        for include in tree.includes(path):
            if not include.quoted:
                if tree.exists(f"src/{include.name}"):
                    yield path, include.line, f'<{include.name}> is ours: write "{include.name}"'
                continue
            error = _include_error(path, include.name, tree)
            if error:
                yield path, include.line, error


def _cycle_from(start, edges):
    """The shortest way from start back to it, or None."""
    ways, seen = [[start]], set()
    while ways:
        way = ways.pop(0)
        for target in edges.get(way[-1], ()):
            if target == start:
                return way + [start]
            if target not in seen:
                seen.add(target)
                ways.append(way + [target])
    return None


def cycles(tree):
    declared = modules(tree)
    links = {name: module.depends for name, module in declared.items()}
    for name in sorted(links):
        way = _cycle_from(name, links)
        if way and name == min(way):
            yield declared[name].list_file, declared[name].line, (
                f"modules in a circle: {' -> '.join(way)}; turn one arrow round")
    headers = {p: [f"src/{i.name}" for i in tree.includes(p) if i.quoted]
               for p in tree.cpp("src") if p.endswith(".h")}
    for path in sorted(headers):
        way = _cycle_from(path, headers)
        if way and path == min(way):
            yield path, 1, f"headers include each other: {' -> '.join(way)}"


RULES = (
    Rule("layer-link", "akidb_module() names only modules that the layering allows", layer_link),
    Rule("layer-include", "includes follow the layering, name DEPENDS, and start at src/",
         layer_include),
    Rule("cycles", "neither modules nor headers use each other in a circle", cycles),
)
