"""What other tools make of the documents: clients from three generators buy something through Prism,
which checks each request and answer against the document; ajv and Spectral find no faults in it."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import testbed
from client import Client
from shop import Shop

HERE = Path(__file__).resolve().parent
WORK = testbed.ROOT / "build" / "clients"
PROGRAMS = HERE / "node_modules" / ".bin"
WITHIN = 300 * testbed.SLOWNESS
# For Prism, which wants one where the document does; the platform behind it takes any (AUTH=off).
TOKEN = "any"
PURCHASES = ("openapi-fetch", "hey-api", "orval")
# Otherwise it demands members of a request that have a default.
OPTIONAL = "--default-non-nullable=false"
# What Prism writes about whatever it finds.
FINDING = re.compile(r"violation|warning|error|✖", re.IGNORECASE)


@pytest.fixture(scope="module")
def bed():
    with testbed.Platform() as bed:
        yield bed


@pytest.fixture(scope="module")
def work(bed):
    """A folder with the sources, the documents as the gateway serves them, and the npm packages."""
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "documents").mkdir(parents=True)
    for source in (*HERE.glob("*.ts"), HERE / "tsconfig.json", HERE / "orval.config.cjs"):
        shutil.copy(source, WORK)
    (WORK / "node_modules").symlink_to(HERE / "node_modules")
    for name in testbed.SERVICES:
        document = bed.gateway.get(f"/{name}s/openapi.json").body
        (WORK / "documents" / f"{name}.json").write_bytes(document)
    return WORK


def run(command, cwd, **environment):
    """Returns the output; fails if the command fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "CI": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=WITHIN,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


class Prism:
    """Three validating proxies, one in front of each service's public port."""

    def __init__(self, bed, work):
        self.processes = {}
        ports = testbed.free_ports(len(testbed.SERVICES))
        self.ports = dict(zip(testbed.SERVICES, ports))
        for name, port in self.ports.items():
            log = work / f"prism-{name}.log"
            process = testbed.Process(f"prism-{name}", log, "TERM")
            command = [PROGRAMS / "prism", "proxy", work / "documents" / f"{name}.json"]
            upstream = f"http://127.0.0.1:{bed.services[name].public_port}"
            process.start([*command, upstream, "-p", port, "--errors"], {}, work)
            self.processes[name] = process

    def wait(self):
        for name, process in self.processes.items():
            testbed.wait_until(
                lambda: not process.alive() or "Prism is listening" in process.logged(),
                WITHIN,
                f"{process.name} listens",
            )
            assert process.alive(), process.logged()

    def addresses(self):
        return {
            f"{name.upper()}_ADDRESS": f"http://127.0.0.1:{port}" for name, port in self.ports.items()
        }

    def logged(self):
        """Its lines, of all three."""
        return [line for process in self.processes.values() for line in process.logged().splitlines()]


@pytest.fixture(scope="module")
def prism(bed, work):
    prism = Prism(bed, work)
    try:
        prism.wait()
        yield prism
    finally:
        for process in prism.processes.values():
            process.end(testbed.signal.SIGTERM)


@pytest.fixture(scope="module")
def compiled(work, prism):
    """Generates all clients and compiles all purchases, in strict mode."""
    commands = [[PROGRAMS / "orval", "--config", "orval.config.cjs"]]
    for name in testbed.SERVICES:
        document = f"documents/{name}.json"
        types = f"generated/openapi-typescript/{name}.ts"
        commands.append([PROGRAMS / "openapi-typescript", document, "-o", types, OPTIONAL])
        commands.append([PROGRAMS / "openapi-ts", "-i", document, "-o", f"generated/hey-api/{name}"])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: run(command, work, **prism.addresses()), commands))
    run([PROGRAMS / "tsc", "-p", "."], work)
    return work


@pytest.mark.parametrize("name", PURCHASES)
def test_a_purchase_through_prism(compiled, prism, name):
    before = Counter(prism.logged())
    run(["node", f"js/{name}.js"], compiled, TOKEN=TOKEN, **prism.addresses())

    def lines():
        """It writes them after it has answered."""
        return [*(Counter(prism.logged()) - before).elements()]

    def forwarded():
        return sum("Received forward response" in line for line in lines())

    testbed.wait_until(lambda: forwarded() >= 8, WITHIN, "Prism tells of the purchase")
    assert not [line for line in lines() if FINDING.search(line)]


def test_prism_would_find_what_is_wrong(prism, bed):
    with contextlib.closing(Client(prism.ports["product"])) as client:
        assert client.get("/products?limit=0").status == 422
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert client.post("/products", json={"name": "Lamp"}, headers=headers).status == 422
        assert client.post("/products", json={"name": "Lamp"}).status == 401
    testbed.wait_until(lambda: any(map(FINDING.search, prism.logged())), WITHIN, "Prism tells of it")


def bought(bed):
    shop = Shop(bed)
    return shop.buy({shop.make_product(price=19.99): 3})


def answers(bed, work):
    """What ajv gets to see: (service, operation, file). Prices are what binary fractions cannot hold."""
    lines = [
        json.dumps({"sku": f"PRICE-{cents}", "name": "Price", "price": cents / 100})
        for cents in range(1, 4000, 7)
    ]
    imported = bed.gateway.request(
        "POST",
        "/products/bulk",
        body="\n".join(lines).encode(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert b"error" not in imported.body
    bought(bed)
    for service, operation, path in (
        ("product", "listProducts", "/products?sort=price&limit=200"),
        ("product", "listProducts", "/products?sort=-price&limit=200"),
        ("cart", "listCarts", "/carts?user_id=user-1"),
        ("order", "listOrders", "/orders?limit=200"),
        ("product", "getServiceInfo", None),
        ("product", "getDocument", "/products/openapi.json"),
    ):
        client = bed.services[service].public if path is None else bed.gateway
        body = client.get(path or "/").body
        file = work / f"answer-{len(list(work.glob('answer-*')))}.json"
        file.write_bytes(body)
        yield service, operation, file


def test_ajv_finds_nothing(bed, work):
    seen = list(answers(bed, work))
    assert len(json.loads(seen[0][2].read_text())) == 200
    for name in testbed.SERVICES:
        mine = [part for service, *pair in seen if service == name for part in pair]
        output = run(["node", HERE / "validate.mjs", f"documents/{name}.json", *mine], work)
        assert output == "", output
        internal = work / f"{name}-internal.json"
        internal.write_bytes(bed.services[name].health.get("/openapi.json").body)
        output = run(["node", HERE / "validate.mjs", internal], work)
        assert output == "", output


def test_ajv_would_find_what_is_wrong(work):
    document = json.loads((work / "documents" / "product.json").read_text())
    document["components"]["schemas"]["Price"]["multipleOf"] = 0.01
    (work / "spoilt.json").write_text(json.dumps(document).replace("12.5", "19.99"))
    assert "multiple of" in run(["node", HERE / "validate.mjs", "spoilt.json"], work)


def test_spectral_finds_nothing(work):
    documents = sorted((work / "documents").iterdir())
    output = run([PROGRAMS / "spectral", "lint", "-r", HERE / "spectral.yaml", "-F", "hint", *documents], work)
    assert "No results" in output, output


def readme_commands():
    section = (testbed.ROOT / "README.md").read_text().split("## Typed clients\n")[1].split("\n## ")[0]
    return re.findall(r"(?:^    .+\n)+", section, re.MULTILINE)


def test_the_commands_of_the_readme(bed, work):
    """As written, except for the gateway's port; npx finds the packages here, in the same versions."""
    commands = readme_commands()
    assert len(commands) == 2
    (work / "package.json").write_text("{}")
    for command in commands:
        here = command.replace("127.0.0.1:8080", f"127.0.0.1:{bed.gateway.port}")
        run(["sh", "-c", here], work, npm_config_offline="true")
    assert "createOrder" in (work / "orders.ts").read_text()
    order = bought(bed)
    (work / "order.json").write_text(json.dumps(order))
    program = """if True:
        import json, orders
        answer = json.load(open("order.json"))
        order = orders.order_from_dict(answer)
        assert order.status.value == answer["status"] and order.total_amount == answer["total_amount"]
        assert order.created_at.isoformat()[:19] == answer["created_at"][:19]
        asked = orders.CreateOrder(user_id="ada", cart_id=order.cart_id)
        print(json.dumps(orders.create_order_to_dict(asked)))
    """
    made = json.loads(run(["/usr/bin/python3", "-c", program], work))
    assert made == {"user_id": "ada", "cart_id": order["cart_id"]}
