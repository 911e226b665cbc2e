"""Every request example of the documents, applied to things that exist: the answer has the shape of the
example declared for it."""

import json
import re
import uuid

import pytest
from documents import operations_of, source_operations
from test_contract import BEFORE, listener_of
from testbed import ROOT, SERVICES
from world import World

KINDS = {
    "moment": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "id": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


@pytest.fixture(scope="module")
def documents(platform):
    return {
        name: operations_of(platform.services[name].health.get("/openapi.json").json(), name)
        for name in SERVICES
    }


def kind_of(value):
    if isinstance(value, str):
        return next((kind for kind, form in KINDS.items() if form.fullmatch(value)), "text")
    # 19.9 and 20 are both amounts.
    return "number" if type(value) in (int, float) else type(value).__name__


def unlike(operation, schema, example, answer, where=""):
    """How an answer differs in shape from its example; [] if it does not."""
    schema = operation.resolve(schema)
    both_text = kind_of(example) == "text" and isinstance(answer, str)
    if kind_of(example) != kind_of(answer) and not both_text:
        return [f"{where}: {answer!r} where the example has {example!r}"]
    found = []
    if isinstance(example, dict):
        optional = set(schema.get("properties", {})) - set(schema.get("required", []))
        found += [f"{where}/{name}" for name in (set(example) ^ set(answer)) - optional]
        for name in set(example) & set(answer):
            member = schema.get("properties", {}).get(name, {})
            found += unlike(operation, member, example[name], answer[name], f"{where}/{name}")
    elif isinstance(example, list) and example:
        items = schema.get("items", {})
        for index, element in enumerate(answer):
            tries = [unlike(operation, items, other, element, f"{where}/{index}") for other in example]
            found += min(tries, key=len)
    return found


def values_of(media_type, body):
    """JSON, or one value a line."""
    lines = body.splitlines() if media_type.endswith("ndjson") else [body]
    return [json.loads(line) for line in lines]


def example_of_lines(text):
    """The lines of an example, and the schema that they tell of: what only some have is optional."""
    lines = [json.loads(line) for line in text.splitlines()]
    required = set.intersection(*(set(line) for line in lines))
    properties = {name: {} for line in lines for name in line}
    return lines, {"properties": properties, "required": sorted(required)}


@pytest.mark.parametrize(("name", "identifier"), source_operations())
def test_answers_have_the_shape_of_their_example(platform, documents, name, identifier):
    operation = documents[name][identifier]
    for media_type in operation.body or [None]:
        check(platform, operation, media_type)


def check(platform, operation, media_type):
    world = World(platform)
    world.new_order_id = str(uuid.uuid4())
    BEFORE.get(operation.id, lambda _: None)(world)
    path = world.path_of(operation) + world.query_of(operation)
    headers, body = {}, None
    if media_type:
        headers["Content-Type"] = media_type
        body = world.point(operation.body[media_type]["example"])
        body = body if isinstance(body, str) else json.dumps(body)
    answer = listener_of(platform, operation).request(
        operation.method, path, body=body and body.encode(), headers=headers
    )
    assert 200 <= answer.status < 300, answer
    content = operation.responses[answer.status].get("content", {})
    if not content:
        assert answer.body == b""
        return
    answered = answer.header("Content-Type").split(";")[0]
    declared = content[answered]
    if "json" not in answered or operation.id == "getDocument":
        return
    example, schema = declared["example"], declared.get("schema", {})
    if isinstance(example, str):
        examples, schema = example_of_lines(example)
    else:
        examples = [example]
    made = values_of(answered, answer.body.decode())
    assert made
    for value in made:
        assert [] in [unlike(operation, schema, other, value) for other in examples], value
    # An empty list is of every shape: the world has something to list.
    assert not (isinstance(example, list) and example) or made[0]


def test_other_shapes_would_be_found(documents):
    operation = documents["order"]["getOrder"]
    declared = operation.responses[200]["content"]["application/json"]
    schema, example = declared["schema"], declared["example"]
    assert unlike(operation, schema, example, example) == []
    for name, value in (("id", "7"), ("created_at", "today"), ("items", {}), ("total_amount", "25.00")):
        assert unlike(operation, schema, example, {**example, name: value})
    assert unlike(operation, schema, example, {**example, "more": 1})
    assert unlike(operation, schema, example, {k: v for k, v in example.items() if k != "history"})
    line = {**example["items"][0], "quantity": "2"}
    assert unlike(operation, schema, example, {**example, "items": [line]})


@pytest.mark.parametrize("name", SERVICES)
def test_every_problem_code_is_documented(name):
    """Those that the C code writes; what a status alone says is named after it (`not-found`)."""
    sources = [*ROOT.glob(f"fcgi-apps/{name}/*.c"), *ROOT.glob("fcgi-apps/responder/*.c")]
    call = re.compile(r"\b(?:\w+_)?(?:problem\w*|unavailable)\([^;]*?\"([a-z]+(?:-[a-z]+)*)\"")
    codes = {code for source in sources for code in call.findall(source.read_text())}
    assert len(codes) > 10
    documents = (f"fcgi-apps/{name}/openapi.json", "fcgi-apps/contract/components.json")
    told = " ".join((ROOT / document).read_text() for document in documents)
    assert {code for code in codes if not re.search(rf"[`\" ]{code}[`\",; .)]", told)} == set()
