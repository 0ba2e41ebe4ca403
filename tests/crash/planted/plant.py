#!/usr/bin/env python3
"""Writes the sources that the bugs of bugs.py change, each with all of its bugs, which wait for
IsPlanted(name) to say that they are wanted; and tables of the bugs.

    plant.py SRC OUT            writes OUT/FILE for each changed file and OUT/*_table.inc
    plant.py --list             prints the changed files, for CMake
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bugs import BUGS, FUZZ_BUGS  # noqa: E402


def changed_files():
    return list(dict.fromkeys(edit.file for bug in BUGS + FUZZ_BUGS for edit in bug.edits))


def plant(source, file):
    text = (source / file).read_text(encoding="utf-8")
    for bug in BUGS + FUZZ_BUGS:
        for edit in bug.edits:
            if edit.file != file:
                continue
            if text.count(edit.text) != 1:
                sys.exit(f"{file}: {edit.text!r} stands there {text.count(edit.text)} times, and must once for the "
                         f"bug {bug.name}: change tests/crash/planted/bugs.py with the code")
            planted = re.sub(r"\bIsPlanted\b", lambda _: f'IsPlanted("{bug.name}")', edit.planted)
            text = text.replace(edit.text, planted)
    return '#include "planted.h"\n' + text


def main():
    if sys.argv[1:] == ["--list"]:
        print(";".join(changed_files()), end="")
        return
    source, out = map(pathlib.Path, sys.argv[1:])
    for file in changed_files():
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (out / file).write_text(plant(source, file), encoding="utf-8")
    for name, bugs in (("planted_table.inc", BUGS), ("fuzz_table.inc", FUZZ_BUGS)):
        table = "".join(f'{{"{bug.name}", "{bug.what}", "{bug.test}"}},\n' for bug in bugs)
        (out / name).write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
