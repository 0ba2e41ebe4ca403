"""Constructs that the code base does without."""
import re
from typing import NamedTuple

from .layers import is_test_file
from .rule import Rule
from .tree import PATTERN_FILES, line_of, matches


class Forbidden(NamedTuple):
    rule: str
    pattern: str  # over code without comments and literals
    instead: str
    homes: tuple = ()  # globs where it is right
    tests: bool = False  # whether tests may


FORBIDDEN = (
    Forbidden("printing", r"std::(cout|cerr|clog)\b|(?<![\w.>])(?:std::)?(printf|fprintf|puts|fputs)\s*\(",
              "libraries don't print; report by Status or base/log.h",
              ("src/cli/*", "src/server/*", "src/base/check.cc", "bench/*"), tests=True),
    Forbidden("catch-all", r"\bcatch\s*\(\s*\.\.\.\s*\)",
              "catch what the library documents and turn it into a Status"),
    Forbidden("using-namespace", r"\busing\s+namespace\b(?!\s+std::(?:chrono_|string_view_|)literals)",
              "name what you use"),
    Forbidden("sleep", r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w.>])(?:::)?sleep\s*\(",
              "wait on a condition, or move the simulated clock", ("src/env/clock.cc",)),
    Forbidden("detached-thread", r"\.\s*detach\s*\(\s*\)", "own the thread and join it"),
    Forbidden("volatile", r"\bvolatile\b", "use std::atomic"),
    Forbidden("randomness", r"(?<![\w.>:])(?:std::)?s?rand\s*\(|\bstd::random_device\b",
              "take env/random.h", ("src/env/random.cc",), tests=True),
    Forbidden("wall-clock", r"\bsystem_clock\b|(?<![\w.>:])(?:std::)?(time|gettimeofday)\s*\(",
              "take env/clock.h", ("src/env/*", "src/base/log.cc")),
    Forbidden("std-regex", r"\bstd::(basic_)?regex\b", "std::regex is slow and recurses without bound"),
    Forbidden("assertion", r"(?<![\w.>:])assert\s*\(", "AKIDB_CHECK is always on"),
    Forbidden("raw-new", r"(?<!operator )\bnew\s+(?!\()[A-Za-z_:]|\bdelete\b\s*(?:\[\s*\]\s*)?[A-Za-z_*(]",
              "std::make_unique, or wrap a private constructor: std::unique_ptr<T>(new T(…))"),
)

_OWNED_AT_ONCE = re.compile(r"(unique_ptr|shared_ptr)\s*<[^;{}]*>\s*(?:\w+\s*)?[({]\s*$")
_ISA_TEST = re.compile(
    r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif)\b[^\n]*(__SSE|__AVX|__ARM|__aarch64__|__x86_64__|__NEON"
    r"|_M_X64|_M_ARM|__BMI|__F16C__|__FMA__)", re.M)
_MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_DISABLED = re.compile(
    r"^ ?(?:[A-Za-z_][\w:<>*&\[\].]*(?: +[\w:<>*&\[\].]+)* *(?:=[^=].*|\(.*\)) *;"
    r"|return\b.*;|\}|(?:if|for|while|switch) \(.*\) *\{?|#(?:include|if|define)\b.*)\s*$")


def _forbidden(row):
    expression = re.compile(row.pattern)

    def check(tree):
        for path in tree.cpp():
            if matches(path, row.homes) or (row.tests and is_test_file(path)):
                continue
            code = tree.plain_code(path)
            for match in expression.finditer(code):
                if row.rule == "raw-new" and _OWNED_AT_ONCE.search(code[:match.start()][-200:]):
                    continue
                yield path, line_of(code, match.start()), (
                    f"{match.group().strip()}: {row.instead}")

    return Rule(row.rule, row.instead, check)


def isa_conditionals(tree):
    for path in tree.cpp():
        if matches(path, ("src/simd/*", "src/base/crc32c.cc")):
            continue
        code = tree.code(path)
        for match in _ISA_TEST.finditer(code):
            yield path, line_of(code, match.start()), (
                f"{match.group(1)}: code per instruction set lives in simd and is picked at run time")


def open_ends(tree):
    for path in tree.text_files():
        if not path.endswith((".cc", ".h", ".py", ".sh", ".cmake", ".txt", ".mjs")):
            continue
        if matches(path, PATTERN_FILES):
            continue
        for number, line in tree.lines(path):
            found = _MARKS.search(line)
            if found:
                yield path, number, f"{found.group(1)}: do it or file an issue; code holds no plans"


def disabled_code(tree):
    for path in tree.cpp():
        for number, comment in tree.comments(path):
            if _DISABLED.match(comment):
                yield path, number, (
                    "looks like disabled code: delete it (an example is indented by two spaces more)")


def pragma_once(tree):
    for path in tree.cpp():
        if path.endswith(".h") and not re.search(r"^#pragma once$", tree.text(path), re.M):
            yield path, 1, "a header starts with #pragma once"


RULES = tuple(_forbidden(row) for row in FORBIDDEN) + (
    Rule("isa-conditionals", "conditions on instruction sets stay in simd", isa_conditionals),
    Rule("open-ends", "no marks of unfinished work", open_ends),
    Rule("disabled-code", "no code in comments", disabled_code),
    Rule("pragma-once", "headers have #pragma once", pragma_once),
)
