#!/usr/bin/env python3
"""Checks what a program can check of docs/STYLE.md and docs/ARCHITECTURE.md.

    tools/tidy.py [ROOT]        prints `path:line: rule: what is wrong and what would be right`
    tools/tidy.py --rules       prints the rules

Exit code 0 when nothing is wrong, 1 when something is, 2 for a wrong call. Needs Python 3.9 or newer
and nothing else.
"""
import argparse
import pathlib
import sys

from tidy_rules import catalogue
from tidy_rules.tree import Tree


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default_root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("root", nargs="?", default=default_root, type=pathlib.Path)
    parser.add_argument("--rules", action="store_true", help="print the rules and exit")
    arguments = parser.parse_args()
    if arguments.rules:
        for rule in catalogue.RULES:
            print(f"{rule.name}: {rule.demand}")
        return 0
    if not arguments.root.is_dir():
        parser.error(f"{arguments.root} is not a folder")
    findings = catalogue.check(Tree(arguments.root))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
