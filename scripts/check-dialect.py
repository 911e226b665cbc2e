#!/usr/bin/python3
"""Checks the rules of CONTRIBUTING's section on style that a program can check.

    scripts/check-dialect.py [FILE...]

Without files: all C of the repository. Prints FILE:LINE: RULE; exit status 1 where one is broken.
The rules read text as clang-format leaves it, without comments and strings.
"""

import re
import sys
from pathlib import Path

FOLDERS = ("fcgi-apps", "tests/unit", "tests/fuzz", "bench", "docker")
ERRORS = Path("fcgi-apps/base/base.h")

# What no line may contain, and what to do instead. The first applies to declarations, too.
PARAMETER = (r"\bret_(?:error|fault|message|reason)\b", "call what is written on failure reterr_x")
STATEMENTS = (
    (r"\bCLEANUP\(\w+\)\s*[;,]", "initialise a CLEANUP variable where it is declared"),
    (r"\bint (?:error|err|rc|ret|res|result)\b(?= ?[=;,])", "name the result variable r"),
    (r"!(?:str|mem)n?(?:case)?cmp\(", "compare strings with == 0"),
)
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)
UNSET = re.compile(r"^(\t+)(?!return\b)(?:const )?(?:(?:struct|enum|unsigned) )?\w+ (\**\w+(?:, \**\w+)*);$")
LOCAL_STRUCT = re.compile(r"^\t+struct \w+ (\w+)\b")


def blank(match):
    """The same number of lines; for a string, its quotes."""
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


def set_later(body):
    """Variables declared without a value and set by the next line that names them, in the same
    block."""
    for at, line in enumerate(body):
        declared = UNSET.match(line)
        if not declared:
            continue
        indent, names = declared.groups()
        for name in re.findall(r"\w+", names):
            uses = (other for other in body[at + 1 :] if re.search(rf"\b{name}\b", other))
            if re.match(rf"{indent}{name} = (?!.*\b{name}\b)", next(uses, "")):
                yield at, f"declare {name} where it is first used"


def limited_later(body):
    """Texts, or structs that hold one, that get their limit after their declaration."""
    for at, line in enumerate(body):
        declared = LOCAL_STRUCT.match(line)
        if not declared:
            continue
        name = declared[1]
        use = next((other for other in body[at + 1 :] if re.search(rf"\b{name}\b", other)), "")
        if re.match(rf"\t+text_init\(&{name}\b", use):
            yield at, f"declare {name} with TEXT_INIT"


def check(path, known_errors):
    text = STRING_OR_COMMENT.sub(blank, path.read_text(encoding="utf-8"))
    lines = text.split("\n")
    for first, body in functions(lines):
        for at, line in enumerate(body):
            for pattern, rule in STATEMENTS:
                if re.search(pattern, line):
                    yield first + at, rule
        for at, rule in (*set_later(body), *limited_later(body)):
            yield first + at, rule
    for number, line in enumerate(lines, 1):
        if re.search(PARAMETER[0], line):
            yield number, PARAMETER[1]
        for error in re.findall(r"(?<!\w)-(E[A-Z0-9]{2,})\b", line):
            if error not in known_errors:
                yield number, f"explain -{error} in {ERRORS}"


def main(arguments):
    files = [Path(name) for name in arguments] or sorted(
        path
        for folder in FOLDERS
        for path in Path(folder).rglob("*.[ch]")
        if "node_modules" not in path.parts
    )
    known = set(re.findall(r"^ \*   -(E[A-Z0-9]+) ", ERRORS.read_text(encoding="utf-8"), re.M))
    found = [f"{path}:{line}: {rule}" for path in files for line, rule in check(path, known)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
