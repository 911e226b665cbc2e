"""JSON values: how they are read and written, and where they are in their file."""

import json
import re
from decimal import Decimal

NUMBER_MAX = 400  # digits, and zeros before or after them: as ../../base/decimal.h


class Fault(Exception):
    """A fault of a document: file, JSON Pointer and reason."""


class Gap(str):
    """A value of the served text that is known when a worker starts."""


def below(where, *names):
    """The JSON Pointer (RFC 6901) of a part."""
    for name in names:
        where += "/" + str(name).replace("~", "~0").replace("/", "~1")
    return where


def walk(value, where="#"):
    """A value and everything in it, each with its place."""
    yield where, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from walk(member, below(where, name))
    elif isinstance(value, list):
        for i, element in enumerate(value):
            yield from walk(element, below(where, i))


class Repeated(dict):
    """An object with a duplicate member, whose name this is."""


def _object(pairs):
    result = {}
    for name, value in pairs:
        if name in result:
            return Repeated(name=name)
        result[name] = value
    return result


def _number(text):
    number = Decimal(text)
    if abs(number.adjusted()) > NUMBER_MAX or len(text) > NUMBER_MAX:
        raise ValueError(f"the number {text[:20]}... is out of range")
    return int(text) if text.lstrip("-").isdigit() else number


def _no_constant(name):
    raise ValueError(f"{name} is no JSON")


def parse(path, text):
    """The JSON value of a file's text; raises Fault."""
    try:
        value = json.loads(
            text,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
        for where, part in walk(value):
            _check_texts(part, f"{path}{where}")
        return value
    except json.JSONDecodeError as error:
        raise Fault(f"{path}: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ArithmeticError:
        raise Fault(f"{path}: a number is out of range") from None
    except ValueError as error:
        raise Fault(f"{path}: {error}") from None


def _check_texts(value, where):
    texts = value if isinstance(value, dict) else [value] if isinstance(value, str) else ()
    if isinstance(value, Repeated):
        texts = value.values()
    # The one would end a string in C, the others are half a character.
    if any(re.search("[\\0\ud800-\udfff]", text) for text in texts):
        raise Fault(f"{where}: U+0000 and halves of surrogate pairs are not supported")
    if isinstance(value, Repeated):
        raise Fault(f'{where}: the member "{value["name"]}" is there twice')


def dump(value):
    """Compact JSON; numbers as they were written."""
    if isinstance(value, dict):
        members = (f"{dump(name)}:{dump(member)}" for name, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, Gap):
        return f"\0{value}\0"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def whole(value):
    """The number as an int if it is whole, however it is written; else None."""
    return int(value) if is_number(value) and value == int(value) else None


def decimal_parts(value):
    """A number's mantissa, as digits, and scale, as in ../../base/decimal.h."""
    sign, digits, exponent = Decimal(value).normalize().as_tuple() if value else (0, (0,), 0)
    return "-" * sign + "".join(map(str, digits)), -exponent
