"""The tree of path segments that finds an operation."""

import re
from dataclasses import dataclass, field

from compiler.values import below

SEGMENTS_MAX = 16


@dataclass
class Route:
    literals: dict = field(default_factory=dict)  # by segment
    parameter: "Route" = None  # takes any segment
    operations: dict = field(default_factory=dict)  # by method; numbers
    path: str = None  # the template that ends here


def add_route(document, root, number, operation):
    """Makes an operation reachable; Fault if its path is invalid or matches another's."""
    path, where = operation.path, below("#/paths", operation.path)
    if not path.startswith("/"):
        document.refuse(where, "a path must begin with /")
    segments = path.split("/")[1:] if path != "/" else []
    # "literal", of what needs no escape, or "{parameter}", nothing in between.
    if len(segments) > SEGMENTS_MAX or not all(
        re.fullmatch("[A-Za-z0-9_.~-]+|{[^{}]+}", segment) for segment in segments
    ):
        document.refuse(
            where,
            f"a path must be of at most {SEGMENTS_MAX} segments, each a text or a {{parameter}}",
        )
    node = root
    for segment in segments:
        if segment.startswith("{"):
            node.parameter = node.parameter or Route()
            node = node.parameter
        else:
            node = node.literals.setdefault(segment, Route())
    if node.path not in (None, path):
        document.refuse(where, f"matches the same paths as {node.path}")
    node.path = path
    node.operations[operation.method] = number
