"""FastCGI 1.0 as a web server speaks it: a request and its answer on a kept connection."""

import json as jsonlib
import socket
import struct

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
RESPONDER, KEEP_CONN = 1, 1


def record(kind, content=b""):
    return struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content


def length(number):
    return bytes([number]) if number < 128 else struct.pack("!I", number | 1 << 31)


def pair(name, value):
    name, value = name.encode(), str(value).encode()
    return length(len(name)) + length(len(value)) + name + value


def head(method, path, **parameters):
    """The bytes of a request up to its body."""
    path, _, query = path.partition("?")
    parameters = {
        "REQUEST_METHOD": method,
        "DOCUMENT_URI": path,
        "QUERY_STRING": query,
        "LISTENER": "public",
        **parameters,
    }
    data = record(BEGIN_REQUEST, struct.pack("!HB5x", RESPONDER, KEEP_CONN))
    data += record(PARAMS, b"".join(pair(name, value) for name, value in parameters.items()))
    return data + record(PARAMS)


def request(method, path, json=None, **parameters):
    """The bytes of a whole request."""
    body = b"" if json is None else jsonlib.dumps(json).encode()
    kind = "application/json" if body else ""
    data = head(method, path, **{"CONTENT_TYPE": kind, "CONTENT_LENGTH": len(body), **parameters})
    if body:
        data += record(STDIN, body)
    return data + record(STDIN)


class Connection:
    """To a worker's socket."""

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError(f"closed after {len(data)} of {size} bytes")
            data += piece
        return data

    def receive(self):
        """Reads an answer to its end: its status and body. EOFError when it is cut short."""
        output = b""
        while True:
            _, kind, _, size, padding = struct.unpack("!BBHHBx", self.read(8))
            content = self.read(size + padding)[:size]
            if kind == END_REQUEST:
                break
            assert kind == STDOUT, (kind, content)
            output += content
        if not output:
            raise EOFError("an end without an answer")
        head, _, body = output.partition(b"\r\n\r\n")
        status = next(line for line in head.split(b"\r\n") if line.startswith(b"Status: "))
        return int(status[8:11]), body
