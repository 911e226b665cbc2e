"""The chain of time limits: outer hops wait longer, so that the hop that knows what went wrong reports
it. test_ingress.py covers Emissary, test_pods.py and test_images.py cover how a pod stops."""

import re

import manifests

STREAMS = ("products/bulk", "products/export")


def defined(path, name):
    """The seconds of a macro in the C code that is a multiple of CLOCK_SECOND."""
    text = (manifests.ROOT / path).read_text()
    found = re.search(rf"^#define {name}\s+(?:\((\d+) \* )?CLOCK_SECOND", text, re.M)
    return int(found[1] or 1)


def the_only(kind, directive, location=""):
    (value,) = manifests.nginx_seconds(kind, directive, location)
    return value


def worker():
    """The seconds that a worker may take: it begins nothing after its limit, but a statement that the
    store got just before has the store's limit."""
    server = "fcgi-apps/responder/server.c"
    store = defined(server, "BUSY_TIMEOUT") + defined("fcgi-apps/storage/postgres_connect.c", "ANSWER_GRACE")
    return defined(server, "REQUEST_TIMEOUT") + store


def sidecar(kind="sidecar"):
    """The setting of http {}, which applies to all locations that do not override it."""
    return manifests.nginx_seconds(kind, "fastcgi_read_timeout")[0]


def test_answers():
    balancer, gateway = (
        manifests.nginx_seconds(kind, "proxy_read_timeout")[0] for kind in ("balancer", "gateway")
    )
    assert worker() < sidecar() < gateway
    assert worker() < sidecar("internal") < balancer < gateway


def test_a_sidecar_waits_as_long_for_a_worker_that_reads_as_for_one_that_writes():
    assert manifests.nginx_seconds("sidecar", "fastcgi_send_timeout")[0] == sidecar()


def test_streams():
    """Between two pieces; for an import, until it is stored. The answer to the head comes before."""
    for path in STREAMS:
        inner = max(manifests.nginx_seconds("sidecar", "fastcgi_read_timeout", path))
        assert sidecar() + inner < the_only("gateway", "proxy_read_timeout", path)


def test_connections_are_given_up_by_who_opened_them():
    kept = the_only("sidecar", "keepalive_timeout")
    # The last ones in the file are the upstreams'.
    *pools, _ = sorted(manifests.nginx_seconds("gateway", "keepalive_timeout"))
    assert len(pools) == 3 and max(pools) < kept
    *pools, _ = sorted(manifests.nginx_seconds("balancer", "keepalive_timeout"))
    assert len(pools) == 2 and max(pools) < kept


def test_a_silent_client_is_given_up_by_who_it_is_connected_to():
    """Otherwise a gateway would take its sidecar's time-out for a failure, and say 502."""
    for directive in ("client_header_timeout", "client_body_timeout", "send_timeout"):
        assert the_only("gateway", directive) < the_only("sidecar", directive), directive


def test_ends():
    """Each hop has time for the answers of those behind it."""
    text = (manifests.ROOT / "scripts/common.sh").read_text()
    patience = int(re.search(r"^stop_seconds=(\d+)$", text, re.M)[1])
    operations = (manifests.ROOT / "docs/OPERATIONS.md").read_text()
    drain = int(re.search(r"^\| `DRAIN_SECONDS` \| `(\d+)` \|", operations, re.M)[1])
    ends = {kind: the_only(kind, "worker_shutdown_timeout") for kind in ("sidecar", "balancer", "gateway")}
    assert worker() < drain < ends["sidecar"] < ends["gateway"] < patience
    # It is stopped after all who call through it.
    assert manifests.nginx_seconds("balancer", "proxy_read_timeout")[0] < ends["balancer"] < patience


def test_calls_to_siblings_fit_into_a_request():
    """A service that calls a sibling answers its own client in time, whatever the sibling does."""
    text = (manifests.ROOT / "fcgi-apps/upstream/upstream.c").read_text()
    attempt = int(re.search(r"\.attempt_timeout = (\d+) \* CLOCK_SECOND", text)[1])
    request = defined("fcgi-apps/responder/server.c", "REQUEST_TIMEOUT")
    # One try may be lost, and another made.
    assert 2 * attempt < request
