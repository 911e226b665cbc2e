"""HTTP for the tests: kept connections, JSON in and out, raw bytes where needed."""

import http.client
import json as jsonlib
import re
import socket
import time

# nginx ends idle connections after 75 s: one that rested this long is replaced before it is used.
IDLE_MAX = 30

# Far more than the list of any test has.
PAGES_MAX = 1000


class Answer:
    """A response, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return jsonlib.loads(self.body)

    def header(self, name):
        """The header's value, None where it is absent; a header sent twice is a failure."""
        values = self.headers.get_all(name) or [None]
        assert len(values) == 1, f"{name} was sent {len(values)} times: {values}"
        return values[0]

    def __repr__(self):
        return f"<{self.status} {self.headers.get('Content-Type')} {self.body[:600]!r}>"


class Client:
    """One kept connection. Not thread-safe: clone() it for each thread."""

    def __init__(self, port, timeout=30):
        self.port = port
        self.timeout = timeout
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.last_used = time.monotonic()

    def clone(self):
        return Client(self.port, self.timeout)

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, method, path, json=None, body=None, headers=None):
        """Sends json (any value) or body (bytes or an iterable of them, then chunked)."""
        headers = dict(headers or {})
        if json is not None:
            body = jsonlib.dumps(json).encode()
            headers.setdefault("Content-Type", "application/json")
        chunked = body is not None and not isinstance(body, bytes)
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        if time.monotonic() - self.last_used > IDLE_MAX:
            self.close()
        try:
            self.connection.request(method, path, body, headers, encode_chunked=chunked)
            response = self.connection.getresponse()
            return Answer(response)
        except BaseException:
            # Half an exchange must not be taken for the next one's answer.
            self.close()
            raise

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def post(self, path, json=None, **options):
        return self.request("POST", path, json=json, **options)

    def put(self, path, json=None, **options):
        return self.request("PUT", path, json=json, **options)

    def patch(self, path, json=None, **options):
        headers = {"Content-Type": "application/merge-patch+json", **options.pop("headers", {})}
        return self.request("PATCH", path, json=json, headers=headers, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def raw(self, data):
        """Sends bytes on a connection of their own and reads one response, even a malformed one."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout) as sock:
            sock.sendall(data)
            response = http.client.HTTPResponse(sock, method=data.split(b" ", 1)[0].decode("latin-1"))
            response.begin()
            return Answer(response)


def is_problem(answer, status, code=None):
    """Asserts an RFC 9457 problem with the members every error has; returns it."""
    assert answer.status == status, answer
    assert answer.header("Content-Type") == "application/problem+json", answer
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] == http.client.responses.get(status, problem["title"]) or status in TITLES
    if status in TITLES:
        assert problem["title"] == TITLES[status]
    assert problem["detail"] and problem["code"]
    assert problem["request_id"] == answer.header("X-Request-ID")
    if code is not None:
        assert problem["code"] == code
    return problem


# Python 3.11 still has the names of RFC 7231 for these.
TITLES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}


def next_path(path, answer):
    """The next page's, resolved against the page's own as RFC 3986 says; None after the last."""
    link = answer.header("Link")
    if link is None:
        return None
    found = re.fullmatch(r'<(\?[!#-;=?-~]*)>; rel="next"', link)
    assert found, link
    return path.split("?")[0] + found.group(1)


def pages(client, path):
    """The answers of a list, page by page."""
    for _ in range(PAGES_MAX):
        answer = client.get(path)
        assert answer.status == 200, answer
        yield answer
        path = next_path(path, answer)
        if not path:
            return
    raise AssertionError(f"more than {PAGES_MAX} pages")


def walk(client, path):
    """The elements on all pages of a list."""
    return [element for answer in pages(client, path) for element in answer.json()]
