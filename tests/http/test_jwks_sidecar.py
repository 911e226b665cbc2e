"""The provider's keys by way of the sidecar, which has TLS: verified, kept, and given while it is away."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import json
import pytest
import tokens
from testbed import free_ports, wait_until

pytestmark = pytest.mark.storeless
NAME = "127.0.0.1"


def make_certificate(folder):
    """Of a provider by this address; it is its own authority."""
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={NAME}"
    command += f" -addext subjectAltName=DNS:{NAME} -keyout {folder}/key.pem -out {folder}/ca.pem"
    subprocess.run(command.split(), check=True, capture_output=True)


class Server:
    """What a provider publishes; port says where, so that it can come back."""

    def __init__(self, folder, port, keys):
        self.keys, self.asked = keys, 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                server.seen = dict(self.headers)
                body = json.dumps(server.keys).encode()
                self.send_response(200 if self.path == "/keys" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
        self.http = ThreadingHTTPServer((NAME, port), Handler)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("provider")
    make_certificate(folder)
    return folder


def start(make_platform, folder, port, provider, ca):
    """A cart service whose worker asks its own sidecar for keys."""
    settings = tokens.settings(provider, folder)
    nginx = {"JWKS_URL": f"https://{NAME}:{port}/keys", "JWKS_CA": ca}
    bed = make_platform(services=("cart",), gateway=False, nginx=nginx, worker=settings)
    return bed, {"AUTH_JWKS": f"http://127.0.0.1:{bed.cart.health_port}/jwks"}


def test_keys_come_through_the_sidecar(make_platform, folder):
    (port,) = free_ports(1)
    provider = tokens.Provider()
    server = Server(folder, port, provider.jwks())
    try:
        bed, settings = start(make_platform, folder, port, provider, folder / "ca.pem")
        bed.cart.restart_worker(**settings)

        def status():
            return bed.cart.public.get("/carts", headers=provider.headers("ada")).status

        wait_until(lambda: status() == 200, 20, "the keys have come")
        assert "Authorization" not in server.seen and "Cookie" not in server.seen
        # Many ask, few fetch: what was given last is kept, whatever the provider says of caches.
        asked = server.asked
        for _ in range(50):
            assert bed.cart.health.get("/jwks").json() == provider.jwks()
        assert server.asked - asked <= 1
    finally:
        server.close()
    # Away, for another worker, too.
    bed.cart.restart_worker(**settings)
    wait_until(lambda: status() == 200, 20, "a worker that starts meanwhile has them")
    assert bed.cart.public.get("/jwks").status == 404


def test_a_provider_with_another_certificate_is_not_believed(make_platform, folder, tmp_path):
    (port,) = free_ports(1)
    provider = tokens.Provider()
    make_certificate(tmp_path)
    server = Server(folder, port, provider.jwks())
    try:
        bed, settings = start(make_platform, folder, port, provider, tmp_path / "ca.pem")
        answer = bed.cart.health.get("/jwks")
        assert answer.status in (502, 503) and server.asked == 0
    finally:
        server.close()
