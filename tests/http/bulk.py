"""Imports and exports, as the tests send them."""

import json
import socket

from testbed import SLOWNESS
from world import made

NDJSON_TYPE = "application/x-ndjson"
NDJSON = {"Content-Type": NDJSON_TYPE}
MIB = 1 << 20
PATIENCE = 20 * SLOWNESS


def line_of(sku, **members):
    return json.dumps({"sku": sku, "name": "Lamp", "price": 19.99, **members}).encode() + b"\n"


def lines_in(category):
    """A thousand lines; 300 of them are more than is read at once."""
    more = {"category": category, "description": "long " * 200}
    return [line_of(f"{category}-{number}", **more) for number in range(1000)]


def imported(client, body, headers=None):
    """The result lines; asserts that each is complete."""
    answer = client.post("/products/bulk", body=body, headers={**NDJSON, **(headers or {})})
    assert answer.status == 200, answer
    assert answer.header("Content-Type") == "application/x-ndjson"
    assert answer.body == b"" or answer.body.endswith(b"\n")
    return [json.loads(line) for line in answer.body.splitlines()]


def exported(client):
    answer = client.get("/products/export")
    assert answer.status == 200 and answer.header("Content-Type") == "application/x-ndjson"
    return answer.body


def by_sku(client, sku):
    return made(client.get(f"/products?sku={sku}"), 200)


class Upload:
    """A body sent in pieces, with its length announced or in chunks."""

    def __init__(self, port, length=None, client=None, headers=""):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.chunked = length is None
        size = "Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {length}"
        headers += f"{size}\r\nContent-Type: {NDJSON_TYPE}\r\n"
        begin(self.sock, "POST", "/products/bulk", client, headers)

    def send(self, data):
        self.sock.sendall(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    def hang_up(self):
        self.sock.close()


def begin(sock, method, path, client=None, headers=""):
    """Sends a request's head, from that client address if the sidecar trusts it."""
    client = client or "127.0.0.1"
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\n{headers}\r\n"
    sock.sendall(head.encode())


def begin_export(port, client=None):
    """A client that does not read the answer to its request."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(20)
    sock.connect(("127.0.0.1", port))
    begin(sock, "GET", "/products/export", client)
    return sock


def status_of(sock):
    return int(sock.recv(1000).split()[1])
