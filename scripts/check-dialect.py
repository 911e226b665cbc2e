#!/usr/bin/python3
"""Checks what CONTRIBUTING's section on style says of C and a machine can see.

    scripts/check-dialect.py [FILE...]

Without files: all C of the repository. Prints FILE:LINE: RULE; exit status 1 where one is broken.
The rules read text as clang-format leaves it, without comments and strings.
"""

import re
import sys
from pathlib import Path

FOLDERS = ("fcgi-apps", "tests/unit", "tests/fuzz", "bench", "docker")

# A statement or declaration inside a function, as one line; the rule's sentence is what is printed.
STATEMENTS = (
    (r"\bCLEANUP\(\w+\)\s*[;,]", "initialise a CLEANUP variable where it is declared"),
)
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)


def blank(match):
    """As many lines, and for a string the quotes."""
    found = match[0]
    return "\n" * found.count("\n") if found.startswith("/") else found[0] * 2


def functions(lines):
    """The bodies of functions: first line number (from 1) and lines."""
    first = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            first = number
        elif line == "}" and first:
            yield first + 1, lines[first : number - 1]
            first = None


def check(path):
    text = STRING_OR_COMMENT.sub(blank, path.read_text(encoding="utf-8"))
    lines = text.split("\n")
    for first, body in functions(lines):
        for at, line in enumerate(body):
            for pattern, rule in STATEMENTS:
                if re.search(pattern, line):
                    yield first + at, rule


def main(arguments):
    files = [Path(name) for name in arguments] or sorted(
        path
        for folder in FOLDERS
        for path in Path(folder).rglob("*.[ch]")
        if "node_modules" not in path.parts
    )
    found = [f"{path}:{line}: {rule}" for path in files for line, rule in check(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
