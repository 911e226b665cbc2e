"""The access log in a container: both nginx of a sidecar write into one pipe, whose reader may be
slow."""

import json
import os
import threading
import time

import pytest
from client import Client

pytestmark = pytest.mark.storeless

# What fits into a pipe in one piece (PIPE_BUF, pipe(7)).
ATOMIC = 4096
CLIENTS = 4
REQUESTS_EACH = 50
# About what nginx takes of a request line, and of all headers.
LONGEST_PATH = 8000
LONGEST_AGENT = 7000
# Alone, or doubled by its escape, or not logged as such.
CHARACTERS = [b"a", b'"', b"\\", "é".encode(), "漢".encode(), "🛒".encode(), b"\xff", b"\x01"]


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    """A FIFO. Open for writing too, so that neither nginx nor a reader waits for the other."""
    path = tmp_path_factory.mktemp("log") / "pipe"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield path, end
    os.close(end)


@pytest.fixture(scope="module")
def bed(make_platform, pipe):
    return make_platform(
        services=("product",),
        gateway=False,
        nginx={"ACCESS_LOG": pipe[0], "TRUSTED_PROXIES": "127.0.0.1", "WORKER_PROCESSES": 2},
    )


def long_request(number):
    """A request as long as nginx accepts, in everything that is logged."""
    agent = CHARACTERS[number % len(CHARACTERS)]
    path = CHARACTERS[number // len(CHARACTERS) % len(CHARACTERS)].replace(b"\x01", b"'")
    traceparent = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"
    return b"\r\n".join(
        [
            b"GET /" + path * (LONGEST_PATH // len(path)) + b" HTTP/1.1",
            b"Host: localhost",
            b"User-Agent: " + agent * (LONGEST_AGENT // len(agent)),
            b"X-Request-ID: " + b"%04d" % number + b"x" * 124,
            b"traceparent: " + traceparent,
            b"X-Forwarded-For: 2001:db8:1111:2222:3333:4444:5555:%04x" % number,
            b"Connection: close\r\n\r\n",
        ]
    )


def read_slowly(end, wanted):
    """Reads this many lines: nothing for a while, so that the pipe fills up, then a little at a
    time."""
    found = b""
    time.sleep(0.5)
    deadline = time.monotonic() + 30
    while found.count(b"\n") < wanted and time.monotonic() < deadline:
        try:
            found += os.read(end, 1500)
        except BlockingIOError:
            time.sleep(0.01)
        time.sleep(0.0005)
    return found.split(b"\n")[:-1]


def test_no_line_is_torn(bed, pipe):
    numbers = iter(range(CLIENTS * REQUESTS_EACH))
    lock = threading.Lock()
    statuses = set()

    def ask(port):
        client = Client(port)
        for _ in range(REQUESTS_EACH):
            with lock:
                number = next(numbers)
            statuses.add(client.raw(long_request(number)).status)

    ports = [bed.product.public_port, bed.product.internal_port] * (CLIENTS // 2)
    threads = [threading.Thread(target=ask, args=(port,)) for port in ports]
    for thread in threads:
        thread.start()
    lines = read_slowly(pipe[1], CLIENTS * REQUESTS_EACH)
    for thread in threads:
        thread.join()
    assert statuses == {404}

    entries = [json.loads(line) for line in lines]
    assert sorted(int(entry["http.request.id"][:4]) for entry in entries) == list(range(len(lines)))
    assert len(lines) == CLIENTS * REQUESTS_EACH
    # With room for longer numbers than those of this test.
    assert max(map(len, lines)) + 1 <= ATOMIC - 100
    assert {len(entry["url.path"]) for entry in entries if entry["url.path"] != "(not ASCII)"} == {1003}
    agents = {len(e["user_agent.original"]) for e in entries if e["user_agent.original"] != "(not ASCII)"}
    assert agents == {503}
