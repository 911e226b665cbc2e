"""What the scripts find after processes were killed, or the machine crashed."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from installation import EVENTUALLY, alive, within
from shop import Shop, done
from testbed import SERVICES


def boot():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]


@pytest.fixture
def foreigner():
    """A process that is not ours."""
    process = subprocess.Popen(["sleep", "300"], cwd="/", start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("db", ["sqlite", "postgres"])
def test_up_after_everything_was_killed(installation, db):
    """With the store that it had, and everything that was answered."""
    installation.works("up.sh", DB=db)
    mug = done(installation.gateway.post("/products", {"name": "Mug", "price": 2, "inventory": 5}), 201)
    installation.gateway.close()
    installation.kill_everything()
    assert installation.run("status.sh")[0] == 1
    assert "The platform is up." in installation.works("up.sh")
    installation.works("status.sh")
    assert done(installation.gateway.get(f"/products/{mug['id']}"), 200) == mug
    Shop(installation).buy({mug["id"]: 1})
    assert installation.faults(db) == []


@pytest.mark.parametrize("script", ["up.sh", "down.sh"])
def test_nginx_without_its_master(installation, script):
    """Its workers keep listening: they are ours, not another program on our ports."""
    installation.works("up.sh")
    workers = set(installation.processes())
    for name in (*SERVICES, "gateway"):
        pid = installation.pid(f"{name}-nginx")
        os.kill(pid, signal.SIGKILL)
        workers.discard(pid)
    assert within(EVENTUALLY, lambda: set(installation.processes()) == workers)
    installation.works(script)
    if script == "up.sh":
        installation.works("status.sh")
    else:
        installation.is_clean()


def test_pid_files_of_before(installation, foreigner):
    """If another process has a recorded pid by now, it is neither taken for ours nor signalled."""
    installation.works("up.sh")
    names = [path.stem for path in installation.state.glob("run/*.pid")]
    assert len(names) == 7
    installation.works("down.sh")
    pid, start = foreigner.pid, start_time(foreigner.pid)
    contents = [
        "",
        "../1 x y\n",
        f"{pid} {start}\n",
        f"{pid} {int(start) + 1} {boot()}\n",
        f"{2**22} 0 {boot()}\n",
        f"{pid} {start} 00000000-0000-4000-8000-000000000000\n",
    ]
    for content in contents:
        for up in ("", "up.sh"):
            for name in (*names, "postgres", "prometheus"):
                installation.pid_file(name).write_text(content)
            assert installation.run("status.sh")[1].count("down") >= 7
            if up and content in contents[-2:]:
                assert "The platform is up." in installation.works(up)
                assert "Stopped." in installation.works("down.sh")
            else:
                assert installation.works("down.sh") == "Nothing runs.\n"
            assert alive(pid)
            installation.is_clean()


def test_lock_files_of_a_killed_server(installation, foreigner):
    """PostgreSQL's own lock file, with a pid that another process of the same user has by now."""
    installation.works("up.sh", DB="postgres")
    owner = (installation.state / "postgres").stat()
    installation.kill_everything()
    sleeper = subprocess.Popen(
        ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "sleep", "300"]
        if os.getuid() == 0 else ["sleep", "300"], cwd="/",
    )  # fmt: skip
    try:
        for lock in ("data/postmaster.pid", ".s.PGSQL.5432.lock"):
            path = installation.state / "postgres" / lock
            _, *lines = path.read_text().splitlines()
            path.write_text("\n".join([str(sleeper.pid), *lines]) + "\n")
        installation.works("up.sh")
        installation.works("status.sh")
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_server_that_lost_its_pid_file_is_left_alone(installation):
    """No script starts a second server on its data."""
    installation.works("up.sh", DB="postgres")
    server = installation.pid("postgres")
    note = installation.pid_file("postgres").read_text()
    installation.pid_file("postgres").unlink()
    status, printed = installation.run("up.sh")
    assert status == 1 and "still works on var/postgres/data" in printed, printed
    assert alive(server)
    installation.pid_file("postgres").write_text(note)
    installation.works("status.sh")
