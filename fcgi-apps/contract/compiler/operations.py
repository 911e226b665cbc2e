"""The operations of a document: parameters, bodies, answers, and the tree of their paths."""

import re
from dataclasses import dataclass, field

from compiler.document import METHODS, below, whole
from compiler.schema import ARRAY, INTEGER, STRING, TYPES

PATH_PARAMETERS_MAX = 4  # as contract.h has them
ARGUMENTS_MAX = 24
SEGMENTS_MAX = 16
BODY_BYTES_MAX = 32 << 20  # nginx holds as much of a body back, on the disk

KINDS = {
    STRING: "STRING",
    INTEGER: "INTEGER",
    TYPES["number"]: "NUMBER",
    TYPES["boolean"]: "BOOLEAN",
    ARRAY: "LIST",
}
# OpenAPI 3.1 section 4.8.12.2.1: parameters of these names are to be ignored.
RESERVED_HEADERS = {"accept", "content-type", "authorization"}


@dataclass
class Parameter:
    name: str
    place: str  # "path", "query", "header"
    kind: str
    schema: int
    required: bool


@dataclass
class Operation:
    id: str
    method: str
    path: str
    where: str
    internal: bool
    callers: list
    parameters: dict = field(default_factory=lambda: {"path": [], "query": [], "header": []})
    has_body: bool = False
    body_required: bool = False
    max_bytes: int = 0
    body: list = field(default_factory=list)  # of (media type, number of the schema or None)
    answers: list = field(default_factory=list)  # of (status, content as of the body)


@dataclass
class Route:
    literals: dict = field(default_factory=dict)
    parameter: "Route" = None
    operations: dict = field(default_factory=dict)  # by method; numbers
    path: str = None  # the template that ends here


class Operations:
    """All of a document, checked; the components that nothing refers to as well."""

    def __init__(self, document, schemas):
        self.document = document
        self.schemas = schemas
        self.list = []
        self.named_schemas = {}
        self.routes = Route()
        self._check_root()
        self._read_components()
        for path, item in document.root["paths"].items():
            if not path.startswith("x-"):
                self._read_path(path, item)
        for number, operation in enumerate(self.list):
            self._add_route(number, operation)

    def refuse(self, where, reason):
        self.document.refuse(where, reason)

    # ---- the whole

    def _check_root(self):
        root = self.document.root
        members = self.document.members
        members(root, "openapi info servers paths components tags externalDocs".split(), "#")
        info = "title summary description termsOfService contact license version"
        members(root["info"], info.split(), "#/info")
        if not isinstance(root["info"].get("title"), str):
            self.refuse("#/info", "needs a title")
        tags = root.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, dict) for tag in tags):
            self.refuse("#/tags", "must be a list of objects")

    def _read_components(self):
        sections = {
            "schemas": self._named_schema,
            "parameters": self._parameter,
            "headers": self._header,
            "responses": self._response,
            "requestBodies": self._request_body,
        }
        components = self.document.root["components"]
        self.document.members(components, (*sections, "examples"), "#/components")
        for name, read in sections.items():
            section = components.get(name, {})
            if not isinstance(section, dict):
                self.refuse(below("#/components", name), "must be an object")
            for key, value in section.items():
                read(value, below("#/components", name, key))

    def _named_schema(self, definition, where):
        # A place of its own, whether something refers to it or not.
        number = self.schemas.add({"$ref": where}, where)
        self.named_schemas[where.rpartition("/")[2]] = number

    def _read_path(self, path, item):
        where = below("#/paths", path)
        allowed = (*METHODS, "parameters", "servers", "summary", "description")
        self.document.members(item, allowed, where)
        if "x-internal" in item:
            self.refuse(where, "x-internal belongs to operations")
        for method in item:
            if method in METHODS:
                self._read_operation(path, item, method)

    # ---- operations

    def _read_operation(self, path, item, method):
        where = below("#/paths", path, method)
        definition = item[method]
        described = "operationId tags summary description externalDocs deprecated"
        allowed = [*described.split(), "parameters", "requestBody", "responses"]
        self.document.members(definition, allowed, where)
        internal = self.document.flag(definition, "x-internal", where)
        callers = self.document.strings(definition, "x-callers", where)
        self.document.strings(definition, "tags", where)
        if internal and not callers:
            self.refuse(where, "x-internal needs x-callers")
        name = definition.get("operationId")
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            self.refuse(where, "needs an operationId of letters, digits and _")
        if any(other.id == name for other in self.list):
            self.refuse(where, f'the operationId "{name}" is there twice')
        operation = Operation(name, method.upper(), path, where, internal, callers)
        self._read_parameters(operation, item, below("#/paths", path))
        self._read_parameters(operation, definition, where)
        self._order_path(operation)
        if "requestBody" in definition:
            self._read_body(operation, definition["requestBody"], below(where, "requestBody"))
        self._read_answers(operation, definition.get("responses"), where)
        self.list.append(operation)

    def _read_body(self, operation, definition, where):
        # RFC 9110 sections 9.3.1 and 9.3.5: content has no meaning there.
        if operation.method in ("GET", "DELETE"):
            self.refuse(where, f"{operation.method} takes no body")
        body = self._request_body(definition, where)
        operation.has_body = True
        operation.body, operation.body_required, operation.max_bytes = body

    def _read_answers(self, operation, responses, where):
        if not isinstance(responses, dict) or not responses:
            self.refuse(where, "needs responses")
        for status, definition in responses.items():
            place = below(where, "responses", status)
            # Ranges and "default" would let every answer pass.
            if not re.fullmatch("[1-5][0-9][0-9]", status):
                self.refuse(place, "a response must be named by its three-digit status")
            operation.answers.append((int(status), self._response(definition, place)))

    # ---- parameters

    def _read_parameters(self, operation, definition, where):
        """An operation's own take the place of its path's."""
        parameters = definition.get("parameters", [])
        if not isinstance(parameters, list):
            self.refuse(where, "parameters must be a list")
        inherited = {place: len(of) for place, of in operation.parameters.items()}
        for i, value in enumerate(parameters):
            place = below(where, "parameters", i)
            parameter = self._parameter(value, place)
            self._put_parameter(operation, parameter, inherited[parameter.place], place)

    def _put_parameter(self, operation, parameter, inherited, where):
        of = operation.parameters[parameter.place]
        fold = str.lower if parameter.place == "header" else str
        for i, other in enumerate(of):
            if fold(other.name) == fold(parameter.name):
                if i >= inherited:
                    self.refuse(where, f'"{parameter.name}" is there twice')
                of[i] = parameter
                return
        of.append(parameter)
        counts = {place: len(of) for place, of in operation.parameters.items()}
        arguments = counts["query"] + counts["header"]
        if counts["path"] > PATH_PARAMETERS_MAX or arguments > ARGUMENTS_MAX:
            self.refuse(where, "too many parameters")

    def _parameter(self, definition, where):
        definition = self.document.resolve(definition, where)
        allowed = "name in description required style explode deprecated schema example examples"
        self.document.members(definition, allowed.split(), where)
        required = self.document.flag(definition, "required", where)
        name, place = definition.get("name"), definition.get("in")
        # What needs no escape in a path, a query, a header or a pointer.
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z0-9_.-]{1,63}", name):
            self.refuse(where, "a parameter's name must be letters, digits, - _ .")
        if "schema" not in definition:
            self.refuse(where, "needs a schema")
        number = self.schemas.add(definition["schema"], below(where, "schema"))
        kind = KINDS.get(self.schemas.open_types(number))
        if not kind or (kind == "LIST" and self.schemas.element_types(number) != STRING):
            self.refuse(
                below(where, "schema"),
                "a parameter must be a string, an integer, a number, a boolean or a list of "
                "strings",
            )
        self._check_place(name, place, required, kind, where)
        self._check_style(definition, place, kind, where)
        return Parameter(name, place, kind, number, required)

    def _check_place(self, name, place, required, kind, where):
        if place not in ("path", "query", "header"):
            self.refuse(where, "parameters must be in path, query or header")
        if place == "path" and not required:
            self.refuse(where, 'a path parameter needs "required": true')
        if place == "path" and kind != "STRING":
            self.refuse(where, "a path parameter must be a string")
        if place == "header" and name.lower() in RESERVED_HEADERS:
            self.refuse(where, f"{name} cannot be a header parameter")

    def _check_style(self, definition, place, kind, where):
        """How a parameter is written out: only what ../parameters.c reads."""
        expected = "form" if place == "query" else "simple"
        exploded = self.document.flag(definition, "explode", where)
        if definition.get("style", expected) != expected:
            self.refuse(where, f'the style must be "{expected}"')
        if kind == "LIST" and place != "query":
            self.refuse(where, "only a query parameter may be a list")
        if kind == "LIST" and (exploded or "explode" not in definition):
            self.refuse(where, 'a list needs "explode": false')

    def _order_path(self, operation):
        """Brings the path parameters into the order of the template; each must be on both sides."""
        declared = {parameter.name: parameter for parameter in operation.parameters["path"]}
        ordered = []
        for name in re.findall("{([^}]*)", operation.path):
            if name not in declared:
                self.refuse(operation.where, f'the path parameter "{name}" is not declared')
            ordered.append(declared.pop(name))
        for name in declared:
            self.refuse(operation.where, f'the path parameter "{name}" is not in the path')
        operation.parameters["path"] = ordered

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
        """The number of its schema, or None where the bytes are not JSON."""
        self.document.members(definition, ("schema", "example", "examples"), where)
        if not re.fullmatch("[^/*; \t]+/[^*; \t]+", name):
            self.refuse(where, "a media type must be type/subtype, without parameters")
        is_json = name.lower() == "application/json" or name.lower().endswith("+json")
        if is_json and "schema" not in definition:
            self.refuse(where, "needs a schema")
        if "schema" not in definition:
            return None
        number = self.schemas.add(definition["schema"], below(where, "schema"))
        return number if is_json else None

    def _request_body(self, definition, where):
        definition = self.document.resolve(definition, where)
        self.document.members(definition, ("description", "content", "required"), where)
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
        allowed = "description required deprecated schema example examples"
        self.document.members(definition, allowed.split(), where)
        if "schema" not in definition:
            self.refuse(where, "needs a schema")
        self.schemas.add(definition["schema"], below(where, "schema"))

    def _response(self, definition, where):
        definition = self.document.resolve(definition, where)
        self.document.members(definition, ("description", "headers", "content"), where)
        if not isinstance(definition.get("description"), str):
            self.refuse(where, "needs a description")
        headers = definition.get("headers", {})
        if not isinstance(headers, dict):
            self.refuse(below(where, "headers"), "must be an object")
        for name, header in headers.items():
            self._header(header, below(where, "headers", name))
        if "content" not in definition:
            return []
        return self._content(definition["content"], below(where, "content"))

    # ---- routes

    def _add_route(self, number, operation):
        path, where = operation.path, below("#/paths", operation.path)
        if not path.startswith("/"):
            self.refuse(where, "a path must begin with /")
        node = self.routes
        segments = path.split("/")[1:] if path != "/" else []
        # "literal" or "{parameter}", nothing in between.
        if len(segments) > SEGMENTS_MAX or not all(
            re.fullmatch("[^{}]+|{[^{}]+}", segment) for segment in segments
        ):
            self.refuse(
                where,
                f"a path must be of at most {SEGMENTS_MAX} segments, "
                "each a text or a {parameter}",
            )
        for segment in segments:
            if segment.startswith("{"):
                node.parameter = node.parameter or Route()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, Route())
        if node.path not in (None, path):
            self.refuse(where, f"matches the same paths as {node.path}")
        node.path = path
        node.operations[operation.method] = number
