"""How long and how wide code may be."""
import pathlib

from . import cpp
from .rule import Rule

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 4
COLUMNS_MAX = {".cc": 100, ".h": 100, ".py": 120}

CODE_ENDINGS = (".cc", ".h", ".py", ".sh", ".cmake", ".mjs", ".cjs", "CMakeLists.txt")


def file_length(tree):
    for path in tree.text_files():
        if not path.endswith(CODE_ENDINGS):
            continue
        count = tree.text(path).count("\n")
        if count > FILE_LINES_MAX:
            yield path, FILE_LINES_MAX + 1, (
                f"{count} lines; split the file, at most {FILE_LINES_MAX}")


def function_length(tree):
    for path in tree.cpp():
        for function in cpp.functions(tree.plain_code(path)):
            count = function.last_line - function.first_line + 1
            if count > FUNCTION_LINES_MAX:
                yield path, function.first_line, (
                    f"{function.name} has {count} lines; cut it into steps with names, at most "
                    f"{FUNCTION_LINES_MAX}")


def parameter_count(tree):
    for path in tree.cpp():
        for signature in cpp.signatures(tree.plain_code(path)):
            if signature.parameter_count > PARAMETERS_MAX:
                yield path, signature.line, (
                    f"{signature.name} takes {signature.parameter_count} parameters; at most "
                    f"{PARAMETERS_MAX}, else a struct with named fields")


def line_width(tree):
    for path in tree.text_files():
        most = COLUMNS_MAX.get(pathlib.PurePosixPath(path).suffix)
        if most is None:
            continue
        for number, line in tree.lines(path):
            if len(line) > most and "://" not in line and 'R"' not in line:
                yield path, number, f"{len(line)} columns; at most {most}"


RULES = (
    Rule("file-length", f"code files have at most {FILE_LINES_MAX} lines", file_length),
    Rule("function-length", f"C++ functions have at most {FUNCTION_LINES_MAX} lines",
         function_length),
    Rule("parameters", f"C++ functions take at most {PARAMETERS_MAX} parameters", parameter_count),
    Rule("line-width", "lines have at most 100 columns, in Python 120", line_width),
)
