"""The network between two services, as bad as one likes.

A Proxy stands before a service's internal port and treats each exchange as its behaviour says:
a function that gets an Exchange and forwards, answers or drops it. The behaviours here are named
after what the caller sees; `only` limits one to some requests.
"""

import http.client
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Beyond the time that anybody waits for a sibling.
TOO_LATE = 6


class Exchange:
    def __init__(self, proxy, handler):
        self.proxy = proxy
        self.handler = handler
        self.method = handler.command
        self.path = handler.path
        length = int(handler.headers.get("Content-Length", 0))
        self.body = handler.rfile.read(length)

    def forward(self):
        """Lets the sibling do it: (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.target_port, timeout=30)
        try:
            connection.request(self.method, self.path, self.body, dict(self.handler.headers))
            response = connection.getresponse()
            answer = response.status, response.getheaders(), response.read()
        finally:
            connection.close()
        self.proxy.forwarded.append((self.method, self.path, answer[0]))
        return answer

    def answer(self, status, headers, body):
        self.handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.handler.send_header(name, value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def send(self, data):
        """Any bytes instead of an answer; the connection ends after them."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()
        self.handler.close_connection = True

    def drop(self):
        """The connection is reset."""
        linger = struct.pack("ii", 1, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.handler.close_connection = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one segment an answer

    def relay(self):
        proxy = self.server.proxy
        try:
            proxy.behaviour(Exchange(proxy, self))
            self.wfile.flush()
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # either side has hung up

    do_GET = do_PUT = do_POST = do_DELETE = relay

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Callers that hang up are what this is about."""


class Proxy:
    """Use as a context manager."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.behaviour = honest
        self.forwarded = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.proxy = self
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


# ---- behaviours ------------------------------------------------------------------------------


def honest(exchange):
    exchange.answer(*exchange.forward())


def slow(seconds):
    """Done at once, answered late."""

    def behave(exchange):
        answer = exchange.forward()
        time.sleep(seconds)
        exchange.answer(*answer)

    return behave


def late(seconds):
    """Done late: the caller may be gone."""

    def behave(exchange):
        time.sleep(seconds)
        exchange.answer(*exchange.forward())

    return behave


class Held:
    """Done when it is let go, and not before: the callers are gone by then."""

    def __init__(self):
        self.count = 0
        self.free = threading.Event()

    def __call__(self, exchange):
        self.count += 1
        self.free.wait()
        exchange.answer(*exchange.forward())

    def let_go(self):
        self.free.set()


def cut_before(exchange):
    exchange.drop()


def cut_after(exchange):
    exchange.forward()
    exchange.drop()


def cut_midway(exchange):
    _, _, body = exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)


def silent(exchange):
    """Taken and never done."""
    time.sleep(TOO_LATE)
    exchange.drop()


def twice(exchange):
    exchange.forward()
    exchange.answer(*exchange.forward())


def drip(exchange):
    """An answer that never ends, a byte now and then."""
    exchange.forward()
    exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(TOO_LATE * 5):
        exchange.handler.wfile.write(b" ")
        exchange.handler.wfile.flush()
        time.sleep(0.2)
    exchange.drop()


def says(data):
    """Done, and answered with these bytes."""

    def behave(exchange):
        exchange.forward()
        exchange.send(data)

    return behave


def answers(status, body, content_type="application/json"):
    """Done, and answered with this."""

    def behave(exchange):
        exchange.forward()
        exchange.answer(status, [("Content-Type", content_type)], body)

    return behave


def instead(status, body):
    """Not done, and answered with this."""

    def behave(exchange):
        exchange.answer(status, [("Content-Type", "application/json")], body)

    return behave


def except_for(method, behaviour):
    """Of the requests with other methods."""

    def behave(exchange):
        (honest if exchange.method == method else behaviour)(exchange)

    return behave


def only(method, behaviour):
    """Of the requests with this method; the others fare well."""

    def behave(exchange):
        (behaviour if exchange.method == method else honest)(exchange)

    return behave


GARBAGE = {
    "no-http": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nothing": says(b""),
    "no-json": answers(200, b"{{{{{{"),
    "html": answers(200, b"<html>Welcome to nginx!</html>", "text/html"),
    "wrong-members": answers(200, b'{"items": 7, "user_id": []}'),
    "no-items": answers(200, b'{"items": [], "user_id": "x", "order_id": "x", "state": "held"}'),
    "no-content": answers(204, b""),
    "redirect": says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    "teapot": answers(418, b'{"code": "teapot"}'),
    "error-page": answers(500, b"<html>oops</html>", "text/html"),
    "overloaded": answers(503, b"{}"),
    "endless-header": says(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 400_000),
    "too-long": answers(200, b'{"items": "' + b"x" * (5 << 20) + b'"}'),
    "bad-length": says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"),
}

# Something else answers for the sibling, which never hears of it. Of orders only what they leave
# behind: a 404 instead of the cart would rightly be passed on.
IMPOSTORS = {
    "impostor-200": except_for("PUT", instead(200, b"{}")),
    "impostor-404": except_for("PUT", instead(404, b'{"code": "not-found", "status": 404}')),
    "impostor-405": except_for("PUT", instead(405, b"{}")),
}

CUTS = {
    "cut-before": cut_before,
    "cut-after": cut_after,
    "cut-midway": cut_midway,
    "twice": twice,
}

LATE = {
    "silent": silent,
    "drip": drip,
    "slow": slow(TOO_LATE),
    "late": late(TOO_LATE),
    "late-orders": only("PUT", late(TOO_LATE)),
}
