"""A share of a processor for some processes, as the limit of a pod: a control group with a quota
(Linux' cgroup-v1 scheduler/sched-bwc and cgroup-v2 documents)."""

import re
from contextlib import contextmanager, suppress
from pathlib import Path

PERIOD = 100000  # µs; the kubelet's


class Unavailable(Exception):
    """This machine lets nobody, or not us, limit processors."""


class _Hierarchy:
    """The one that has the cpu controller, and which of its groups is ours."""

    def __init__(self):
        self.unified, self.root = self._find()
        pattern = r"^0::/(.*)$" if self.unified else r"^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:/(.*)$"
        ours = re.search(pattern, Path("/proc/self/cgroup").read_text(), re.MULTILINE)
        self.home = self.root / (ours.group(1) if ours else "")
        if not self.home.is_dir():  # it is named as seen from outside of a container
            self.home = self.root

    @staticmethod
    def _find():
        unified = None
        # proc(5): after " - " the type, the source and the options of the superblock.
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            mount, _, kind = line.partition(" - ")
            folder = Path(mount.split()[4])
            if kind.startswith("cgroup ") and "cpu" in kind.split()[2].split(","):
                return False, folder
            if kind.startswith("cgroup2 "):
                unified = folder
        if not unified or "cpu" not in (unified / "cgroup.controllers").read_text().split():
            raise Unavailable("there is no control group that limits processors")
        return True, unified

    def create(self, name, share):
        quota = round(share * PERIOD)
        if self.unified:
            (self.root / "cgroup.subtree_control").write_text("+cpu")
        group = self.root / name
        group.mkdir()
        if self.unified:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(f"{PERIOD}")
            (group / "cpu.cfs_quota_us").write_text(f"{quota}")
        return group


def _move(pids, group):
    for pid in pids:
        with suppress(ProcessLookupError):  # it ended
            (group / "cgroup.procs").write_text(f"{pid}")


@contextmanager
def cpu_limit(share, groups):
    """While it lasts, the processes of each group, by its name, have so much of a processor."""
    made = []
    hierarchy = _Hierarchy()
    try:
        for name, pids in groups.items():
            try:
                made.append(hierarchy.create(name, share))
                _move(pids, made[-1])
            except OSError as error:
                raise Unavailable(f"no quota could be set: {error}") from None
        yield
    finally:
        for group in made:
            _move((group / "cgroup.procs").read_text().split(), hierarchy.home)
            group.rmdir()
