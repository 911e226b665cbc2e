"""From an older commit to this one under load, service by service, in every order. With AUTH=jwt it is turned on
after that, and off again, in the steps of docs/SECURITY.md.

Replicas are replaced one by one and no client notices. On SQLite the one worker of a service is away
for a moment, and clients who send the same again lose nothing. What the older commit made is there.

UPGRADE_FROM names the older commit. `make test-all` runs this; it needs the history and builds the
older commit in build/upgrade/.
"""

import itertools
import os
import shutil
import subprocess
import time

import people
import pytest
import testbed
from bed import MINUTES
from journal import Journal
from load import Known, Load, Mixed
from rollout import everybody_sees_their_own, nobody_was_refused, turn_off, turn_on

# The last one without AUTH.
UPGRADE_FROM = os.environ.get("UPGRADE_FROM", "da95c95")

pytestmark = pytest.mark.skipif(MINUTES < 5, reason="builds an older commit: only with PROOF_MINUTES=5")


def make(directory):
    """Not as a part of the make that runs the tests."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-C", directory, f"-j{os.cpu_count()}", f"VARIANT={testbed.VARIANT}", "programs"]
    subprocess.run(command, check=True, env=settings, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def older():
    """The folder of the older commit, built as this one is."""
    git = ["git", "-C", testbed.ROOT]
    known = subprocess.run([*git, "cat-file", "-e", f"{UPGRADE_FROM}^{{commit}}"], capture_output=True)
    if known.returncode != 0:
        pytest.skip(f"the history does not have {UPGRADE_FROM}")
    directory = testbed.ROOT / "build" / "upgrade" / UPGRADE_FROM
    directory.mkdir(parents=True, exist_ok=True)
    files = subprocess.run([*git, "archive", UPGRADE_FROM], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", directory], input=files, check=True)
    # The pages of /docs are not what this is about, and take a while to fetch.
    pages = directory / "build" / "docs-ui"
    if not pages.exists():
        shutil.copytree(testbed.ROOT / "build" / "docs-ui", pages, symlinks=True)
    make(directory)
    return directory


def upgrade(bed, name):
    for service in bed.services.values():
        if service.name == name:
            service.nginx.root = testbed.ROOT
    bed.replace(name)


def answered_again(load, calls):
    """What was told before the upgrade, by the same keys; the journal compares the outcomes."""
    customer = load.customers[0]
    for call in calls:
        answer = customer.insist(call)
        assert answer and answer.header("Idempotent-Replayed") == "true", (call, answer)


@pytest.mark.parametrize("order", itertools.permutations(testbed.SERVICES), ids="-".join)
def test_upgrade(make_bed, older, order):
    journal = Journal()
    siblings = [name for name in order if name != "order"]
    with make_bed(root=older, asks=False) as bed:
        with Load(bed.gateway.port, journal, kind=Mixed if people.AUTH == "off" else Known) as load:
            load.wait_for_enough()
            before = [call for call in list(journal.calls) if call.key and call.acknowledged]
            for name in order:
                time.sleep(0.5)
                upgrade(bed, name)
            time.sleep(0.5)
            if people.AUTH == "jwt":
                turn_on(bed, siblings)
        if people.AUTH == "jwt":
            everybody_sees_their_own(bed, load)
            turn_off(bed, siblings)
        answered_again(load, before)
        assert load.errors == []
        nobody_was_refused(journal)
        bed.check(journal)
