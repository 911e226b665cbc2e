"""The documented move from SQLite to PostgreSQL, for a shop with data."""

import os
import signal

import pytest
from documents import commands
from installation import EVENTUALLY, within
from shop import Shop, done
from testbed import SERVICES
from trading import Trade, changed, without

HEADING = "## Moving from SQLite to PostgreSQL"
MOVE = "move-to-postgres.sh"


def test_move(installation):
    """Everything that clients saw is there, unfinished work gets done, and the shop continues."""
    move, _ = commands("docs/OPERATIONS.md", HEADING)
    installation.works("up.sh")
    trade = Trade(installation)
    assert installation.faults("sqlite") == []
    before = trade.seen()
    of_late_order = trade.cancel_without_product()
    trade.close()
    installation.works("down.sh")
    files = installation.files()
    printed = installation.shell(move)
    assert all(f"{name}: 0 violations\n" in printed for name in SERVICES)
    assert "Loaded a demo catalogue" not in printed
    assert installation.files() == files

    assert within(EVENTUALLY, lambda: trade.stock_of_late_product() == (50, 0))
    assert done(trade.read("order", f"/orders/{trade.late_order}"), 200) == of_late_order
    after = trade.seen()
    late = (trade.late_product, trade.late_order)
    product, order = f"/products/{late[0]}", f"/orders/{late[1]}"
    own = {product, f"{product}/stock/movements", order}
    assert own < changed(before, after)
    for path in changed(before, after) - own:
        assert any(one.encode() in before[path][2] for one in late), path
        assert before[path][:2] == after[path][:2]
        assert without(before[path][2], late) == without(after[path][2], late)
    trade.sent_again_is_answered_alike()
    assert installation.faults("postgres") == []
    Shop(installation).buy({trade.products[1]: 1})
    assert "Everything went as promised." in installation.works("demo.py")
    assert installation.faults("postgres") == []
    for name in SERVICES:
        url = f"postgresql:///{name}?host={installation.state}/postgres&user=postgres"
        checked = installation.shell(f"build/release/{name}-service --check", DATABASE_URL=url)
        assert checked == f"{name}: 0 violations\n"


def test_what_is_refused(installation):
    """With a reason; neither side is changed."""
    installation.refuses(MOVE, "there is no var/data/product.db to move")
    installation.works("up.sh")
    installation.refuses(MOVE, 'it is up: "make down" first')
    made = Shop(installation).make_product(name="Before")
    installation.works("down.sh")
    installation.works(MOVE)
    files = installation.files()
    there = "there is a cluster with data already: to move once more, take var/postgres/data away first"
    installation.refuses(MOVE, there)
    installation.works("up.sh", DB="postgres")
    new = Shop(installation).make_product(name="After")
    installation.works("down.sh")
    installation.refuses(MOVE, there)
    assert installation.files() == files
    installation.is_clean()
    installation.works("up.sh", DB="postgres")
    for product in (made, new):
        done(installation.gateway.get(f"/products/{product}"), 200)
    installation.gateway.close()
    installation.works("down.sh")
    # As the message says.
    installation.shell("mv var/postgres/data backup-of-cluster")
    installation.works(MOVE)
    installation.works("up.sh", DB="postgres")
    done(installation.gateway.get(f"/products/{made}"), 200)
    assert installation.gateway.get(f"/products/{new}").status == 404


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, "failure", "no start"])
def test_a_move_that_does_not_end(installation, end):
    """It leaves nothing that matters, wherever it was interrupted, and can be repeated."""
    installation.works("up.sh")
    made = Shop(installation).make_product(name="Before")
    installation.works("down.sh")
    files = installation.files()
    program = hang(installation)
    if end == "failure":
        program.write_text(program.read_text().replace("exec cat", "exit 2 #"))
    if end == "no start":
        status, printed = installation.run(MOVE, DB_POOL_SIZE=1_000_000)
        assert status == 1 and "PostgreSQL ended or is not ready" in printed, printed
    elif end == "failure":
        status, printed = installation.run(MOVE)
        assert status == 1 and "nothing was moved, for order's data could not be copied" in printed
    else:
        move = installation.start(f"scripts/{MOVE}")
        assert within(EVENTUALLY, lambda: copying(installation))
        # As a terminal does that is closed, or a kernel that is short of memory.
        os.killpg(move.pid, end)
        status, printed = installation.finish(move)
        assert status == (-signal.SIGKILL if end == signal.SIGKILL else 130), printed
    installation.await_nothing(EVENTUALLY)
    assert not (installation.state / "postgres" / "data").exists()
    if end != signal.SIGKILL:
        assert not list((installation.state / "postgres").iterdir())
        installation.is_clean()
    assert installation.files() == files

    if end == "no start":
        program.with_name("good").rename(program)
    installation.works(MOVE)
    assert [path.name for path in (installation.state / "postgres").iterdir()] == ["data"]
    assert installation.files() == files
    installation.works("up.sh", DB="postgres")
    done(installation.gateway.get(f"/products/{made}"), 200)
    assert installation.faults("postgres") == []


def test_a_move_whose_script_alone_is_killed(installation):
    """Its processes end by themselves and leave nothing that matters; the next run waits for them."""
    installation.works("up.sh")
    installation.works("down.sh")
    program = hang(installation)
    move = installation.start(f"scripts/{MOVE}")
    assert within(EVENTUALLY, lambda: copying(installation))
    move.kill()
    move.wait()
    again = installation.start(f"scripts/{MOVE}")
    assert "is at work: waiting for it" in again.stdout.readline()
    waiting_room(program).write_text("")
    installation.good(installation.finish(again))
    move.stdout.close()
    assert program.exists() and installation.processes() == []
    assert [path.name for path in (installation.state / "postgres").iterdir()] == ["data"]


def hang(installation):
    """The first copy of orders takes until somebody writes into the waiting room; returns where the
    program is meanwhile."""
    program = installation.directory / "build" / "release" / "order-service"
    good = program.with_name("good")
    program.rename(good)
    os.mkfifo(waiting_room(program))
    hang = f'exec cat "{waiting_room(program)}"'
    program.write_text(f'#!/bin/sh\nmv "$0" "$0.slow"\nmv "{good}" "$0"\n{hang}\n')
    program.chmod(0o755)
    return program


def waiting_room(program):
    return program.with_name("waiting-room")


def copying(installation):
    """Whether the copy that hangs was begun."""
    for pid in installation.processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as command:
                if command.read().startswith(b"cat\0"):
                    return True
        except OSError:
            continue
    return False


def test_a_server_of_your_own(installation):
    """One service's database, as the document says."""
    _, own = commands("docs/OPERATIONS.md", HEADING)
    installation.works("up.sh")
    installation.works("down.sh")
    script = f'PRODUCT_DATABASE_URL="$TEST_DATABASE_URL"\n{own}'
    printed = installation.shell(f"scripts/with-postgres.sh bash -ec {quote(script)}")
    assert "rows copied" in printed and "product: 0 violations\n" in printed


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"
