"""What make builds again, and what it does not."""

import shutil
import subprocess

import pytest
from testbed import ROOT, environment

OBJECT = "build/release/base/text.o"


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(ROOT / "fcgi-apps/base", tmp_path / "fcgi-apps/base")
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def compiles(clone, *words, **settings):
    done = subprocess.run(
        ["make", OBJECT, *words], cwd=clone, env=environment(settings),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return "CC" in done.stdout


def test_other_flags_compile_again(clone):
    assert compiles(clone)
    assert not compiles(clone)
    assert compiles(clone, CFLAGS="-DNAME='\"x y\"'")
    assert not compiles(clone, CFLAGS="-DNAME='\"x y\"'")
    assert compiles(clone)
    assert compiles(clone, "CI=1")
    assert not compiles(clone, "CI=1")
