#!/usr/bin/env python3
"""Compiles a service's OpenAPI document to C.

    compile.py [--handlers FILE]… --output FILE NAME DOCUMENT COMPONENTS

DOCUMENT is the service's openapi.json, COMPONENTS what all services share. The file defines
`const struct contract NAME_contract`: routes, parameters, schemas, answers, and the document as it
is served. With --handlers also `NAME_bindings`, a BINDING() of one of these files for each
operation, in the order of the document.

A document that is wrong, that says what is not enforced, or that differs from the handlers ends
this with status 1 and a line that says where: file, JSON Pointer (RFC 6901), reason.
"""

import argparse
import os
import re
import sys

sys.dont_write_bytecode = True

from compiler.document import Document  # noqa: E402
from compiler.emit import Emitter  # noqa: E402
from compiler.operations import Operations  # noqa: E402
from compiler.schema import Schemas  # noqa: E402
from compiler.values import Fault  # noqa: E402


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise Fault(f"{path}: byte {error.start} is not UTF-8") from None


def check_handlers(document, operations, paths):
    """Each operation has one handler, and each handler an operation."""
    declared = {}
    for path in paths:
        for number, line in enumerate(read(path).splitlines(), 1):
            match = re.match(r"BINDING\((\w+)\)", line)
            if match and match[1] in declared:
                raise Fault(f"{path}:{number}: {match[1]} has a handler already")
            if match:
                declared[match[1]] = f"{path}:{number}"
    for operation in operations.list:
        if not declared.pop(operation.id, None):
            files = " or ".join(paths)
            document.refuse(operation.where, f"{operation.id} has no handler in {files}")
    for name, place in declared.items():
        raise Fault(f"{place}: the handler {name} has no operation in {document.path}")


def compile_document(name, path, text, shared_path, shared_text, handlers=()):
    """Returns the C file; raises Fault."""
    try:
        document = Document(path, text, shared_path, shared_text)
        schemas = Schemas(document)
        operations = Operations(document, schemas)
        if handlers:
            check_handlers(document, operations, handlers)
        return Emitter(name, document, schemas, operations).text(with_bindings=bool(handlers))
    except RecursionError:
        raise Fault(f"{path}: is nested too deeply") from None


def write(path, text):
    """Writes the file whole or not at all, even if another process builds it at the same time."""
    partial = f"{path}.{os.getpid()}"
    with open(partial, "w", encoding="ascii") as file:
        file.write(text)
    os.replace(partial, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--handlers", metavar="FILE", nargs="+", action="extend", default=[])
    parser.add_argument("--output", metavar="FILE", required=True)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("document", metavar="DOCUMENT")
    parser.add_argument("components", metavar="COMPONENTS")
    options = parser.parse_args()
    try:
        text = compile_document(
            options.name,
            options.document,
            read(options.document),
            options.components,
            read(options.components),
            options.handlers,
        )
        write(options.output, text)
    except (Fault, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
