"""scripts/check-dialect.py finds each fault that it is meant to find, and none in correct code."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FAULTS = {
    "CLEANUP without a value": (
        "	struct text text CLEANUP(text_release);",
        "initialise a CLEANUP variable where it is declared",
    ),
    "two CLEANUP on a line": (
        "	char *a CLEANUP(free_p), *b CLEANUP(free_p) = NULL;",
        "initialise a CLEANUP variable where it is declared",
    ),
    "a result called otherwise": ("	int rc = run();", "name the result variable r"),
    "a result declared only": ("	int error, other;", "name the result variable r"),
    "a string compared with !": (
        '	if (*a && !strcmp(a, "b"))',
        "compare strings with == 0",
    ),
    "declared before it is used": (
        "	int r;\n	prepare();\n	r = run();",
        "declare r where it is first used",
    ),
    "a pointer declared before it is used": (
        '	const char *at, *end;\n	if (scan(&end))\n		return 1;\n	at = end + 1;',
        "declare at where it is first used",
    ),
    "a text without its limit": (
        "	struct text path CLEANUP(text_release) = {0};\n	run();\n	text_init(&path, 64);",
        "declare path with TEXT_INIT",
    ),
    "a member without its limit": (
        "	struct answer answer = {0};\n	text_init(&answer.body, 64);",
        "declare answer with TEXT_INIT",
    ),
    "an error without a meaning": (
        "	return -EXDEV;",
        "explain -EXDEV in fcgi-apps/base/base.h",
    ),
    "what is written on failure": (
        "	snprintf(ret_error, size, \"no\");",
        "call what is written on failure reterr_x",
    ),
}

RIGHT = """\
/* A comment may say: int error = !strcmp(a, b); -EXDEV */
struct kept {
	int error;
};

static int f(const char *name)
{
	char *copy CLEANUP(free_p) = strdup(name);
	struct text text CLEANUP(text_release) = TEXT_INIT(64);
	const char *said = "int rc = -EXDEV; !strcmp()";
	text_release(&text);
	text_init(&text, 32);
	int status = 200;
	int found;
	if (strcmp(name, said) == 0)
		found = 1;
	else
		found = 2;
	int r = run(status, found);
	return r < 0 ? -EINVAL : r;
}
"""


def check(tmp_path, code):
    path = tmp_path / "planted.c"
    path.write_text(code)
    done = subprocess.run(
        [sys.executable, "scripts/check-dialect.py", path], cwd=ROOT, capture_output=True, text=True
    )
    return done.returncode, done.stdout.replace(str(path), "planted.c"), done.stderr


@pytest.mark.parametrize(("lines", "rule"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(tmp_path, lines, rule):
    code = f"static int f(void)\n{{\n{lines}\n	return 0;\n}}\n"
    assert check(tmp_path, code) == (1, f"planted.c:3: {rule}\n", "")


def test_what_is_right_passes(tmp_path):
    assert check(tmp_path, RIGHT) == (0, "", "")


def test_the_repository_passes():
    done = subprocess.run(["scripts/check-dialect.py"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
