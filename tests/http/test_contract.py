"""Every operation of the three documents exists as documented, and answers as documented."""

import json

import pytest
from client import is_problem
from documents import METHODS, assert_declared, faults, operations_of, source_operations
from testbed import SERVICES
from world import World, unique

EVERY_OPERATION = source_operations()
READS = source_operations(lambda operation: operation.method == "GET")
WITH_BODY = source_operations(lambda operation: operation.body)
# What an operation needs to have happened before.
BEFORE = {"consumeCheckout": World.open_checkout}


@pytest.fixture(scope="module")
def documents(platform):
    return {
        name: operations_of(platform.services[name].health.get("/openapi.json").json(), name)
        for name in SERVICES
    }


@pytest.fixture(scope="module")
def reading_world(platform):
    """For what changes nothing."""
    return World(platform)


def listener_of(platform, operation):
    return getattr(platform.services[operation.service], operation.listener)


def send(client, operation, path, body=None):
    """body: bytes, or a value for JSON; in the operation's media type."""
    if body is None:
        return client.request(operation.method, path)
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": operation.media_type()}
    return client.request(operation.method, path, body=body, headers=headers)


def example_of(operation):
    if not operation.body:
        return None
    example = operation.example_of_body()
    return example.encode() if isinstance(example, str) else example


def test_served_documents_are_those_of_the_repository(documents):
    served = [(name, identifier) for name in SERVICES for identifier in documents[name]]
    assert sorted(served) == sorted(EVERY_OPERATION)


@pytest.mark.parametrize("name", SERVICES)
def test_documents_are_complete(platform, name):
    service = platform.services[name]
    document = service.public.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"]
    for operation in operations_of(document, name).values():
        place = f"{operation.method} {operation.path}"
        assert {500, 503} <= set(operation.responses), place
        assert (429 in operation.responses) != operation.internal, place
        if operation.body:
            assert {413, 415, 422} <= set(operation.responses), place
            assert all("example" in media for media in operation.body.values()), place


def objects_in(value):
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects_in(inner)


@pytest.mark.parametrize("name", SERVICES)
def test_generators_learn_every_type(platform, name):
    """An integer tells its size; a choice is one of types, not of further conditions."""
    document = platform.services[name].internal.get("/openapi.json").json()
    for schema in objects_in(document):
        types = schema.get("type", [])
        if "integer" in (types if isinstance(types, list) else [types]):
            assert {"format", "minimum", "maximum"} <= set(schema), schema
        for keyword in ("anyOf", "oneOf"):
            assert all({"type", "$ref", "allOf"} & set(form) for form in schema.get(keyword, [])), schema


def codes_of(operation, schema):
    """The codes that a problem of this form may have; a form that names none may have any."""
    schema = operation.resolve(schema)
    if "oneOf" in schema:
        return [code for form in schema["oneOf"] for code in codes_of(operation, form)]
    for part in (schema, *(operation.resolve(part) for part in schema.get("allOf", []))):
        if "enum" in part.get("properties", {}).get("code", {}):
            return part["properties"]["code"]["enum"]
    return ["any"]


@pytest.mark.parametrize(("name", "identifier"), EVERY_OPERATION)
def test_problems_name_their_codes(documents, name, identifier):
    """So that clients can switch on them: each status has its own form, each code one form, with an
    example."""
    operation = documents[name][identifier]
    for status, response in operation.responses.items():
        for media_type, content in response.get("content", {}).items():
            if media_type != "application/problem+json":
                continue
            codes = codes_of(operation, content["schema"])
            assert "any" not in codes and len(codes) == len(set(codes)), (status, codes)
            examples = [one["value"] for one in content.get("examples", {}).values()]
            for example in examples or [content["example"]]:
                assert example["status"] == status and example["code"] in codes
                assert faults(operation, content["schema"], example) == []


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("name", "identifier"), EVERY_OPERATION)
def test_operation_succeeds_as_declared(platform, documents, name, identifier, slash):
    operation = documents[name][identifier]
    world = World(platform)
    BEFORE.get(identifier, lambda _: None)(world)
    path = world.path_of(operation)
    path = path if path.endswith("/") else path + slash
    body = None
    if operation.body:
        body = world.body_of(operation)
        body = body.encode() if isinstance(body, str) else body
    path += world.query_of(operation)
    answer = send(listener_of(platform, operation), operation, path, body)
    assert 200 <= answer.status < 300, answer
    assert_declared(operation, answer)
    for header in operation.responses[answer.status].get("headers", {}):
        if header in ("ETag", "Location"):
            assert answer.header(header), header


@pytest.mark.parametrize(("name", "identifier"), WITH_BODY)
def test_example_is_accepted_as_it_stands(platform, documents, name, identifier):
    """The things it names do not exist, so any declared refusal will do, but it must have the declared
    form."""
    operation = documents[name][identifier]
    path = operation.path.replace("{", "").replace("}", "")
    answer = send(listener_of(platform, operation), operation, path, example_of(operation))
    assert_declared(operation, answer)
    assert answer.status < 300 or answer.status in (404, 409), answer


@pytest.mark.parametrize(("name", "identifier"), EVERY_OPERATION)
def test_each_port_has_what_its_callers_need(platform, documents, reading_world, name, identifier):
    """Nothing else exists there: an internal port cannot change a price."""
    operation = documents[name][identifier]
    service = platform.services[name]
    path = reading_world.path_of(operation)
    has = {
        "public": not operation.internal,
        "internal": bool({*SERVICES} & {*operation.callers}),
        "health": "operator" in operation.callers,
    }
    assert has[operation.listener]
    for listener, there in has.items():
        client = getattr(service, listener)
        if not there:
            is_problem(client.request(operation.method, path), 404, "not-found")
        elif operation.method == "GET":
            assert client.get(path + reading_world.query_of(operation)).status == 200


def test_the_internal_ports_have_what_siblings_ask(documents):
    """docs/ARCHITECTURE.md: cart reads products, order holds stock and takes carts."""
    found = {
        (name, caller): {o.id for o in operations.values() if caller in o.callers}
        for name, operations in documents.items()
        for caller in SERVICES
    }
    assert {edge: names for edge, names in found.items() if names} == {
        ("product", "cart"): {"getProduct", "listProducts"},
        ("product", "order"): {"holdStock", "releaseStock", "shipStock"},
        ("cart", "order"): {"openCheckout", "releaseCheckout", "consumeCheckout"},
    }


@pytest.mark.parametrize(("name", "identifier"), READS)
def test_head_is_get_without_the_body(platform, documents, reading_world, name, identifier):
    operation = documents[name][identifier]
    client = listener_of(platform, operation)
    path = reading_world.path_of(operation) + reading_world.query_of(operation)
    got, head = client.get(path), client.head(path)
    assert head.status == got.status == 200
    assert head.body == b""
    for header in ("Content-Type", "ETag", "Link"):
        assert head.header(header) == got.header(header), header
    # A streamed answer has no length, and metrics grow with each request.
    if got.header("Transfer-Encoding") is None and identifier != "getMetrics":
        assert head.header("Content-Length") == got.header("Content-Length") is not None


@pytest.mark.parametrize("name", SERVICES)
def test_other_methods_are_refused_with_allow(platform, documents, reading_world, name):
    operations = documents[name].values()
    for path in {operation.path for operation in operations}:
        here = [operation for operation in operations if operation.path == path]
        client = listener_of(platform, here[0])
        allowed = {operation.method for operation in here}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        tried = {*(method.upper() for method in METHODS), "HEAD", "OPTIONS", "PROPFIND"} - allowed
        for method in tried:
            answer = client.request(method, reading_world.path_of(here[0]))
            if here[0].listener != "public":
                # What is not for a caller of that port is not there.
                assert answer.status == 404, (method, path, answer)
                continue
            assert answer.status == 405, (method, path, answer)
            assert set(answer.header("Allow").split(", ")) == allowed, (method, path)
            if method != "HEAD":
                is_problem(answer, 405)


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    "path", ["/nothing", "/{name}s/x/y/z", "/{name}", "/{name}ss", "/x/{name}s"]
)
def test_other_paths_are_not_found(platform, name, path):
    service = platform.services[name]
    for client in (service.public, service.internal, service.health):
        for method in ("GET", "POST", "DELETE"):
            answer = client.request(method, path.format(name=name))
            is_problem(answer, 404, "not-found")


@pytest.mark.parametrize(
    "identifier",
    [
        "0",
        "x" * 200,
        "%20",
        "%C3%A4",
        "%ff",
        "%01",
        "...",
        "%27%20OR%201=1--",
        "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b",
    ],
)
@pytest.mark.parametrize("name", SERVICES)
def test_ids_are_opaque(platform, name, identifier):
    """A malformed id is one that is not found."""
    answer = platform.services[name].public.get(f"/{name}s/{identifier}")
    problem = is_problem(answer, 404, "not-found")
    assert problem["detail"] == f"{name.title()} not found"


def test_status_lines_have_a_reason(product):
    """RFC 9112 section 4; some clients insist on it."""
    created = product.public.post("/products", json={"name": "Lamp", "price": 1, "sku": unique("R")})
    path, sku = created.header("Location"), created.json()["sku"]
    tag = {"If-None-Match": created.header("ETag")}
    body = {"name": "Lamp", "price": 1, "sku": sku}
    for answer, status, reason in (
        (created, 201, "Created"),
        (product.public.get(path), 200, "OK"),
        (product.public.get("/products/export"), 200, "OK"),
        (product.public.get(path, headers=tag), 304, "Not Modified"),
        (product.public.get("/products/none"), 404, "Not Found"),
        (product.public.post("/products", json=body), 409, "Conflict"),
        (product.public.post("/products", json={}), 422, "Unprocessable Content"),
        (product.public.delete(path), 204, "No Content"),
    ):
        assert (answer.status, answer.reason) == (status, reason)
