"""Bodies with one thing wrong, made from the schema and the example of an operation."""

import copy
import json

from documents import TYPES, types_of

MARK = "@@"
OF_EACH_TYPE = {
    "null": "null",
    "boolean": "true",
    "number": "1.5",
    "string": '"text"',
    "array": "[]",
    "object": "{}",
}

# JSON texts that are none, in the place of a value: what JavaScript, Python or C would take.
NO_JSON = [
    "'text'", "text", "NaN", "-NaN", "Infinity", "-Infinity", "nan", "undefined", "None", "True",
    "01", "+1", "-", "1.", ".5", "1e", "0x10", "1_000", "--1", "1e400000000000000000000x",
    '"unfinished', '"\\x41"', '"\\u12"', '"\\u{41}"', '"tab\there"', '"line\nbreak"', "[1,]",
    '{"a":1,}', '{"a" 1}', "{a:1}", "[1 2]", "/* comment */ 1", "1 // comment", ",",
    '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"', '"\\udc00\\ud800"',
    b'"\xff"', b'"\xc0\x80"', b'"\xc3"', b'"\xe2\x82"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"',
    b'"\xf8\x88\x80\x80\x80"', b'"a\x00b"', b"\x00",
]  # fmt: skip

# In the place of the whole body; each is a violation of the body itself.
NO_BODY = [
    b"", b" ", b"{", b"}", b"[", b"]", b"{]", b"[}", b'"', b"{}{}", b"{} x", b"{},",
    b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf{}", b"[" + b"{}," * 1500 + b"{}]",
    b"\xff\xfe{\x00}\x00", b"\x00", b"{}\x00", b"{\x00}", b"null", b"true", b"1", b"[]", b"[{}]",
    b'"{}"', b"a=1&b=2", b"<a/>", b"[" * 20, b"[" * 16_000, b'{"a":' * 3_000, b"{" * 16_000,
    b"[" * 8_000 + b"]" * 8_000, b'{"a":' * 17 + b"1" + b"}" * 17, b"9" * 16_000,
    b'{"' + b"a" * 16_000, b'{"a":"' + b"\\u0061" * 2_600,
]  # fmt: skip

# Numbers beyond every limit of the schemas, written in every way.
LARGE = [
    "9223372036854775807", "-9223372036854775808", "9007199254740992", "-9007199254740992", "1e18", "1e19",
    "1e308", "1e400", "-1e400", "1E+400", "1e999999999999", "9223372036854775808.5",
]  # fmt: skip
# Integers beyond 64 bits are already no JSON to the services.
BEYOND_64_BITS = [
    "9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999",
    "-99999999999999999999", "9" * 4000,
]  # fmt: skip


def member(value, path):
    for name in path:
        value = value[name]
    return value


def pointer_of(path):
    return "".join(f"/{name}" for name in path)


def with_text(example, path, text):
    """The example as JSON, with any text in place of one value."""
    document = copy.deepcopy(example)
    if path:
        member(document, path[:-1])[path[-1]] = MARK
    else:
        document = MARK
    text = text if isinstance(text, bytes) else text.encode()
    return json.dumps(document).encode().replace(f'"{MARK}"'.encode(), text)


def places(operation, schema, value, path=()):
    """[(path, schema)] of every value that the schema knows in the example."""
    schema = operation.resolve(schema)
    found = [(path, schema)]
    if isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found += places(operation, inner, value[name], (*path, name))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            found += places(operation, schema["items"], element, (*path, index))
    return found


def wrong_types(schema):
    allowed = types_of(schema)
    for name, text in OF_EACH_TYPE.items():
        if name not in allowed and not any(TYPES[a](json.loads(text)) for a in allowed):
            yield text
    if "boolean" not in allowed:
        yield "false"
    if "integer" in allowed:
        yield from ("0.5", "1e-1", '"1"')
    if "number" in allowed:
        yield from ('"1.5"', '"0"')


def out_of_bounds(schema):
    """Texts of the right type that another keyword of the schema forbids."""
    types = types_of(schema)
    if "string" in types:
        if schema.get("minLength"):
            yield '""'
        if "maxLength" in schema:
            yield json.dumps("a" * (schema["maxLength"] + 1))
            yield json.dumps("\U0001f980" * (schema["maxLength"] + 1), ensure_ascii=False)
        if "enum" in schema:
            yield from ('"no such"', '""', json.dumps(schema["enum"][0].upper()))
        if schema.get("format") == "uri":
            yield from ('"no uri"', '"//x"', '"http://a b/"', '"http://[::1"')
    if "integer" in types or "number" in types:
        yield str(schema["minimum"] - 1)
        yield str(schema["maximum"] + 1)
        yield from LARGE
    if "x-decimals" in schema:
        yield from ("0.001", "1.005", "19.999", "1e-3", "1.0000000000000000001", "0.0099999")
    if "array" in types and "maxItems" in schema:
        yield json.dumps(["a"] * (schema["maxItems"] + 1))


def broken_bodies(operation, example):
    """(body, pointers): each body must be refused, and one of the pointers must be named."""
    schema = operation.schema_of_body()
    for body in NO_BODY if operation.body_required else NO_BODY[1:]:
        yield body, [""]
    for path, inner in places(operation, schema, example):
        pointer = pointer_of(path)
        for text in NO_JSON:
            yield with_text(example, path, text), [""]
        if {"integer", "number"} & set(types_of(inner)):
            for text in BEYOND_64_BITS:
                yield with_text(example, path, text), [""]
        for text in (*wrong_types(inner), *out_of_bounds(inner)):
            yield with_text(example, path, text), [pointer]
        if isinstance(member(example, path), dict):
            yield from broken_objects(inner, example, path, pointer)


def broken_objects(schema, example, path, pointer):
    value = member(example, path)
    whole = json.dumps(value)
    for name in value:
        twice = json.dumps({name: value[name]})[1:-1]
        yield with_text(example, path, f"{{{twice},{whole[1:]}"), [""]
        escaped = "".join(f"\\u{ord(character):04x}" for character in name)
        respelled = twice.replace(f'"{name}"', f'"{escaped}"', 1)
        yield with_text(example, path, f"{{{respelled},{whole[1:]}"), [""]
        wrong_case = {**value, name.title(): 1}
        yield with_text(example, path, json.dumps(wrong_case)), [f"{pointer}/{name.title()}"]
    for name in schema.get("required", []):
        rest = {key: inner for key, inner in value.items() if key != name}
        yield with_text(example, path, json.dumps(rest)), [f"{pointer}/{name}", pointer]
    for name in ("unknown", "__proto__", "a/b~c", "", "ä", "\u0001", "%s%n", "x" * 300):
        more = json.dumps({**value, name: 1})
        escaped = name.replace("~", "~0").replace("/", "~1")
        yield with_text(example, path, more), [f"{pointer}/{escaped}"]
