"""make up, status, demo and down: what they promise, also twice and at the same time, and what they
refuse."""

import json
import re
import shutil
import signal
import socket
import threading
import uuid
from http.client import HTTPException
from urllib.request import urlopen

import pytest
from installation import EVENTUALLY, within
from shop import Shop, done
from testbed import ROOT, SERVICES, free_ports

DOWN = "Nothing runs.\n"


def test_up_status_demo_down(installation):
    up = installation.works("up.sh")
    assert up.startswith("AUTH=off: everybody on this machine may do everything.")
    assert "Loaded a demo catalogue of 200 products\nThe platform is up.\n" in up
    status = installation.works("status.sh")
    assert status.count("ready") == 4 and "not ready" not in status and "down" not in status
    assert "Everything went as promised." in installation.works("demo.py")
    assert installation.faults("sqlite") == []
    assert installation.works("down.sh") == "Stopped. The data stays in var/data.\n"
    assert installation.works("down.sh") == DOWN
    assert installation.run("status.sh")[0] == 1
    installation.is_clean()


def test_it_asks_for_tokens(installation):
    """With keys that are made once; the demo shows tokens, and no file is for others to read."""
    up = installation.works("up.sh", AUTH=1)
    assert up.startswith('AUTH=1: "make token')
    assert "Loaded a demo catalogue of 200 products" in up
    assert installation.order.public.get("/orders").status == 401
    printed = installation.works("demo.py")
    assert "Everything went as promised." in printed and "eyJ" not in printed
    assert "A guest, who has no token" in printed
    token = installation.shell("""make token USER="o'neil" """).split()[-1]
    answer = installation.order.public.get("/orders", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.json()) == (200, [])
    installation.refuses("up.sh", "AUTH=1", "make down", AUTH="off")
    installation.works("down.sh")
    keys = installation.state / "issuer"
    before = (keys / "jwks.json").read_text()
    secret = [path for path in keys.rglob("*") if path.is_file() and path.name != "jwks.json"]
    assert len(secret) == 5 and not [path for path in secret if path.stat().st_mode & 0o077]
    installation.works("up.sh", AUTH=1)
    assert (keys / "jwks.json").read_text() == before
    installation.order.public.close()
    assert installation.order.public.get("/orders", headers={"Authorization": f"Bearer {token}"}).status == 200


def test_the_demo_catalogue_fits_every_currency(installation):
    """What is reported as loaded is there; what was refused is named."""
    scripts = installation.directory / "scripts"
    scripts.unlink()
    shutil.copytree(ROOT / "scripts", scripts)
    with (scripts / "catalogue.ndjson").open("a") as lines:
        lines.write('{"sku": "half", "name": "Half a yen", "price": 0.5}\n')
    status, printed = installation.run("up.sh", CURRENCY="JPY")
    assert status == 1 and "error: the demo catalogue was refused in part" in printed
    assert '"line":201' in printed and "Loaded" not in printed
    installation.is_clean()

    shutil.copy(ROOT / "scripts/catalogue.ndjson", scripts)
    installation.works("reset-data.sh")
    up = installation.works("up.sh", CURRENCY="JPY")
    assert "Loaded a demo catalogue of 200 products\n" in up
    answer = installation.gateway.get("/products?count=true&limit=1")
    assert answer.header("X-Total-Count") == "200"


def test_the_addresses_that_up_prints(installation):
    """In aligned columns; each port answers as its column says."""
    block = installation.works("up.sh").split("The platform is up.\n\n")[1]
    head, *rows = block.split("\n\n")[0].splitlines()
    columns = {title: head.index(title) for title in ("API", "interactive", "health")}
    services = {}
    for row in rows:
        addresses = {match.start(): match[0] for match in re.finditer(r"http://\S+", row)}
        assert set(addresses) <= set(columns.values()) and len(row) <= 120
        services[row.split()[0]] = addresses
        # Lists of carts and orders are somebody's.
        query = "?user_id=ada" if "/carts" in row or "/orders" in row else ""
        with urlopen(addresses[columns["API"]] + query) as answer:
            assert isinstance(json.load(answer), (dict, list))
        with urlopen(addresses[columns["interactive"]]) as answer:
            assert answer.headers.get_content_type() == "text/html"
        if columns["health"] in addresses:
            with urlopen(addresses[columns["health"]] + "metrics") as answer:
                assert b"# TYPE" in answer.read()
    assert len(rows) == 6 and {*SERVICES, "gateway"} <= services.keys()
    assert sum(columns["health"] in addresses for addresses in services.values()) == 3


def test_what_to_type_next(installation):
    """Each line works as printed, wherever the gateway listens."""
    block = installation.works("up.sh").split("\nNext:\n")[1]
    assert [line.split()[0] for line in block.splitlines()] == ["make", "curl", "make"]
    for name in ("GATEWAY_PORT", "PRODUCT_PORT"):
        del installation.settings[name]
    curl = block.splitlines()[1].strip()
    assert len(json.loads(installation.shell(curl))) == 3
    assert "Everything went as promised." in installation.shell("make demo")
    assert "not ready" not in installation.shell("make status")
    installation.shell("make down")
    installation.is_clean()


@pytest.mark.parametrize("db", ["sqlite", "postgres"])
def test_up_again(installation, db):
    installation.works("up.sh", DB=db)
    before = installation.notes()
    again = installation.works("up.sh")
    assert "It is up already." in again and "/products/docs" in again
    assert again.startswith("AUTH=off:") and again.count("AUTH=off:") == 1
    assert installation.notes() == before and {*before.values()} <= {*installation.processes()}


def test_up_twice_at_once(installation):
    both = [installation.start("scripts/up.sh") for _ in range(2)]
    printed = [installation.good(installation.finish(process)) for process in both]
    assert sum("The platform is up." in text for text in printed) == 1
    assert sum("It is up already." in text for text in printed) == 1
    installation.works("status.sh")


def test_up_with_other_settings_while_it_is_up(installation):
    installation.works("up.sh")
    (other,) = free_ports(1)
    was = installation.ports["GATEWAY_PORT"]
    installation.refuses("up.sh", f"GATEWAY_PORT={was}", "make down", GATEWAY_PORT=other)
    installation.refuses("up.sh", "DB=sqlite", "make down", DB="postgres")
    installation.refuses("reset-data.sh", "make down")
    installation.works("status.sh", GATEWAY_PORT=other)


def test_reset_data(installation):
    installation.works("up.sh")
    installation.works("down.sh")
    assert {f"{name}.db" for name in SERVICES} <= installation.files().keys()
    installation.works("reset-data.sh")
    assert installation.files() == {}
    assert "Loaded a demo catalogue" in installation.works("up.sh")


@pytest.mark.parametrize("db", ["sqlite", "postgres"])
def test_a_copy_of_the_folder_is_not_up(installation, db):
    """Made while it runs: the copy knows that the processes belong to another folder."""
    installation.works("up.sh", DB=db)
    before = installation.notes()
    copy = installation.directory.with_name("copy")
    installation.shell(f"cp -a . {copy}")
    in_copy = f"cd {copy} && scripts/"
    status, printed = installation.finish(installation.start("bash", "-c", f"{in_copy}status.sh"))
    assert status == 1 and " ready" not in printed.replace("not ready", ""), printed
    assert installation.shell(f"{in_copy}down.sh") == DOWN
    assert installation.notes() == before and {*before.values()} <= {*installation.processes()}
    installation.works("status.sh")
    installation.works("down.sh")


def test_an_interrupted_up_leaves_nothing(installation):
    """However far it has come; here it waits for a worker that never gets ready."""
    program = installation.directory / "build/release/product-service"
    good = program.rename(program.with_name("good"))
    program.write_text(f'#!/bin/sh\n[ $# = 0 ] || exec "{good}" "$@"\nexec sleep 300\n')
    program.chmod(0o755)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        up = installation.start("scripts/up.sh", DB="postgres")
        assert within(EVENTUALLY, installation.pid_file("product-worker").exists)
        up.send_signal(signum)
        status, printed = installation.finish(up)
        assert status == 130, printed
        installation.is_clean()
    good.rename(program)
    installation.works("up.sh", DB="postgres")


def test_a_worker_that_does_not_start(installation):
    status, printed = installation.run("up.sh", CURRENCY="nonsense")
    assert status == 1
    # Any of the three may be the first.
    assert re.search(r"error: the (\w+) worker ended\. The last lines of var/log/\1-worker\.log:\n.*CURRENCY", printed)
    installation.is_clean()


# ---- settings ----


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DB", "mysql", "must be sqlite or postgres"),
        ("REPLICAS", "0", "must be a number from 1 to 9"),
        ("REPLICAS", "x", "must be a number from 1 to 9"),
        ("REPLICAS", "10", "must be a number from 1 to 9"),
        ("REPLICAS", "3", "SQLite is for one worker of a service, DB=postgres for replicas"),
        ("AUTH", "yes", "must be off, 1 or jwt"),
        ("OBSERVE", "yes", "must be 0 or 1"),
        ("PRODUCT_PORT", "abc", "must be a port, a number from 1 to 65535"),
        ("CART_INTERNAL_PORT", "0", "must be a port, a number from 1 to 65535"),
        ("GATEWAY_PORT", "65536", "must be a port, a number from 1 to 65535"),
        ("GATEWAY_PORT", "08080", "must be a port, a number from 1 to 65535"),
        ("GATEWAY_PORT", "a[$(touch oops)]", "must be a port, a number from 1 to 65535"),
    ],
)
def test_bad_settings(installation, name, value, reason):
    installation.refuses("up.sh", f"error: {name}={value}: {reason}", **{name: value})
    installation.is_clean()
    assert not (installation.directory / "oops").exists()
    if name == "GATEWAY_PORT":
        status, printed = installation.run("demo.py", **{name: value})
        assert status == 1 and printed.startswith(f"error: {name}={value}: must be a port")


def test_a_bad_setting_of_nginx(installation):
    """All sidecars refuse the setting; it is reported once."""
    installation.refuses("up.sh", 'RATE_LIMIT_RPS="fast": must be a whole number', RATE_LIMIT_RPS="fast")
    installation.is_clean()


def test_a_port_chosen_twice(installation):
    port = installation.ports["CART_PORT"]
    installation.refuses(
        "up.sh", f"port {port} is chosen twice", "CART_PORT", "GATEWAY_PORT", GATEWAY_PORT=port
    )
    installation.is_clean()


def listen(port):
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    taken.listen()
    return taken


@pytest.mark.parametrize("name", ["GATEWAY_PORT", "CART_PORT", "ORDER_INTERNAL_PORT"])
def test_a_port_that_is_taken(installation, name):
    """The message names the port and the setting; another port then works, also for the commands after
    up."""
    with listen(installation.ports[name]):
        port = f"port {installation.ports[name]} "
        installation.refuses("up.sh", port, f"{name}=")
        installation.is_clean()
        (installation.settings[name],) = free_ports(1)
        installation.works("up.sh")
        del installation.settings[name]
        installation.works("status.sh")
        installation.works("demo.py")
        installation.works("down.sh")
    installation.is_clean()


def test_all_taken_ports_are_named_at_once(installation):
    names = ("PRODUCT_PORT", "PRODUCT_INTERNAL_PORT")
    with listen(installation.ports[names[0]] + 10), listen(installation.ports[names[1]]):
        status, printed = installation.run("up.sh", DB="postgres", REPLICAS=2)
    assert status == 1 and len(printed.splitlines()) == 2
    assert "PRODUCT_PORT + 10" in printed and "PRODUCT_INTERNAL_PORT=" in printed
    installation.is_clean()


# ---- stopping under load ----


def upload_lines(first):
    """The body of a bulk upload that gets no further after its first line, but is not silent."""
    paused, go_on = threading.Event(), threading.Event()

    def lines():
        yield json.dumps({"name": "Early", "sku": f"{first}-1", "price": 1, "inventory": 1}).encode()
        yield b"\n"
        paused.set()
        for _ in range(EVENTUALLY):
            if go_on.wait(1):
                break
            yield b" "
        yield json.dumps({"name": "Late", "sku": f"{first}-2", "price": 1, "inventory": 1}).encode()

    return lines(), paused, go_on


def test_down_waits_for_a_request_in_flight(installation):
    installation.works("up.sh")
    body, paused, go_on = upload_lines("flight")
    answers = []
    client = installation.gateway.clone()

    def upload():
        headers = {"Content-Type": "application/x-ndjson"}
        answers.append(client.post("/products/bulk", body=body, headers=headers))

    thread = threading.Thread(target=upload)
    thread.start()
    assert paused.wait(EVENTUALLY)
    down = installation.start("scripts/down.sh")
    port = installation.ports["GATEWAY_PORT"]
    assert within(EVENTUALLY, lambda: socket.socket().connect_ex(("127.0.0.1", port)) != 0)
    assert down.poll() is None
    go_on.set()
    thread.join(EVENTUALLY)
    installation.good(installation.finish(down))
    assert answers[0].status == 200 and answers[0].body.count(b"\n") == 2, answers
    installation.is_clean()
    installation.works("up.sh")
    skus = {line["sku"] for line in map(json.loads, installation.gateway.get("/products/export")
            .body.splitlines())}  # fmt: skip
    assert {"flight-1", "flight-2"} <= skus


def test_down_while_customers_buy(installation):
    """Every answer that was given holds; requests without an answer are repeated and take effect
    once."""
    installation.works("up.sh")
    shop = Shop(installation)
    mug = shop.make_product(inventory=1_000_000)
    orders, faults, bought = {}, [], threading.Semaphore(0)

    def customer():
        client = installation.gateway.clone()
        while True:
            key = str(uuid.uuid4())
            try:
                cart = done(client.post("/carts", {"user_id": "ada"}), 201)["id"]
                item = {"product_id": mug, "quantity": 1}
                done(client.post(f"/carts/{cart}/items", item), 200)
                orders[key] = [cart, None]
                orders[key][1] = client.post(
                    "/orders",
                    {"user_id": "ada", "cart_id": cart},
                    headers={"Idempotency-Key": key},
                )
                bought.release()
            except (OSError, HTTPException):
                return
            except AssertionError as fault:
                faults.append(fault)
                return

    threads = [threading.Thread(target=customer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        assert bought.acquire(timeout=EVENTUALLY)
    installation.works("down.sh")
    for thread in threads:
        thread.join(EVENTUALLY)
    assert not faults
    installation.is_clean()

    installation.works("up.sh")
    shop.close()
    for key, (cart, answer) in orders.items():
        again = shop.post_order(cart, user="ada", key=key)
        assert again.status == 201
        assert answer is None or (answer.status, answer.body) == (again.status, again.body)
    assert installation.faults("sqlite") == []
    assert shop.stock(mug) == (1_000_000 - len(orders), len(orders))
