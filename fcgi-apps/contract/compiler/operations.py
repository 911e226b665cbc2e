"""The operations of a document: parameters, bodies, answers, and the tree of their paths."""

import re
from dataclasses import dataclass, field

from compiler.document import METHODS
from compiler.parameters import Parameters
from compiler.routes import Route, add_route
from compiler.security import Access
from compiler.values import below, walk, whole

# Who may ask for an operation beside the public: ../contract.h.
CALLERS = ("product", "cart", "order", "operator")
BODY_BYTES_MAX = 32 << 20  # nginx holds as much of a body back, on the disk


@dataclass
class Operation:
    id: str
    method: str
    path: str
    where: str
    internal: bool
    callers: list
    access: Access
    parameters: dict = field(default_factory=lambda: {"path": [], "query": [], "header": []})
    has_body: bool = False
    body_required: bool = False
    max_bytes: int = 0
    scoped: bool = False  # what is sent may take a scope
    body: list = field(default_factory=list)  # of (media type, number of the schema or None)
    answers: list = field(default_factory=list)  # of (status, content as of the body)


class Operations:
    """Everything in a document, checked, including components that nothing refers to."""

    def __init__(self, document, schemas):
        self.document = document
        self.schemas = schemas
        self.list = []
        self.named_schemas = {}
        self.scoped = set()  # nodes whose x-scope is enforced
        self.routes = Route()
        self.parameters = Parameters(document, schemas)
        self._check_root()
        self._read_components()
        for path, item in document.root["paths"].items():
            self._read_path(path, item)
        self.schemas.check_scoped(self.scoped)

    def refuse(self, where, reason):
        self.document.refuse(where, reason)

    # ---- the whole

    def _check_root(self):
        root = self.document.root
        self.document.members(root, "openapi info servers paths components tags".split(), "#")
        info = root["info"]
        allowed = "title summary description contact license version"
        self.document.members(info, allowed.split(), "#/info")
        self.document.texts(info, ("version",), "#/info")
        if "title" not in info:
            self.refuse("#/info", "needs a title")
        self._texts_only(info.get("contact", {}), ("name", "url", "email"), "#/info/contact")
        self._texts_only(info.get("license", {}), ("name", "identifier"), "#/info/license")
        self._check_described(root, "tags", "name", "#")
        self._check_described(root, "servers", "url", "#")

    def _check_described(self, value, member, key, where):
        """A list of described things: tags by name, servers by URL."""
        where = below(where, member)
        things = value.get(member, [])
        if not isinstance(things, list) or not all(isinstance(thing, dict) for thing in things):
            self.refuse(where, "must be a list of objects")
        for i, thing in enumerate(things):
            self._texts_only(thing, (key, "description"), below(where, i))
            if key not in thing:
                self.refuse(below(where, i), f"needs a {key}")

    def _texts_only(self, value, allowed, where):
        self.document.members(value, allowed, where)
        self.document.texts(value, allowed, where)

    def _read_components(self):
        sections = {
            "schemas": self._named_schema,
            "parameters": self.parameters.read,
            "headers": self._header,
            "responses": self._response,
            "requestBodies": self._request_body,
            "securitySchemes": self.schemas.security.read_scheme,
        }
        components = self.document.root["components"]
        self.document.members(components, sections, "#/components")
        for name, read in sections.items():
            for key, value in components.get(name, {}).items():
                read(value, below("#/components", name, key))

    def _named_schema(self, definition, where):
        # A place of its own, whether something refers to it or not.
        number = self.schemas.add({"$ref": where}, where)
        self.named_schemas[where.rpartition("/")[2]] = number

    def _read_path(self, path, item):
        where = below("#/paths", path)
        allowed = (*METHODS, "parameters", "servers", "summary", "description")
        self.document.members(item, allowed, where)
        self._check_described(item, "servers", "url", where)
        methods = [method for method in item if method in METHODS]
        if not methods:
            self.refuse(where, "has no operation")
        for method in methods:
            self._read_operation(path, item, method)

    # ---- operations

    def _read_operation(self, path, item, method):
        where = below("#/paths", path, method)
        definition = item[method]
        allowed = (
            "operationId tags summary description security parameters requestBody responses "
            "x-internal x-callers"
        )
        self.document.members(definition, allowed.split(), where)
        internal = self.document.flag(definition, "x-internal", where)
        callers = self.document.strings(definition, "x-callers", where)
        self.document.strings(definition, "tags", where)
        if internal and not callers:
            self.refuse(where, "x-internal needs x-callers")
        if not set(callers) <= set(CALLERS) or len(set(callers)) < len(callers):
            self.refuse(where, f"x-callers may be {', '.join(CALLERS)}, each once")
        name = definition.get("operationId")
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            self.refuse(where, "needs an operationId of letters, digits and _")
        if any(other.id == name for other in self.list):
            self.refuse(where, f'the operationId "{name}" is there twice')
        access = self.schemas.security.read(definition, internal, where)
        operation = Operation(name, method.upper(), path, where, internal, callers, access)
        self.parameters.read_all(operation, item, below("#/paths", path))
        self.parameters.read_all(operation, definition, where)
        self.parameters.order_path(operation)
        if "requestBody" in definition:
            self._read_body(operation, definition["requestBody"], below(where, "requestBody"))
        self._find_scoped(operation)
        self._read_answers(operation, definition.get("responses"), where)
        self.schemas.security.check_answers(operation)
        add_route(self.document, self.routes, len(self.list), operation)
        self.list.append(operation)

    def _read_body(self, operation, definition, where):
        # RFC 9110 sections 9.3.1 and 9.3.5: content has no meaning there.
        if operation.method in ("GET", "DELETE"):
            self.refuse(where, f"{operation.method} takes no body")
        body = self._request_body(definition, where)
        operation.has_body = True
        operation.body, operation.body_required, operation.max_bytes = body

    def _find_scoped(self, operation):
        schemas = (number for _, number in operation.body if number is not None)
        members = set().union(*map(self.schemas.scoped_members, schemas))
        self.scoped |= members
        operation.scoped = bool(members) or any(p.scope for p in operation.parameters["query"])

    def _read_answers(self, operation, responses, where):
        if not isinstance(responses, dict) or not responses:
            self.refuse(where, "needs responses")
        for status, definition in responses.items():
            place = below(where, "responses", status)
            # Ranges and "default" would let every answer pass.
            if not re.fullmatch("[1-5][0-9][0-9]", status):
                self.refuse(place, "a response must be named by its three-digit status")
            operation.answers.append((int(status), self._response(definition, place)))

    # ---- bodies

    def _content(self, content, where):
        if not isinstance(content, dict) or not content:
            self.refuse(where, "must have a media type")
        media = []
        for name, definition in content.items():
            place = below(where, name)
            if any(name.lower() == other.lower() for other, _ in media):
                self.refuse(place, "is there twice")
            media.append((name, self._media(name, definition, place)))
        return media

    def _media(self, name, definition, where):
        """The number of its schema, or None if the bytes are not JSON."""
        allowed = ("schema", "example", "examples", "x-line-schema")
        self.document.members(definition, allowed, where)
        self._check_examples(definition.get("examples", {}), below(where, "examples"))
        self._check_line_schema(definition, where)
        if not re.fullmatch("[^/*; \t]+/[^*; \t]+", name):
            self.refuse(where, "a media type must be type/subtype, without parameters")
        is_json = name.lower() == "application/json" or name.lower().endswith("+json")
        if is_json and "schema" not in definition:
            self.refuse(where, "needs a schema")
        if "schema" not in definition:
            return None
        number = self.schemas.add(definition["schema"], below(where, "schema"))
        return number if is_json else None

    def _check_examples(self, examples, where):
        if not isinstance(examples, dict):
            self.refuse(where, "must be an object")
        for name, example in examples.items():
            allowed = ("summary", "description", "value")
            self.document.members(example, allowed, below(where, name))

    def _check_line_schema(self, definition, where):
        """Tells readers what each line contains. The handler enforces it, by name."""
        where = below(where, "x-line-schema")
        for place, part in walk(definition.get("x-line-schema"), where):
            if isinstance(part, dict) and "$ref" in part:
                self.document.target(part["$ref"], place)

    def _request_body(self, definition, where):
        definition = self.document.resolve(definition, where)
        allowed = ("description", "content", "required", "x-max-bytes")
        self.document.members(definition, allowed, where)
        required = self.document.flag(definition, "required", where)
        if "content" not in definition:
            self.refuse(where, "needs content")
        content = self._content(definition["content"], below(where, "content"))
        most = whole(definition.get("x-max-bytes"))
        if most is None or not 1 <= most <= BODY_BYTES_MAX:
            self.refuse(where, f"needs x-max-bytes, a whole number from 1 to {BODY_BYTES_MAX}")
        return content, required, most

    def _header(self, definition, where):
        definition = self.document.resolve(definition, where)
        allowed = ("description", "required", "schema", "example")
        self.document.members(definition, allowed, where)
        if "schema" not in definition:
            self.refuse(where, "needs a schema")
        self.schemas.add(definition["schema"], below(where, "schema"))

    def _response(self, definition, where):
        definition = self.document.resolve(definition, where)
        self.document.members(definition, ("description", "headers", "content"), where)
        if "description" not in definition:
            self.refuse(where, "needs a description")
        headers = definition.get("headers", {})
        if not isinstance(headers, dict):
            self.refuse(below(where, "headers"), "must be an object")
        for name, header in headers.items():
            self._header(header, below(where, "headers", name))
        if "content" not in definition:
            return []
        return self._content(definition["content"], below(where, "content"))
