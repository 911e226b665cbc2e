"""The services' OpenAPI documents as the tests read them: operations, and a second opinion on whether
an answer has the form that its document declares."""

import json
import re

from testbed import ROOT, SERVICES

METHODS = ("get", "put", "post", "patch", "delete")


class Operation:
    """One operation with everything it refers to by $ref within reach."""

    def __init__(self, document, service, path, method):
        item = document["paths"][path]
        definition = item[method]
        self.document = document
        self.service = service
        self.path = path
        self.method = method.upper()
        self.id = definition["operationId"]
        self.callers = definition.get("x-callers", [])
        self.internal = definition.get("x-internal", False)
        # Which of a service's ports, and clients of these tests, it is asked at.
        self.listener = "public"
        if self.internal:
            self.listener = "health" if "operator" in self.callers else "internal"
        self.responses = {
            int(status): self.resolve(response)
            for status, response in definition["responses"].items()
        }
        parameters = item.get("parameters", []) + definition.get("parameters", [])
        self.parameters = [self.resolve(parameter) for parameter in parameters]
        body = definition.get("requestBody", {})
        self.body = body.get("content", {})
        self.body_required = body.get("required", False)
        self.max_bytes = body.get("x-max-bytes", 0)

    def resolve(self, value):
        while "$ref" in value:
            target = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target
        return value

    def parameters_in(self, place):
        return [parameter for parameter in self.parameters if parameter["in"] == place]

    def media_type(self):
        """The body's, the first one declared."""
        return next(iter(self.body))

    def schema_of_body(self):
        return self.resolve(self.body[self.media_type()]["schema"])

    def example_of_body(self):
        return self.body[self.media_type()]["example"]

    def has_json_body(self):
        return bool(self.body) and self.media_type().endswith("json") and "ndjson" not in self.media_type()


def operations_of(document, service):
    return {
        operation["operationId"]: Operation(document, service, path, method)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def source_operations(having=lambda operation: True):
    """[(service, operationId)] from the repository: names tests before anything runs."""
    shared = json.loads((ROOT / "fcgi-apps/contract/components.json").read_text())
    found = []
    for service in SERVICES:
        document = json.loads((ROOT / f"fcgi-apps/{service}/openapi.json").read_text())
        document["paths"].update(shared["paths"])
        for kind, members in shared["components"].items():
            document["components"][kind] = {**members, **document["components"].get(kind, {})}
        for identifier, operation in operations_of(document, service).items():
            if having(operation):
                found.append((service, identifier))
    return found


TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def types_of(schema):
    types = schema.get("type", list(TYPES))
    return [types] if isinstance(types, str) else types


def faults(operation, schema, value, where=""):
    """How an answer differs from its schema; [] if it does not."""
    schema = operation.resolve(schema)
    if not any(TYPES[name](value) for name in types_of(schema)):
        return [f"{where}: {value!r} is no {schema['type']}"]
    found = []
    for part in schema.get("allOf", []):
        found += faults(operation, part, value, where)
    forms = [faults(operation, form, value, where) for form in schema.get("oneOf", [])]
    if forms and forms.count([]) != 1:
        found.append(f"{where}: fits {forms.count([])} forms: {forms}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            found.append(f"{where}: {value!r} is too short or too long")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{where}: {value!r} does not match {schema['pattern']}")
        if schema.get("format") == "date-time" and not re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value
        ):
            found.append(f"{where}: {value!r} is no moment in UTC")
    elif TYPES["number"](value):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            found.append(f"{where}: {value!r} is out of range")
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            found.append(f"{where}: has {len(value)} elements")
        for index, element in enumerate(value):
            found += faults(operation, schema.get("items", {}), element, f"{where}/{index}")
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        missing = set(schema.get("required", [])) - set(value)
        found += [f"{where}/{name}: missing" for name in missing]
        for name, member in value.items():
            if name in properties:
                found += faults(operation, properties[name], member, f"{where}/{name}")
            elif not schema.get("additionalProperties", True):
                found.append(f"{where}/{name}: not declared")
    return found


# What clients act on. That an answer is a kept one is told at Idempotency-Key, for refusals as well.
HEADERS = ("ETag", "Link", "Location", "Retry-After", "X-Total-Count", "X-Total-Count-Relation")

RESOURCES = tuple(f"/{service}s" for service in SERVICES)


def assert_declared(operation, answer):
    """Status, headers, media type and form of the body are those of the document."""
    assert answer.status in operation.responses, answer
    response = operation.responses[answer.status]
    for name in HEADERS:
        assert name in response.get("headers", {}) or answer.header(name) is None, (name, answer)
    # nginx puts it on every answer; the documents say it of those that caches may want to keep.
    if operation.path.startswith(RESOURCES) and answer.status < 400:
        schema = operation.resolve(response["headers"]["Cache-Control"])["schema"]
        assert answer.header("Cache-Control") in schema["enum"]
    content = response.get("content", {})
    if not content:
        assert answer.body == b"", answer
        return
    media_type = answer.header("Content-Type").split(";")[0]
    assert media_type in content, answer
    if media_type in ("application/json", "application/problem+json"):
        found = faults(operation, content[media_type].get("schema", {}), answer.json())
        assert not found, (found, answer)
