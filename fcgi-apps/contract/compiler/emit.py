"""The tables in C: initialisers of ../contract_parts.h and ../schema_node.h."""

from compiler.c import array, boolean, fields, hexadecimal, pointer, quote
from compiler.document import METHODS
from compiler.parameters import ARGUMENTS_MAX, PATH_PARAMETERS_MAX
from compiler.schema import EXPECTED_MAX
from compiler.values import decimal_parts, dump


class Emitter:
    """Writes a compiled document, with only the schemas that are used."""

    def __init__(self, name, document, schemas, operations):
        self.name = name
        self.document = document
        self.schemas = schemas
        self.operations = operations
        self.numbers = {}  # in the C file, of the nodes that anything uses
        self.patterns = {}
        for operation in operations.list:
            for number in _used_by(operation):
                self._use(number)
        for number in operations.named_schemas.values():
            self._use(number)

    def _use(self, number):
        if number is None or number in self.numbers:
            return
        self.numbers[number] = len(self.numbers)
        for child in self.schemas.nodes[number].children():
            self._use(child)

    def schema(self, number):
        return None if number is None else f"&schemas[{self.numbers[number]}]"

    # ---- schemas

    def _count(self, ends):
        low, high = ends
        return f"{{{low}, {'SIZE_MAX' if high is None else high}}}"

    def _number(self, text):
        if text is None:
            return None
        mantissa, scale = decimal_parts(text)
        return f"{{{{INT64_C({mantissa}), {scale}}}, {quote(text)}}}"

    def _numbers(self, node):
        decimals = "SIZE_MAX" if node.decimals is None else str(node.decimals)
        return fields(
            minimum=self._number(node.minimum),
            maximum=self._number(node.maximum),
            excluded=self._number(node.excluded),
            decimals=decimals,
        )

    def _numeric_part(self, node):
        if node.money:
            return f"&settings.{node.money}"
        if (node.minimum, node.maximum, node.excluded, node.decimals) == (None,) * 4:
            return None
        return pointer("schema_numbers", self._numbers(node))

    def _string_part(self, node):
        if node.characters == (0, None) and not node.pattern and not node.format:
            return None
        return pointer(
            "schema_string",
            fields(
                characters=self._count(node.characters),
                pattern=self._pattern(node.pattern),
                format=_format(node.format),
            ),
        )

    def _pattern(self, source):
        if source is None:
            return None
        return f"&patterns[{self.patterns.setdefault(source, len(self.patterns))}]"

    def _object_part(self, node):
        if node.members is None:
            return None
        members = [
            f"{{{quote(name)}, {self.schema(number) or 'NULL'}, {boolean(required)},"
            f" {self._scopes(self.schemas.scope(number))}}}"
            for name, number, required in node.members
        ]
        return pointer(
            "schema_object",
            fields(
                members=array("struct schema_member", members),
                member_count=str(len(members)),
                required_count=str(sum(required for _, _, required in node.members)),
                closed=boolean(node.closed),
            ),
        )

    def _array_part(self, node):
        if node.items is None and node.elements == (0, None) and not node.unique:
            return None
        return pointer(
            "schema_array",
            fields(
                items=self.schema(node.items),
                elements=self._count(node.elements),
                unique=boolean(node.unique),
            ),
        )

    def _values(self, enum):
        if enum is None:
            return None
        expected = "one of " + ", ".join(map(dump, enum))
        if len(expected.encode()) > EXPECTED_MAX:
            expected = "one of the allowed values"
        return pointer(
            "schema_values",
            fields(
                list=array("char *const", map(quote, enum)),
                count=str(len(enum)),
                expected=quote(expected),
            ),
        )

    def _parts(self, numbers):
        if not numbers:
            return None
        parts = array("struct schema *const", map(self.schema, numbers))
        return f"{{{parts}, {len(numbers)}}}"

    def _node(self, number):
        node = self.schemas.nodes[number]
        return fields(
            types=str(node.types),
            open_types=str(self.schemas.open_types(number)),
            values=self._values(node.enum),
            numbers=self._numeric_part(node),
            string=self._string_part(node),
            object=self._object_part(node),
            array=self._array_part(node),
            normal=_format(self.schemas.normal_format(number)),
            all_of=self._parts(node.all_of),
            one_of=self._parts(node.one_of),
        )

    # ---- operations

    def _scopes(self, *names):
        """A set: bits."""
        numbers = self.schemas.security.numbers()
        return hexadecimal(sum(1 << numbers[name] for name in names if name))

    def _access(self, access):
        callers = " | ".join(f"ACCESS_{caller}" for caller in access.callers)
        return fields(callers=callers or None, scopes=self._scopes(*access.scopes))

    def _content(self, content):
        media = [fields(type=quote(name), schema=self.schema(number)) for name, number in content]
        return f"{{{array('struct media', media)}, {len(media)}}}" if media else None

    def _parameters(self, parameters):
        list_ = [
            fields(
                name=quote(parameter.name),
                pointer=quote("/" + parameter.name),
                schema=self.schema(parameter.schema),
                kind=f"PARAMETER_{parameter.kind}",
                required=boolean(parameter.required),
                scopes=self._scopes(parameter.scope),
            )
            for parameter in parameters
        ]
        return f"{{{array('struct parameter', list_)}, {len(list_)}}}" if list_ else None

    def _operation(self, number, operation):
        callers = [*map(quote, operation.callers), "NULL"]
        answers = [
            fields(status=str(status), content=self._content(content))
            for status, content in operation.answers
        ]
        public = fields(
            id=quote(operation.id),
            method=quote(operation.method),
            path=quote(operation.path),
            access=self._access(operation.access),
            internal=boolean(operation.internal),
            callers=array("char *const", callers),
            has_body=boolean(operation.has_body),
            body_required=boolean(operation.body_required),
            max_bytes=str(operation.max_bytes),
            index=str(number),
        )
        return fields(
            operation=public,
            path=self._parameters(operation.parameters["path"]),
            query=self._parameters(operation.parameters["query"]),
            headers=self._parameters(operation.parameters["header"]),
            body=self._content(operation.body),
            answers=array("struct answer", answers),
            answer_count=str(len(answers)),
        )

    def _route(self, segment, node):
        literals = [self._route(*child) for child in node.literals.items()]
        endpoints = [
            f"[{i}] = &endpoints[{node.operations[method.upper()]}]"
            for i, method in enumerate(METHODS)
            if method.upper() in node.operations
        ]
        parameter = node.parameter and self._route("", node.parameter)
        return fields(
            segment=quote(segment),
            length=str(len(segment.encode())),
            literals=array("struct route_node", literals),
            literal_count=str(len(literals)),
            parameter=parameter and pointer("route_node", parameter),
            endpoints=f"{{{', '.join(endpoints)}}}" if endpoints else None,
        )

    # ---- the file

    def _table(self, declaration, elements):
        lines = "".join(f"\t{element},\n" for element in elements)
        return f"static const {declaration} = {{\n{lines}}};\n"

    def _pattern_table(self):
        automata = [self.schemas.patterns[source] for source in self.patterns]
        elements = [
            fields(
                source=quote(automaton.source),
                classes=array("unsigned char", map(str, automaton.classes)),
                class_count=str(automaton.class_count),
                next=array("unsigned char", (str(to) for row in automaton.next for to in row)),
                accepts=array("bool", map(boolean, automaton.accepts)),
            )
            for automaton in automata
        ]
        return self._table("struct pattern patterns[]", elements) if elements else ""

    def _settings(self):
        nodes = (self.schemas.nodes[number] for number in self.numbers)
        money = {node.money: self._numbers(node) for node in nodes if node.money}
        return f"static struct contract_settings settings = {fields(**money)};\n"

    def _document(self, internal):
        served = self.document.served(internal)
        texts, gaps = served[::2], [*served[1::2], "END"]
        return [
            f"{{{quote(text)}, {len(text.encode())}, GAP_{gap}}}" for text, gap in zip(texts, gaps)
        ]

    def _bindings(self):
        names = [f"binding_{operation.id}" for operation in self.operations.list]
        declarations = "".join(f"extern const struct binding {name};\n" for name in names)
        elements = "".join(f"\t&{name},\n" for name in names)
        table = f"const struct binding *const {self.name}_bindings[]"
        return f"{declarations}{table} = {{\n{elements}}};\n"

    def text(self, with_bindings):
        count = len(self.numbers)
        nodes = [self._node(number) for number in self.numbers]
        endpoints = [self._operation(*numbered) for numbered in enumerate(self.operations.list)]
        # In the order of strcmp().
        schemas = sorted(self.operations.named_schemas.items(), key=lambda item: item[0].encode())
        named = [f"{{{quote(name)}, {self.schema(number)}}}" for name, number in schemas]
        routes = self._route("", self.operations.routes)
        scopes = self.schemas.security.numbers()
        contract = fields(
            endpoints="endpoints",
            endpoint_count=str(len(endpoints)),
            scopes="scopes",
            schemas="named_schemas",
            schema_count=str(len(named)),
            routes="&routes",
            documents="{public_document, internal_document}",
            settings="&settings",
        )
        return "\n".join(
            [
                f"/* Made of {self.document.path} and {self.document.shared_path}. */",
                '#include "contract/contract_parts.h"',
                *(['#include "responder/service.h"'] if with_bindings else []),
                "",
                f"_Static_assert(CONTRACT_PATH_PARAMETERS_MAX == {PATH_PARAMETERS_MAX} &&"
                f" CONTRACT_ARGUMENTS_MAX == {ARGUMENTS_MAX}, \"the compiler's limits\");\n",
                self._settings(),
                self._pattern_table(),
                f"static const struct schema schemas[{count}];",
                self._table(f"struct schema schemas[{count}]", nodes),
                self._table("struct named_schema named_schemas[]", named),
                self._table("char *const scopes[]", [*map(quote, scopes), "NULL"]),
                self._table(f"struct endpoint endpoints[{len(endpoints)}]", endpoints),
                f"static const struct route_node routes = {routes};\n",
                self._table("struct piece public_document[]", self._document(False)),
                self._table("struct piece internal_document[]", self._document(True)),
                f"const struct contract {self.name}_contract = {contract};",
                *([self._bindings()] if with_bindings else []),
                "",
            ]
        )


def _format(name):
    return name and f"&schema_format_{name.replace('-', '_')}"


def _used_by(operation):
    for parameters in operation.parameters.values():
        yield from (parameter.schema for parameter in parameters)
    for content in (operation.body, *(content for _, content in operation.answers)):
        yield from (number for _, number in content)
