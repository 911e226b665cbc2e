"""Who may call an operation: its `security`, and `x-scope` where what is sent decides."""

import re
from dataclasses import dataclass

from compiler.values import below

SCOPES_MAX = 64  # a set of them is a uint64_t
SCOPE = "[a-z][a-z_-]*(:[a-z][a-z_-]*)?"
ADMIN = "admin"  # stands for all of them

# What the schemes that the worker knows are, but for their descriptions.
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cartSecret": {"type": "apiKey", "in": "header", "name": "Cart-Secret"},
    "service": {"type": "http", "scheme": "bearer"},
}
# Who each alternative lets in: ../contract.h. "token" with a scope is in none of these.
CALLERS = {"token": "CUSTOMER", "cartSecret": "GUEST", "service": "SERVICE"}
REFUSALS = (401, 403)  # an operation that asks who calls declares these


@dataclass(frozen=True)
class Access:
    """callers of enum access_caller; whoever has one of the scopes may call as well."""

    callers: tuple
    scopes: tuple = ()


class Security:
    """Reads it from a document; Fault where it is wrong, or cannot be enforced."""

    def __init__(self, document):
        self.document = document
        self.scopes = set()

    def numbers(self):
        """The number of each scope of the document."""
        return {name: i for i, name in enumerate(sorted(self.scopes))}

    def read_scheme(self, definition, where):
        name = where.rpartition("/")[2]
        known = SCHEMES.get(name)
        if known is None:
            self.document.refuse(where, f"a scheme must be {', '.join(SCHEMES)}")
        self.document.members(definition, (*known, "description"), where)
        for member, value in known.items():
            if definition.get(member) != value:
                self.document.refuse(where, f'{member} must be "{value}"')

    def scope(self, name, where):
        """A scope that a document names, checked."""
        if not isinstance(name, str) or not re.fullmatch(SCOPE, name) or name == ADMIN:
            self.document.refuse(where, "a scope must be a name such as orders:read")
        self.scopes.add(name)
        if len(self.scopes) > SCOPES_MAX:
            self.document.refuse(where, f"there are more than {SCOPES_MAX} scopes")
        return name

    def read(self, definition, internal, where):
        """The Access of an operation."""
        if "security" not in definition:
            self.document.refuse(where, "needs security: who may call it")
        where, alternatives = below(where, "security"), definition["security"]
        if not isinstance(alternatives, list):
            self.document.refuse(where, "must be a list")
        callers, scopes = [], []
        for i, alternative in enumerate(alternatives):
            caller, scope = self._alternative(alternative, below(where, i))
            (scopes if scope else callers).append(scope or caller)
        if len(set(callers)) < len(callers) or len(set(scopes)) < len(scopes):
            self.document.refuse(where, "says something twice")
        if "SERVICE" in callers and not internal:
            self.document.refuse(where, "service is for internal operations")
        if internal and alternatives and (scopes or callers != ["SERVICE"]):
            self.document.refuse(where, "an internal operation is for service, or for all")
        return Access(tuple(callers) if alternatives else ("ANYONE",), tuple(scopes))

    def _alternative(self, alternative, where):
        """Who may call by it, and the scope it takes, or None."""
        if not isinstance(alternative, dict) or len(alternative) > 1:
            self.document.refuse(where, "must be an object with one scheme, or {} for nobody")
        for name, scopes in alternative.items():
            schemes = self.document.root["components"].get("securitySchemes", {})
            if name not in CALLERS or name not in schemes:
                self.document.refuse(where, f'"{name}" is no scheme of components/securitySchemes')
            if not isinstance(scopes, list) or len(scopes) > (name == "token"):
                self.document.refuse(below(where, name), "must be a list, of one scope at most")
            if scopes:
                return CALLERS[name], self.scope(scopes[0], below(where, name, 0))
            return CALLERS[name], None
        return "NOBODY", None

    def check_answers(self, operation):
        """What asks for a token refuses some: the answers to it are declared."""
        asks = operation.access != Access(("ANYONE",)) or operation.scoped
        declared = {status for status, _ in operation.answers}
        if asks and not declared.issuperset(REFUSALS):
            self.document.refuse(operation.where, "needs the responses 401 and 403")
