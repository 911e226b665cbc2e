"""contract/compile.py: what it refuses, with which words, and what its tables contain."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bad_documents import A, REFUSED, REFUSED_PATTERNS, REFUSED_SCHEMAS, STRING
from bad_documents import components, get, paths
from bad_security import REFUSED_SECURITY

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "fcgi-apps" / "contract"
sys.path.insert(0, str(CONTRACT))
sys.dont_write_bytecode = True

import compile as program  # noqa: E402
from compiler.document import Document  # noqa: E402
from compiler.node import ANY, ARRAY, INTEGER, NUMBER, STRING as TEXT, TYPES  # noqa: E402
from compiler.pattern import compile_pattern  # noqa: E402
from compiler.schema import Schemas  # noqa: E402
from compiler.values import Fault  # noqa: E402

COMPONENTS = (CONTRACT / "components.json").read_text()


def compiled(value, handlers=()):
    text = value if isinstance(value, str) else json.dumps(value)
    return program.compile_document("t", "t.json", text, "shared.json", COMPONENTS, handlers)


def refusal(value, handlers=()):
    with pytest.raises(Fault) as fault:
        compiled(value, handlers)
    return str(fault.value)


WRONG_DOCUMENTS = REFUSED + REFUSED_SECURITY


@pytest.mark.parametrize(("value", "reason"), WRONG_DOCUMENTS, ids=[r for _, r in WRONG_DOCUMENTS])
def test_a_wrong_document_is_refused(value, reason):
    shared = "shared.json" if "openapi.json" in reason else "t.json"
    assert refusal(value) == shared + reason


@pytest.mark.parametrize(("schema", "reason"), REFUSED_SCHEMAS, ids=[r for _, r in REFUSED_SCHEMAS])
def test_a_wrong_schema_is_refused(schema, reason):
    fault = refusal(components({"schemas": {"A": schema}}))
    assert fault == "t.json" + reason.replace("#", A, 1)


@pytest.mark.parametrize("pattern", REFUSED_PATTERNS)
def test_a_pattern_outside_the_subset_is_refused(pattern):
    fault = refusal(components({"schemas": {"A": {"pattern": pattern}}}))
    assert fault.startswith(f"t.json{A}: pattern {pattern}: ")


@pytest.mark.parametrize("pattern", ["(a|b)*a(a|b){9}", "a{500}", "((a{100}){100}){100}", "a" * 1025])
def test_a_pattern_that_takes_much_is_refused(pattern):
    assert f"{A}: pattern a" in refusal(components({"schemas": {"A": {"pattern": pattern}}})).replace(
        "pattern (", "pattern a("
    )


def test_too_many_parameters_are_refused():
    many = [
        {"name": f"p{i}", "in": "query" if i % 2 else "header", **STRING} for i in range(25)
    ]
    assert refusal(get({"parameters": many})) == (
        "t.json#/paths/~1x/get/parameters/24: too many parameters"
    )


def test_what_is_wrong_in_the_shared_components_is_told_of_them():
    shared = json.loads(COMPONENTS)
    shared["components"]["schemas"]["Price"]["multipleOf"] = 1
    with pytest.raises(Fault) as fault:
        program.compile_document("t", "t.json", json.dumps(paths({})), "s.json", json.dumps(shared))
    assert str(fault.value) == (
        's.json#/components/schemas/Price: the keyword "multipleOf" is not supported'
    )


@pytest.mark.parametrize("text", ["[" * 100_000, json.dumps(components({"schemas": {"A": {"pattern": "(" * 600}}}))])
def test_what_is_nested_too_deeply_is_refused(text):
    assert refusal(text) == "t.json: is nested too deeply"


@pytest.mark.parametrize("number", ["1e401", "1e-401", "1e9999999999999999999", "1" * 401])
def test_a_number_that_is_too_long_is_refused(number):
    assert "out of range" in refusal('{"a": %s}' % number)


@pytest.mark.parametrize(
    ("shared", "reason"),
    [
        ("[]", "#: paths and components must be objects"),
        ('{"paths": 1}', "#: paths and components must be objects"),
        ('{"components": {"schemas": 1}}', "#/components/schemas: must be an object"),
        ("{", ": Expecting property name enclosed in double quotes at line 1, column 2"),
    ],
)
def test_wrong_shared_components_are_refused(shared, reason):
    with pytest.raises(Fault) as fault:
        program.compile_document("t", "t.json", json.dumps(paths({})), "s.json", shared)
    assert str(fault.value) == "s.json" + reason


WRONG = [None, True, -1, 10**30, "x", "", [], {}, ["a", "a"], [[]], [{}], {"a": {}}, {"$ref": 1}]


def members(value):
    """Each kind of member once: its object, its name."""
    seen, todo = set(), [(value, "")]
    while todo:
        part, above = todo.pop()
        for name in part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ():
            kind = (above, name if isinstance(part, dict) else 0)
            if kind not in seen:
                seen.add(kind)
                yield part, name
                todo.append((part[name], name if isinstance(part, dict) else above))


def test_a_member_of_a_wrong_type_is_refused_or_harmless():
    """Never a traceback; accepted input is ASCII, like the C that is written."""
    value = json.loads((ROOT / "tests/unit/contracts/parameters.json").read_text())
    value["components"] = {"schemas": {"Price": {"type": ["number", "null"], "enum": ["a"]}}}
    for part, name in list(members(value)):
        right = part[name]
        for wrong in WRONG:
            part[name] = wrong
            try:
                text = json.dumps(value)
                assert program.compile_document("t", "t.json", text, "s.json", "{}").isascii()
            except Fault as fault:
                assert str(fault).startswith(("t.json#/", "t.json#: "))
        part[name] = right


# ---- handlers

META = [str(ROOT / "fcgi-apps" / "responder" / "meta.c")]


def service(tmp_path, *names):
    path = tmp_path / "service.c"
    path.write_text("".join(f"BINDING({name}) = {{0}};\n" for name in names))
    return str(path)


def test_each_operation_gets_its_handler(tmp_path):
    text = compiled(get({}), [service(tmp_path, "a"), *META])
    assert re.findall("&binding_(\\w+)", text)[0] == "a"
    assert text.count("&binding_") == 9


def test_an_operation_without_a_handler_is_refused(tmp_path):
    path = service(tmp_path)
    assert refusal(get({}), [path, *META]) == (
        f"t.json#/paths/~1x/get: a has no handler in {path} or {META[0]}"
    )


def test_a_handler_without_an_operation_is_refused(tmp_path):
    path = service(tmp_path, "a", "ghosts")
    assert refusal(get({}), [path, *META]) == (
        f"{path}:2: the handler ghosts has no operation in t.json"
    )


def test_two_handlers_of_an_operation_are_refused(tmp_path):
    path = service(tmp_path, "a", "a")
    assert refusal(get({}), [path, *META]) == f"{path}:2: a has a handler already"


def test_a_shared_operation_needs_its_handler(tmp_path):
    path = service(tmp_path, "a")
    assert "shared.json#/paths/~1/get: getServiceInfo has no handler" in refusal(get({}), [path])


# ---- what the tables hold

OPEN_TYPES = [
    ({}, ANY),
    ({"type": "string"}, TEXT),
    ({"type": "string", "minLength": 1}, TEXT),
    ({"type": "integer"}, INTEGER),
    ({"type": "number"}, NUMBER),
    ({"$ref": A + "/items", "items": {"type": "boolean"}}, TYPES["boolean"]),
    ({"$ref": A + "/items", "items": {"format": "uri"}}, ANY),
    ({"type": "number", "allOf": [{"type": "integer"}]}, INTEGER),
    ({"allOf": [{"type": "array", "items": {"type": "string"}}]}, ARRAY),
]


@pytest.mark.parametrize(("schema", "types"), OPEN_TYPES)
def test_types_that_a_schema_leaves_open(schema, types):
    text = json.dumps(components({"schemas": {"A": schema}}))
    schemas = Schemas(Document("t.json", text, "shared.json", COMPONENTS))
    assert schemas.open_types(schemas.add(schema, A)) == types


PATTERNS = [
    "", "b", "^a", "a$", "^$", "^a*$", "^(a|bc)+$", "a{2}", "^a{1,2}b?$", "^a{2,}$", "(^a|b$)",
    "^[^-a-]+$", "^[a-c]*[^ ]$", "(?:ab|a)c", "^(a*)*b$", "a|^b|c$", "^\\.\\/\\}$", "[^ ]", "^a|",
]  # fmt: skip


def matches(pattern, text):
    automaton = compile_pattern(pattern)
    state = 0
    for byte in text.encode():
        state = automaton.next[state][automaton.classes[byte]]
    return automaton.accepts[state]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_automaton_finds_what_the_expression_does(pattern):
    chance = random.Random(pattern)
    for _ in range(500):
        text = "".join(chance.choices("abc- ./}é😀", k=chance.randrange(6)))
        # Python's $ also matches before a line break at the end: there is none.
        assert matches(pattern, text) == bool(re.search(pattern, text)), text


# ---- the program


def run(tmp_path, value):
    path = tmp_path / "t.json"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    output = tmp_path / "t.c"
    command = [CONTRACT / "compile.py", "--output", output, "t", path, CONTRACT / "components.json"]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    return done, path, output


def test_the_program_writes_a_file(tmp_path):
    done, _, output = run(tmp_path, get({}))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "const struct contract t_contract = {" in output.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.c", "t.json"]


def test_the_program_says_where_and_why(tmp_path):
    done, path, output = run(tmp_path, get({"callbacks": []}))
    assert done.returncode == 1
    assert done.stderr == f'{path}#/paths/~1x/get: "callbacks" is not supported\n'
    assert not output.exists()


def test_the_program_refuses_what_is_not_utf8(tmp_path):
    done, path, _ = run(tmp_path, b'{"a": "\xff"}')
    assert (done.returncode, done.stderr) == (1, f"{path}: byte 7 is not UTF-8\n")


def test_the_program_says_that_it_cannot_write(tmp_path):
    (tmp_path / "t.c").mkdir()
    done, _, output = run(tmp_path, get({}))
    assert done.returncode == 1
    assert "Is a directory" in done.stderr and "Traceback" not in done.stderr
