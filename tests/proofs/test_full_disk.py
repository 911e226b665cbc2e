"""SQLite's volume is full under load: writes are refused clearly, reads continue, nothing acknowledged
is lost, and once there is room again everything works without a restart."""

import os
import subprocess
import time

import pytest
import stores
from bed import EVENTUALLY, Bed, seconds
from client import Client, is_problem
from journal import Customer, Journal
from load import Load
from people import staff
from testbed import wait_until

# Room for three write-ahead logs at their longest, so that it is the ballast that fills it.
VOLUME_MIB = 256


class Volume:
    """A small file system of its own, with ballast in it."""

    def __init__(self, path):
        self.path = path
        self.ballast = path / "ballast"

    def fill(self):
        """To the last byte."""
        with self.ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    continue

    def empty(self):
        self.ballast.unlink()


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small volume")
    path = tmp_path_factory.mktemp("volume")
    options = f"size={VOLUME_MIB}m"
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "proofs", path], capture_output=True, text=True
    )
    if mount.returncode != 0:
        pytest.skip(f"a small volume cannot be mounted here: {mount.stderr.strip()}")
    yield Volume(path)
    subprocess.run(["umount", path], check=True)


class SmallBed(Bed):
    """With its databases on the volume."""

    def __init__(self, volume, **options):
        super().__init__(**options)
        self.volume = volume

    def store(self, name):
        return stores.SqliteStore(self.volume.path / f"{name}.db")

    def worker_settings(self, name):
        return {**super().worker_settings(name), "DATABASE_URL": self.store(name).url}


def hold_full(bed, volume):
    """Keeps the volume full until clients were refused often, which begins when the log needs more
    room."""
    crate = {"name": "Crate", "price": 1, "inventory": 1, "description": "x" * 4000}
    refused = 0
    end = time.monotonic() + 2 * EVENTUALLY
    with Client(bed.product.public_port) as client:
        while refused < seconds(60):
            assert time.monotonic() < end, "it never was full"
            volume.fill()
            assert client.get("/products?limit=5").status == 200
            assert client.get("/products?q=sku").status == 200
            answer = client.post("/products", crate, headers=staff("products:write stock:write"))
            if answer.status != 201:
                is_problem(answer, 503, "storage-full")
                assert int(answer.header("Retry-After")) >= 1
                refused += 1
            time.sleep(0.02)


def test_full_disk(volume):
    journal = Journal()
    with SmallBed(volume) as bed:
        pids = [service.worker.pid for service in bed.services.values()]
        with Load(bed.gateway.port, journal) as load:
            for _ in range(2):
                time.sleep(1.5)
                hold_full(bed, volume)
                volume.empty()
                # Each service takes work again, by itself.
                customer = Customer(bed.gateway.port, journal)
                product = customer.make_product(inventory=5)
                assert product is not None and product.status == 201
                wait_until(
                    lambda: (cart := customer.fill_cart({product.json()["id"]: 1}))
                    and (order := customer.order(cart))
                    and order.status == 201,
                    EVENTUALLY,
                    "an order is placed again",
                )
        print(journal.statuses, journal.slowest)
        assert load.errors == []
        assert journal.statuses[503] > 10
        assert not set(journal.statuses) - {200, 201, 409, 503}, journal.statuses
        assert [service.worker.pid for service in bed.services.values()] == pids
        bed.check(journal, within=20)
