"""A schema in the form of ../schema_node.h; other schemas are referred to by number."""

from dataclasses import dataclass

INTEGER, FRACTION, STRING, ARRAY, OBJECT, ANY = 4, 8, 16, 32, 64, 127
NUMBER = INTEGER | FRACTION
TYPES = {
    "null": 1,
    "boolean": 2,
    "integer": INTEGER,
    "number": NUMBER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}


@dataclass(frozen=True)
class Node:
    types: int = ANY
    enum: tuple = None
    # Numbers as the document writes them, for messages.
    minimum: str = None
    maximum: str = None
    excluded: str = None
    decimals: int = None
    money: str = None  # completed by the currency: "price", "amount"
    characters: tuple = (0, None)
    pattern: str = None
    format: str = None
    members: tuple = None  # of (name, number of the node or None, whether required)
    closed: bool = False
    items: int = None
    elements: tuple = (0, None)
    unique: bool = False
    scope: tuple = None  # x-scope: its name and where it stands
    # Applied to the same value.
    all_of: tuple = ()
    one_of: tuple = ()

    def children(self):
        yield from self.all_of + self.one_of
        yield from (number for _, number, _ in self.members or () if number is not None)
        if self.items is not None:
            yield self.items
