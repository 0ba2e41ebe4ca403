"""Finds functions and declarations in C++ by its braces: no compiler, no preprocessing.

Works on Tree.plain_code(). Knows namespaces, classes, constructors with initializer lists, trailing
return types, macros that look like functions (TEST), initializer braces. A lambda or local class
belongs to the function around it.
"""
import re
from typing import NamedTuple

from .tree import line_of

_CONTAINER = re.compile(r"\b(namespace|extern)\b|(?:^|[^<,\w]\s*)\b(class|struct|union|enum)\b")
_AFTER_PARAMETERS = re.compile(
    r"\)\s*(?:const|volatile|noexcept(?:\s*\([^()]*\))?|override|final|mutable|&&?|try"
    r"|[A-Z][A-Z0-9_]+(?:\s*\([^()]*\))?|requires\b[^{;]*|->[^{;]*|\s)*$")
_INITIALIZER_LIST = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)")
_NOT_A_NAME = {"alignas", "decltype", "noexcept", "static_assert", "requires", "sizeof", "if", "for",
               "while", "switch", "return", "explicit", "asm", "defined", "using", "typedef"}


class Function(NamedTuple):
    name: str
    first_line: int
    last_line: int


class Signature(NamedTuple):
    name: str
    line: int
    parameter_count: int


class _Block(NamedTuple):
    kind: str  # container, function, initializer
    head: str
    head_start: int


def _classify(head):
    stripped = head.strip()
    if re.search(r"[=,(\[]$|\breturn$", stripped):
        return "initializer"
    if _AFTER_PARAMETERS.search(stripped):
        return "function"
    if stripped.endswith("}") and _INITIALIZER_LIST.search(stripped):
        return "function"
    if _CONTAINER.search(re.sub(r"template\s*<[^{;]*?>\s*(?=class|struct|union)", "", stripped)):
        return "container"
    return "initializer" if stripped else "container"


def _scan(code):
    """Yields ('function', head, start, end) and ('declaration', head, start, end)."""
    stack = []
    start = 0
    parens = 0
    for match in re.finditer(r"[{};()]", code):
        at, mark = match.start(), match.group()
        inside = stack[-1].kind if stack else "container"
        if inside == "container" and mark in "()":
            parens = max(0, parens + (1 if mark == "(" else -1))
        elif mark == "{":
            kind = inside if inside != "container" else (
                "initializer" if parens else _classify(code[start:at]))
            nested = inside != "container"
            stack.append(_Block("nested" if nested else kind, code[start:at], start))
            if not nested and kind == "container":
                start = at + 1
        elif mark == "}" and stack:
            block = stack.pop()
            if block.kind == "function":
                yield "function", block.head, block.head_start, at
            if block.kind in ("function", "container"):
                start = at + 1
        elif mark == ";" and inside == "container" and not parens:
            yield "declaration", code[start:at], start, at
            start = at + 1


def _name_and_list(head):
    """Offset of the parameter list's opening parenthesis and the name before it, or None."""
    angle = 0
    for match in re.finditer(r"->|<<=?|[=!<>]=|[<>(=]|operator\s*\(\)|operator\s*[^\s\w(]+", head):
        mark = match.group()
        if mark.startswith("operator"):
            opening = head.find("(", match.end())
            return (opening, mark) if opening >= 0 else None
        if mark == "<":
            angle += 1
        elif mark == ">":
            angle = max(0, angle - 1)
        elif mark == "=" and angle == 0:
            return None
        elif mark == "(" and angle == 0:
            before = re.search(r"([~\w]+)\s*$", head[:match.start()])
            if not before or before.group(1) in _NOT_A_NAME:
                continue
            if re.fullmatch(r"[A-Z][A-Z0-9_]{2,}", before.group(1)):
                continue
            return match.start(), before.group(1)
    return None


def _count_parameters(head, opening):
    depth, angle, count, seen = 0, 0, 0, False
    for match in re.finditer(r"->|[()\[\]{}<>,]|[^\s()\[\]{}<>,]", head[opening:]):
        mark = match.group()
        if mark in ("(", "[", "{"):
            depth += 1
            seen = seen or depth > 1
        elif mark in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                break
        elif mark == "<":
            angle += 1
        elif mark == ">":
            angle = max(0, angle - 1)
        elif mark == "," and depth == 1 and angle == 0:
            count += 1
        else:
            seen = True
    return count + 1 if seen else 0


def _trimmed_start(head, start):
    clean = re.match(r"(?:\s|(?:public|private|protected)\s*:(?!:))*", head)
    return start + clean.end()


def _display_name(head):
    found = _name_and_list(head)
    if found:
        return found[1]
    macro = re.search(r"(\w+\s*\([^()]*\))", head)
    return re.sub(r"\s+", " ", macro.group(1)) if macro else "function"


def functions(code):
    for kind, head, start, end in _scan(code):
        if kind == "function":
            first = line_of(code, _trimmed_start(head, start))
            yield Function(_display_name(head), first, line_of(code, end))


def signatures(code):
    """Every function declared or defined outside of function bodies."""
    for _, head, start, _ in _scan(code):
        found = _name_and_list(head)
        if found is None:
            continue
        opening, name = found
        if re.match(r"\s*(?:using|typedef|friend\s+class|return)\b", head):
            continue
        yield Signature(name, line_of(code, start + opening), _count_parameters(head, opening))
