"""The parameters of operations: names, kinds, and order."""

import re
from dataclasses import dataclass

from compiler.node import INTEGER, NUMBER, STRING, TYPES
from compiler.values import below

PATH_PARAMETERS_MAX = 4  # as ../contract.h has them: each contract that is compiled compares
ARGUMENTS_MAX = 24

KINDS = {STRING: "STRING", INTEGER: "INTEGER", NUMBER: "NUMBER", TYPES["boolean"]: "BOOLEAN"}
# OpenAPI 3.1 section 4.8.12.2.1: parameters of these names are to be ignored.
RESERVED_HEADERS = {"accept", "content-type", "authorization"}


@dataclass
class Parameter:
    name: str
    place: str  # "path", "query", "header"
    kind: str
    schema: int
    required: bool
    scope: str = None


class Parameters:
    """Reads parameters from a document; Fault if one is wrong."""

    def __init__(self, document, schemas):
        self.document = document
        self.schemas = schemas

    def read_all(self, operation, definition, where):
        """Adds those of a path or an operation. An operation's own parameters replace those of its
        path."""
        parameters = definition.get("parameters", [])
        if not isinstance(parameters, list):
            self.document.refuse(where, "parameters must be a list")
        inherited = {place: len(of) for place, of in operation.parameters.items()}
        for i, value in enumerate(parameters):
            place = below(where, "parameters", i)
            parameter = self.read(value, place)
            self._put(operation, parameter, inherited[parameter.place], place)

    def _put(self, operation, parameter, inherited, where):
        of = operation.parameters[parameter.place]
        fold = str.lower if parameter.place == "header" else str
        for i, other in enumerate(of):
            if fold(other.name) == fold(parameter.name):
                if i >= inherited:
                    self.document.refuse(where, f'"{parameter.name}" is there twice')
                of[i] = parameter
                return
        of.append(parameter)
        counts = {place: len(of) for place, of in operation.parameters.items()}
        arguments = counts["query"] + counts["header"]
        if counts["path"] > PATH_PARAMETERS_MAX or arguments > ARGUMENTS_MAX:
            self.document.refuse(where, "too many parameters")

    def read(self, definition, where):
        """The Parameter that a definition, or the target of its reference, describes."""
        definition = self.document.resolve(definition, where)
        allowed = ("name", "in", "description", "required", "schema", "example", "x-scope")
        self.document.members(definition, allowed, where)
        required = self.document.flag(definition, "required", where)
        name, place = definition.get("name"), definition.get("in")
        # What needs no escape in a path, a query, a header or a pointer.
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z0-9_.-]{1,63}", name):
            self.document.refuse(where, "a parameter's name must be letters, digits, - _ .")
        if "schema" not in definition:
            self.document.refuse(where, "needs a schema")
        number = self.schemas.add(definition["schema"], below(where, "schema"))
        kind = KINDS.get(self.schemas.open_types(number))
        if not kind:
            reason = "a parameter must be a string, an integer, a number or a boolean"
            self.document.refuse(below(where, "schema"), reason)
        self._check_place(name, place, required, kind, where)
        scope = self._scope(definition, place, where)
        return Parameter(name, place, kind, number, required, scope)

    def _scope(self, definition, place, where):
        if "x-scope" not in definition:
            return None
        if place != "query":
            self.document.refuse(where, "x-scope is for parameters in the query")
        return self.schemas.security.scope(definition["x-scope"], where)

    def _check_place(self, name, place, required, kind, where):
        if place not in ("path", "query", "header"):
            self.document.refuse(where, "parameters must be in path, query or header")
        if place == "path" and not required:
            self.document.refuse(where, 'a path parameter needs "required": true')
        if place == "path" and kind != "STRING":
            self.document.refuse(where, "a path parameter must be a string")
        if place == "header" and name.lower() in RESERVED_HEADERS:
            self.document.refuse(where, f"{name} cannot be a header parameter")

    def order_path(self, operation):
        """Sorts the path parameters as in the template; each must be in both."""
        declared = {parameter.name: parameter for parameter in operation.parameters["path"]}
        ordered = []
        for name in re.findall("{([^}]*)", operation.path):
            if name not in declared:
                reason = f'the path parameter "{name}" is not declared'
                self.document.refuse(operation.where, reason)
            ordered.append(declared.pop(name))
        for name in declared:
            self.document.refuse(operation.where, f'the path parameter "{name}" is not in the path')
        operation.parameters["path"] = ordered
