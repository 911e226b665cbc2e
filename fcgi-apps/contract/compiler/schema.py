"""JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1) as numbered nodes.

What a document says and these nodes do not hold is refused: a document can't claim what is not
enforced. ../schema.h lists the keywords.
"""

from dataclasses import replace
from decimal import Decimal

from compiler.document import TEXTS
from compiler.node import ANY, ARRAY, INTEGER, NUMBER, OBJECT, STRING, TYPES, Node
from compiler.pattern import compile_pattern
from compiler.security import Security
from compiler.values import below, decimal_parts, dump, is_number, whole

ANNOTATIONS = {"default", "description", "examples", "title"}
# Of strings; and what one of numbers promises to hold, on both sides of 0.
FORMATS = {"date-time", "id", "text-block", "text-line", "uri"}
NORMALIZING = {"id", "text-block", "text-line"}
MAGNITUDES = {"int32": 2**31 - 1, "int64": 2**63 - 1}

COUNT_MAX = 2**31 - 1  # of characters, elements, decimals
UNIQUE_ITEMS_MAX = 1000  # every pair is compared
EXPECTED_MAX = 256  # bytes of a list of allowed values in a message


class Schemas:
    """All schemas of a document; equal schemas share a node, unless a $ref names them."""

    def __init__(self, document):
        self.document = document
        self.security = Security(document)
        self.nodes = []
        self.patterns = {}
        self._straight = set()  # the nodes that don't lead back to themselves
        self._numbers = {}  # of nodes without a place of their own
        self._places = {}  # of nodes that a $ref leads to; None: being looked at

    def add(self, definition, where):
        """The number of the schema's node."""
        first_new = len(self.nodes)
        number = self._at(definition, where)
        for node in range(first_new, len(self.nodes)):
            if self._is_circular(node, set()):
                self.document.refuse(where, "a $ref leads back to itself")
        return number

    def open_types(self, number):
        """The types that a schema permits, considering its parts."""
        types = self.nodes[number].types
        for part in self.nodes[number].all_of:
            types &= self.open_types(part)
        return types

    def normal_format(self, number):
        """The format that defines a string's normal form, or None."""
        node = self.nodes[number]
        if node.format in NORMALIZING:
            return node.format
        return next(filter(None, map(self.normal_format, node.all_of + node.one_of)), None)

    def scoped_members(self, number):
        """The members of a request's body that have an x-scope; refuses one further inside, where
        nothing would look."""
        members, seen, todo = set(), set(), [(number, True)]
        while todo:
            at, is_body = todo.pop()
            if (at, is_body) in seen:
                continue
            seen.add((at, is_body))
            node = self.nodes[at]
            own = {child for _, child, _ in node.members or () if self.scope(child)}
            for child in node.children():
                if self.nodes[child].scope and not (is_body and child in own):
                    self._refuse_scope(child)
                todo.append((child, is_body and child in node.all_of + node.one_of))
            members |= own
        return members

    def check_scoped(self, enforced):
        """Refuses an x-scope of any other node."""
        for number, node in enumerate(self.nodes):
            if node.scope and number not in enforced:
                self._refuse_scope(number)

    def _refuse_scope(self, number):
        where = self.nodes[number].scope[1]
        self.document.refuse(where, "x-scope is for members of a request's body")

    def scope(self, number):
        """The scope that a member takes by its schema, or None."""
        scope = None if number is None else self.nodes[number].scope
        return scope and scope[0]

    def _is_circular(self, number, open_nodes):
        """Whether a check would return to a node with the same value, endlessly."""
        if number in self._straight:
            return False
        node = self.nodes[number]
        inside = open_nodes | {number}
        if any(n in inside or self._is_circular(n, inside) for n in node.all_of + node.one_of):
            return True
        self._straight.add(number)
        return False

    def _at(self, definition, where):
        if where in self._places:
            return self._place(where, definition)
        if _is_reference(definition):
            return self._reference(definition, where)
        node = self._node(definition, where)
        if node not in self._numbers:
            self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return self._numbers[node]

    def _reference(self, definition, where):
        reference = definition["$ref"]
        return self._place(reference, self.document.target(reference, where))

    def _place(self, where, definition):
        """A node that exists before its definition is read: this ends recursion."""
        if where not in self._places:
            if _is_reference(definition):
                self._places[where] = None
                self._places[where] = self._reference(definition, where)
            else:
                self._places[where] = len(self.nodes)
                self.nodes.append(Node())
                self.nodes[self._places[where]] = self._node(definition, where)
        if self._places[where] is None:
            self.document.refuse(where, "a $ref leads back to itself")
        return self._places[where]

    def _node(self, definition, where):
        if not isinstance(definition, dict):
            self.document.refuse(where, "a schema must be an object")
        self.document.texts(definition, TEXTS, where)
        node = Node(money=self.document.money(where))
        for keyword, value in definition.items():
            read, _ = KEYWORDS.get(keyword, (None, None))
            if read:
                node = replace(node, **read(self, definition, keyword, value, where))
            elif keyword not in ANNOTATIONS:
                self.document.refuse(where, f'the keyword "{keyword}" is not supported')
        if node.unique and node.elements[1] is None:
            node = replace(node, elements=(node.elements[0], UNIQUE_ITEMS_MAX))
        self._check_together(definition, node, where)
        return node if node.format in FORMATS else replace(node, format=None)

    def _check_together(self, definition, node, where):
        """Checks that no single keyword can make alone."""
        for keyword in definition.keys() & KEYWORDS.keys():
            if not node.types & KEYWORDS[keyword][1]:
                self.document.refuse(where, f"{keyword} says nothing about values of this type")
        if node.minimum and node.maximum and Decimal(node.minimum) > Decimal(node.maximum):
            self.document.refuse(where, "minimum is greater than maximum")
        if node.unique and node.elements[1] > UNIQUE_ITEMS_MAX:
            self.document.refuse(
                where, f"uniqueItems takes a maxItems of at most {UNIQUE_ITEMS_MAX}"
            )
        self._check_format(node, where)

    def _check_format(self, node, where):
        """int32 and int64 announce how large a stored number can get: its bounds must guarantee
        that."""
        if node.format in FORMATS and not node.types & STRING:
            self.document.refuse(where, f"{node.format} is for strings")
        most = MAGNITUDES.get(node.format)
        if most is None:
            return
        if node.types & ~TYPES["null"] == INTEGER and node.minimum and node.maximum:
            if -most <= Decimal(node.minimum) and Decimal(node.maximum) <= most:
                return
        self.document.refuse(
            where, f"{node.format} is for integers, with a minimum and a maximum that fit it"
        )

    # ---- keywords: what each sets in a node

    def _scope(self, _definition, _keyword, value, where):
        return {"scope": (self.security.scope(value, where), where)}

    def _additional(self, definition, _keyword, value, where):
        if value is not False:
            self.document.refuse(where, "additionalProperties must be false")
        return {"closed": True, "members": self._members(definition, where)}

    def _list(self, definition, keyword, value, where):
        if not isinstance(value, list) or not value:
            self.document.refuse(where, f"{keyword} must be a list that is not empty")
        numbers = tuple(self._at(part, below(where, keyword, i)) for i, part in enumerate(value))
        if keyword == "oneOf":
            return {"one_of": numbers}
        own = (self._reference(definition, where),) if "$ref" in definition else ()
        return {"all_of": own + numbers}

    def _ref(self, definition, _keyword, _value, where):
        return {} if "allOf" in definition else {"all_of": (self._reference(definition, where),)}

    def _enum(self, _definition, _keyword, value, where):
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            self.document.refuse(where, "enum must be a list of strings that is not empty")
        if len(set(value)) < len(value):
            self.document.refuse(where, "enum has a value twice")
        return {"enum": tuple(value)}

    def _number(self, _definition, keyword, value, where):
        if not is_number(value) or abs(int(decimal_parts(value)[0])) > MAGNITUDES["int64"]:
            self.document.refuse(where, f"{keyword} must be a number of at most 18 digits")
        return {keyword: str(value)}

    def _not(self, definition, _keyword, value, where):
        """A single excluded number is all that documents need, and it leaves the type unchanged for
        client generators."""
        if not isinstance(value, dict) or list(value) != ["const"] or not is_number(value["const"]):
            self.document.refuse(where, "not must hold a const, a number, and nothing else")
        return {"excluded": self._number(definition, "const", value["const"], where)["const"]}

    def _count(self, where, keyword, value):
        count = whole(value)
        if count is None or not 0 <= count <= COUNT_MAX:
            self.document.refuse(where, f"{keyword} must be a whole number from 0 to {COUNT_MAX}")
        return count

    def _decimals(self, _definition, keyword, value, where):
        return {"decimals": self._count(where, keyword, value)}

    def _pattern(self, _definition, _keyword, value, where):
        if not isinstance(value, str):
            self.document.refuse(where, "pattern must be a string")
        try:
            self.patterns[value] = self.patterns.get(value) or compile_pattern(value)
        except ValueError as error:
            self.document.refuse(where, f"pattern {value}: {error}")
        return {"pattern": value}

    def _format(self, _definition, _keyword, value, where):
        known = sorted(FORMATS | MAGNITUDES.keys())
        if value not in known:
            names = ", ".join(known[:-1]) + " and " + known[-1]
            self.document.refuse(where, f"format {dump(value)} is not checked; {names} are")
        return {"format": value}

    def _items(self, _definition, keyword, value, where):
        return {"items": self._at(value, below(where, keyword))}

    def _unique(self, _definition, _keyword, value, where):
        if not isinstance(value, bool):
            self.document.refuse(where, "uniqueItems must be true or false")
        return {"unique": value}

    def _type(self, _definition, _keyword, value, where):
        types = 0
        for name in value if isinstance(value, list) else [value]:
            if not isinstance(name, str) or name not in TYPES:
                self.document.refuse(where, "type must name JSON Schema types")
            if types & TYPES[name]:
                self.document.refuse(where, "type names a type twice")
            types |= TYPES[name]
        return {"types": types} if types else self.document.refuse(where, "type must not be empty")

    def _object(self, definition, _keyword, _value, where):
        return {"members": self._members(definition, where)}

    def _members(self, definition, where):
        """Makes one table of `properties` and `required`."""
        properties = definition.get("properties", {})
        required = definition.get("required", [])
        if not isinstance(properties, dict):
            self.document.refuse(where, "properties must be an object")
        if not isinstance(required, list):
            self.document.refuse(where, "required must be a list")
        for i, name in enumerate(required):
            if not isinstance(name, str):
                self.document.refuse(where, "required must hold strings")
            if name in required[:i]:
                self.document.refuse(where, f'required names "{name}" twice')
        return tuple(
            (name, self._at(value, below(where, "properties", name)), name in required)
            for name, value in properties.items()
        ) + tuple((name, None, True) for name in required if name not in properties)


def _is_reference(definition):
    """Whether it is just another schema with its own description."""
    return isinstance(definition, dict) and definition.keys() - ANNOTATIONS == {"$ref"}


def _range(field, lowest, highest, types):
    """Two keywords that set one field, whichever comes first."""

    def read(schemas, definition, _keyword, _value, where):
        low, high = (
            schemas._count(where, keyword, definition[keyword]) if keyword in definition else none
            for keyword, none in ((lowest, 0), (highest, None))
        )
        if high is not None and high < low:
            schemas.document.refuse(where, f"{lowest} is greater than {highest}")
        return {field: (low, high)}

    return dict.fromkeys((lowest, highest), (read, types))


# How each is read, and the types of values that it says something about.
KEYWORDS = {
    "$ref": (Schemas._ref, ANY),
    "additionalProperties": (Schemas._additional, OBJECT),
    "allOf": (Schemas._list, ANY),
    "enum": (Schemas._enum, STRING),
    "format": (Schemas._format, ANY),
    "items": (Schemas._items, ARRAY),
    "maximum": (Schemas._number, NUMBER),
    "minimum": (Schemas._number, NUMBER),
    "not": (Schemas._not, NUMBER),
    "oneOf": (Schemas._list, ANY),
    "pattern": (Schemas._pattern, STRING),
    "properties": (Schemas._object, OBJECT),
    "required": (Schemas._object, OBJECT),
    "type": (Schemas._type, ANY),
    "uniqueItems": (Schemas._unique, ARRAY),
    "x-decimals": (Schemas._decimals, NUMBER),
    "x-scope": (Schemas._scope, ANY),
    **_range("characters", "minLength", "maxLength", STRING),
    **_range("elements", "minItems", "maxItems", ARRAY),
}
