"""Every operation as a target of bad input, and what must be unchanged afterwards. A plugin."""

import json

import pytest
from client import is_problem
from documents import operations_of, source_operations
from testbed import SERVICES
from world import World

WITH_BODY = source_operations(lambda operation: operation.body)


class Target:
    """An operation, its address, and valid input for it, to be spoilt."""

    def __init__(self, platform, world, operation):
        service = platform.services[operation.service]
        self.operation = operation
        self.client = getattr(service, operation.listener)
        self.port = self.client.port
        self.path = world.path_of(operation)
        self.required = world.query_of(operation)
        self.example = world.body_of(operation) if operation.body else ""
        text = self.example if isinstance(self.example, str) else json.dumps(self.example)
        self.body = text.encode()

    def query(self, text):
        return f"{self.path}{self.required}{'&' if self.required else '?'}{text}"

    def request(self, path=None, body=None, headers=None):
        """Sends valid input, except for what is given."""
        sent = {}
        if self.operation.body:
            sent["Content-Type"] = self.operation.media_type()
            body = self.body if body is None else body
        path = self.path + self.required if path is None else path
        method = self.operation.method
        return self.client.request(method, path, body=body, headers={**sent, **(headers or {})})


@pytest.fixture(scope="module")
def world(platform):
    return World(platform)


@pytest.fixture(scope="module")
def targets(platform, world):
    found = {}
    for name in SERVICES:
        document = platform.services[name].health.get("/openapi.json").json()
        for identifier, operation in operations_of(document, name).items():
            found[name, identifier] = Target(platform, world, operation)
    return found


@pytest.fixture(scope="module")
def nothing_happened(platform, world):
    """Whatever is sent: the workers are the same afterwards, and so are the resources it was sent
    to."""
    paths = {
        "product": f"/products/{world.product['id']}",
        "cart": f"/carts/{world.full_cart['id']}",
        "order": f"/orders/{world.order['id']}",
    }

    def look():
        return [
            (service.worker.pid, service.public.get(paths[name]).json())
            for name, service in platform.services.items()
        ]

    before = look()
    yield
    assert look() == before
    for service in platform.services.values():
        assert service.worker.alive()


def head_of(target):
    """The start of a raw request."""
    line = f"{target.operation.method} {target.path}{target.required} HTTP/1.1\r\nHost: localhost\r\n"
    return line.encode()


def refusal(answer, where, pointers, status=422):
    """None, or how the answer fails to be a problem that names one of the pointers."""
    if answer.status != status:
        return f"{answer.status} {answer.body[:200]!r}"
    errors = is_problem(answer, status)["errors"]
    if not any(error["in"] == where and error["pointer"] in pointers for error in errors):
        return f"names {errors}"
    if not all(error["detail"] for error in errors):
        return f"says nothing: {errors}"
    return None
