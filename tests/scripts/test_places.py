"""Where it runs, and as which user: paths with blanks, other folders, a user other than root."""

import os
import pwd

import pytest

NOBODY = pwd.getpwnam("nobody")


@pytest.mark.parametrize("db", ["sqlite", "postgres"])
def test_a_path_with_blanks(make_installation, db):
    installation = make_installation(name="a b/it's $HOME, (c)")
    installation.shell(f"make up DB={db}")
    assert "Everything went as promised." in installation.shell("make demo")
    assert "not ready" not in installation.shell("make status")
    installation.shell("make down")
    installation.is_clean()
    assert installation.faults(db) == [] if db == "sqlite" else True


@pytest.mark.parametrize("db", ["sqlite", "postgres"])
def test_data_elsewhere(installation, db):
    """STATE_DIR as an absolute path, with a blank."""
    elsewhere = installation.directory / "else where"
    settings = {"STATE_DIR": elsewhere, "DB": db}
    installation.works("up.sh", **settings)
    try:
        assert "Everything went as promised." in installation.works("demo.py", **settings)
        installation.works("status.sh", **settings)
    finally:
        installation.works("down.sh", **settings)
    assert not (installation.state / "data").exists()
    assert installation.processes() == []


def test_a_folder_that_is_moved_while_it_runs(installation):
    """On PostgreSQL: SQLite's files are where they were opened, or nothing is written (docs/OPERATIONS.md)."""
    installation.works("up.sh", DB="postgres")
    before, moved = installation.directory, installation.directory.with_name("moved")
    before.rename(moved)
    installation.directory, installation.state = moved, moved / "var"
    try:
        # Longer than what nginx keeps in memory.
        lines = [b'{"sku":"M%d","name":"Mug","price":1,"description":"%s"}\n' % (i, b"x" * 2000) for i in range(500)]
        answer = installation.gateway.post(
            "/products/bulk", body=b"".join(lines), headers={"Content-Type": "application/x-ndjson"}
        )
        assert answer.status == 200
        assert answer.body.count(b'"status":"created"') == 500
        assert "not ready" not in installation.works("status.sh")
        installation.works("down.sh")
        installation.is_clean()
    finally:
        moved.rename(before)
        installation.directory, installation.state = before, before / "var"


@pytest.mark.skipif(os.getuid() != 0, reason="others run PostgreSQL as themselves")
def test_postgres_under_a_folder_that_only_root_may_enter(make_installation):
    """A clone in root's home: the server runs as another user."""
    installation = make_installation(name="locked/shop")
    installation.directory.parent.chmod(0o700)
    installation.works("up.sh", DB="postgres")
    assert "Everything went as promised." in installation.works("demo.py")
    installation.works("down.sh")
    installation.is_clean()


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else; others are no root anyway")
@pytest.mark.parametrize("db", ["sqlite", "postgres"])
def test_as_somebody_who_is_not_root(make_installation, db):
    installation = make_installation(user=(NOBODY.pw_uid, NOBODY.pw_gid))
    # Debian's for users.
    installation.settings["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    installation.works("up.sh", DB=db)
    assert {os.stat(f"/proc/{pid}").st_uid for pid in installation.processes()} == {NOBODY.pw_uid}
    assert "Everything went as promised." in installation.works("demo.py")
    installation.works("status.sh")
    assert (installation.state / "log" / "gateway-nginx.log").read_text().count("[alert]") == 0
    installation.works("down.sh")
    installation.is_clean()
