"""The sidecar fetches the provider's keys for the worker, over TLS, and keeps them while it is away."""

import datetime
import ipaddress
import json
import re
import ssl
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tokens
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from testbed import SLOWNESS, wait_until

pytestmark = pytest.mark.storeless

RETRIED_WITHIN = 30 * SLOWNESS
COPIES = "proxy_cache_valid 200 5s;"
COPIES_COUNT_FOR = 2.5  # where a test hurries, and a second that has begun


class Certificates:
    """An authority, and a server's certificate by it."""

    def __init__(self, folder, name="localhost"):
        self.ca_file, self.chain_file = folder / "ca.pem", folder / "chain.pem"
        authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = self.certificate("Authority", authority, "Authority", authority, ca=True)
        leaf = self.certificate("Authority", authority, name, server, ca=False)
        key = server.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.ca_file.write_bytes(root)
        self.chain_file.write_bytes(leaf + key)

    @staticmethod
    def certificate(issuer, signer, subject, key, ca):
        def name(text):
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        now = datetime.datetime.now(datetime.timezone.utc)
        names = [x509.DNSName(subject), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Provider(tokens.Provider):
    """Serves its configuration and its keys."""

    def __init__(self, certificates=None, kid="1"):
        super().__init__(kid)
        self.asked, self.status, self.body = [], 200, None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.server, self.thread = None, None
        self.certificates = certificates
        self.open()
        scheme = "https" if certificates else "http"
        self.issuer = f"{scheme}://localhost:{self.port}/realms/shop"
        self.says = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys?p=a"}

    def open(self, port=0):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        if self.certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificates.chain_file)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # a client that does not trust us
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def answer(self, request):
        self.asked.append(request.path)
        self.seen = dict(request.headers)
        self.may_answer.wait(RETRIED_WITHIN)
        of_path = {
            "/realms/shop/.well-known/openid-configuration": self.says,
            "/realms/shop/keys?p=a": self.jwks(),
            "/realms/shop/keys": self.jwks(),
        }
        body = self.body or json.dumps(of_path[request.path]).encode()
        kind = "application/jwk-set+json" if "/keys" in request.path else "application/json"
        # As the Kubernetes API.
        accepted = kind in request.headers.get("Accept", "")
        request.send_response(self.status if accepted else 406)
        request.send_header("Content-Type", "text/html" if self.body else kind)
        # Of which the sidecar takes no notice.
        request.send_header("Cache-Control", "no-store")
        request.send_header("Set-Cookie", "a=b")
        # Some name all of their own in it.
        request.send_header("Content-Security-Policy", "connect-src " + 400 * " https://cdn.example")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def token(self, *arguments, **claims):
        return super().token(*arguments, **{"iss": self.issuer, **claims})


class Shop:
    """A service that asks a provider for keys; without them it is not ready."""

    def __init__(self, make_platform, folder, provider, nginx=(), probe="/readyz", **worker):
        settings = tokens.settings(provider, folder)
        settings |= {"AUTH_ISSUER": provider.issuer, "AUTH_JWKS": "", **worker}
        if provider.certificates:
            nginx = {"AUTH_CA_FILE": provider.certificates.ca_file, **dict(nginx)}
        self.provider = provider
        self.bed = make_platform(
            services=("cart",), gateway=False, worker=settings, nginx=dict(nginx), probe=probe
        )
        self.cart = self.bed.cart

    def answer(self, of=None):
        return self.cart.public.get("/carts", headers=(of or self.provider).headers("ada"))

    def hurry(self, edit=lambda text: text):
        """The sidecar's copies of keys count for one second."""
        self.cart.nginx.stop()
        self.cart.nginx.run(edit=lambda text: edit(text.replace(COPIES, COPIES.replace("5s", "1s"))))
        self.cart.restart_worker()
        self.await_status(200)

    def await_status(self, status):
        wait_until(lambda: self.answer().status == status, RETRIED_WITHIN, f"{status} is answered")

    def await_log(self, message):
        wait_until(lambda: message in self.cart.worker.logged(), RETRIED_WITHIN, message)

    def age(self):
        figures = self.cart.health.get("/metrics").body.decode().splitlines()
        return int(next(line for line in figures if line.startswith("jwks_age_seconds ")).split()[1])


@pytest.fixture
def provider(tmp_path):
    provider = Provider(Certificates(tmp_path))
    yield provider
    provider.close()


@pytest.fixture
def plain_provider():
    provider = Provider()
    yield provider
    provider.close()


def test_the_issuer_is_enough(make_platform, tmp_path, provider):
    shop = Shop(make_platform, tmp_path, provider)
    shop.await_status(200)
    # Nobody else asked, and nothing twice.
    assert provider.asked == [
        "/realms/shop/.well-known/openid-configuration",
        "/realms/shop/keys?p=a",
    ]
    assert provider.seen == {
        "Host": f"localhost:{provider.port}",
        "Accept": "application/jwk-set+json, application/json",
        "User-Agent": "shop",
    }
    assert shop.answer(tokens.Provider("1")).status == 401


def test_the_address_of_the_keys_is_enough(make_platform, tmp_path, provider):
    shop = Shop(make_platform, tmp_path, provider, AUTH_JWKS=f"{provider.issuer}/keys")
    shop.await_status(200)
    assert provider.asked == ["/realms/shop/keys"]


def test_a_provider_of_this_machine_needs_no_tls(make_platform, tmp_path, plain_provider):
    Shop(make_platform, tmp_path, plain_provider).await_status(200)


def test_before_the_first_keys(make_platform, tmp_path, plain_provider):
    """A request that needs no token is served; others may come again. A cluster sends nobody."""
    plain_provider.status = 500
    shop = Shop(make_platform, tmp_path, plain_provider, probe="/livez")
    wait_until(lambda: plain_provider.asked, RETRIED_WITHIN, "the keys are asked for")
    early = shop.answer()
    assert (early.status, early.json()["code"], early.header("Retry-After")) == (503, "unavailable", "1")
    assert shop.cart.public.post("/carts", json={}).status == 201
    # Longer than the first keys are tried for without a pause.
    time.sleep(3)
    assert shop.cart.health.get("/readyz").status == 503
    plain_provider.status = 200
    wait_until(lambda: shop.cart.health.get("/readyz").status == 200, RETRIED_WITHIN, "it is ready")
    assert shop.answer().status == 200


def test_a_worker_that_is_ready_has_keys(make_platform, tmp_path, plain_provider):
    """No token is refused while replicas are replaced. The sidecar's copies are keys as well."""
    shop = Shop(make_platform, tmp_path, plain_provider)
    assert shop.answer().status == 200
    shop.cart.restart_worker()
    assert shop.answer().status == 200
    plain_provider.close()
    shop.cart.restart_worker()
    assert shop.answer().status == 200


@pytest.mark.parametrize("fault", ["authority", "name"])
def test_a_certificate_that_is_not_the_provider_s(make_platform, tmp_path, fault):
    folders = [tmp_path / "own", tmp_path / "another"]
    for folder in folders:
        folder.mkdir()
    certificates = Certificates(folders[0], "provider.example" if fault == "name" else "localhost")
    if fault == "authority":
        certificates.ca_file = Certificates(folders[1]).ca_file
    provider = Provider(certificates)
    try:
        shop = Shop(make_platform, tmp_path, provider, probe="/livez")
        shop.await_log("cannot fetch the keys of tokens")
        assert shop.answer().status == 503
        assert provider.asked == []
    finally:
        provider.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://another.example"),
        ("jwks_uri", "http://keys.example/keys"),
        ("jwks_uri", "http://unix:/etc/passwd"),
        ("jwks_uri", None),
    ],
)
def test_a_configuration_that_is_not_the_issuer_s(make_platform, tmp_path, plain_provider, name, value):
    plain_provider.says[name] = value
    shop = Shop(make_platform, tmp_path, plain_provider, probe="/livez")
    shop.await_log(name if name == "jwks_uri" else "not of AUTH_ISSUER")
    assert shop.answer().status == 503
    assert not any("keys" in path for path in plain_provider.asked)


def test_a_flood_of_unknown_keys_asks_once(make_platform, tmp_path, plain_provider):
    shop = Shop(make_platform, tmp_path, plain_provider)
    shop.await_status(200)
    asked = len(plain_provider.asked)
    forged = [tokens.Provider(str(kid)) for kid in range(50)]
    headers = [one.headers("ada", iss=plain_provider.issuer) for one in forged]
    assert {shop.cart.public.get("/carts", headers=one).status for one in headers} == {401}
    # The keys have just come.
    assert len(plain_provider.asked) == asked


def test_the_provider_is_away(make_platform, tmp_path, plain_provider):
    """The worker has the keys, and after a restart it has the sidecar's."""
    shop = Shop(make_platform, tmp_path, plain_provider)
    shop.hurry()
    plain_provider.close()
    time.sleep(COPIES_COUNT_FOR)
    try:
        shop.cart.restart_worker()
        shop.await_status(200)
        shop.await_log("copies of before")
        wait_until(lambda: shop.age() > 0, RETRIED_WITHIN, "the keys are as old as they are")
    finally:
        plain_provider.open(plain_provider.port)
    shop.await_log("fetched again")
    assert shop.age() < RETRIED_WITHIN


def test_a_page_in_the_provider_s_place(make_platform, tmp_path, plain_provider):
    """Something between us and the provider answers: it is no reason to forget the keys."""
    shop = Shop(make_platform, tmp_path, plain_provider)
    shop.hurry()
    plain_provider.body = b"<html>Log in to this network</html>"
    time.sleep(COPIES_COUNT_FOR)
    shop.bed.probe = "/livez"
    shop.cart.restart_worker()
    shop.await_log("cannot fetch the keys of tokens")
    plain_provider.status = 503
    shop.await_status(200)


def test_who_asks_at_once_is_answered_by_one_fetch(make_platform, tmp_path, plain_provider):
    shop = Shop(make_platform, tmp_path, plain_provider, AUTH_JWKS=f"{plain_provider.issuer}/keys")
    shop.hurry(lambda text: re.sub(r"(proxy_read_timeout) \d+s", rf"\1 {RETRIED_WITHIN}s", text))
    time.sleep(COPIES_COUNT_FOR)
    asked, answers = len(plain_provider.asked), []
    threads = [threading.Thread(target=lambda: answers.append(ask(shop, "/keys"))) for _ in range(20)]
    plain_provider.may_answer.clear()
    for thread in threads:
        thread.start()
    # One waits for the provider; the others get the copy of before.
    wait_until(lambda: len(answers) == 19, RETRIED_WITHIN, "all others are answered")
    plain_provider.may_answer.set()
    for thread in threads:
        thread.join()
    assert answers == [200] * 20
    assert len(plain_provider.asked) == asked + 1


def ask(shop, path):
    """As the worker does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(shop.cart.provider_socket))
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return int(connection.makefile("rb").readline().split()[1])


def test_the_worker_may_ask_for_nothing_else(make_platform, tmp_path, plain_provider):
    shop = Shop(make_platform, tmp_path, plain_provider)
    shop.await_status(200)
    asked = len(plain_provider.asked)

    at = f"http://localhost:{plain_provider.port}"
    assert ask(shop, f"/keys?{at}/realms/shop/keys") == 200
    refused = ["/", "/keys", f"/keys?{at}", "/keys?http://unix:/etc/passwd:/", "/keys?http://10.0.0.1/"]
    refused += [f"/keys?{at.replace('localhost', 'user@localhost')}/", f"/other?{at}/realms/shop/keys"]
    assert {ask(shop, path) for path in refused} == {404}
    assert len(plain_provider.asked) == asked + 1
