"""Documents that contract/compile.py refuses, each with its message; and helpers that write small
documents."""

A = "#/components/schemas/A"

STRING = {"schema": {"type": "string"}}
RESPONSES = {"responses": {"204": {"description": "d"}}}
OPERATION = {"operationId": "a", "security": []}


def document(members):
    return {"openapi": "3.1.0", "info": {"title": "T"}, **members}


def paths(items):
    return document({"paths": items})


def components(sections):
    return document({"paths": {}, "components": sections})


def get_at(path, members):
    return paths({path: {"get": {"security": [], **members, "operationId": "a", **RESPONSES}}})


def get(members):
    return get_at("/x", members)


def parameter(members):
    return get({"parameters": [members]})


def in_path(name):
    return {"name": name, "in": "path", "required": True, **STRING}


def body(members):
    return paths({"/x": {"post": {**OPERATION, "requestBody": members, **RESPONSES}}})


def responses(members):
    return paths({"/x": {"get": {**OPERATION, "responses": members}}})


# Where each is, behind the file, and why.
REFUSED = [
    ("{", ": Expecting property name enclosed in double quotes at line 1, column 2"),
    ('{"a": 1, "a": 2}', '#: the member "a" is there twice'),
    ('{"a": [{"b/": 1, "b/": 2}]}', '#/a/0: the member "b/" is there twice'),
    ('{"a": NaN}', ": NaN is no JSON"),
    ('{"a": "\\u0000"}', "#/a: U+0000 and halves of surrogate pairs are not supported"),
    ('{"a": {"\\ud800": 1}}', "#/a: U+0000 and halves of surrogate pairs are not supported"),
    ('{"\\ud800": 1, "\\ud800": 1}', "#: U+0000 and halves of surrogate pairs are not supported"),
    ({"info": {"title": "T"}, "paths": {}}, "#/openapi: must be 3.1.x"),
    ({"openapi": "3.0.3"}, "#/openapi: must be 3.1.x"),
    ({"openapi": "3.1.x"}, "#/openapi: must be 3.1.x"),
    ({"openapi": "3.1."}, "#/openapi: must be 3.1.x"),
    ({"swagger": "2.0"}, "#/openapi: must be 3.1.x"),
    ([], "#/openapi: must be 3.1.x"),
    ({"openapi": "3.1.0"}, "#: info must be an object"),
    ({"openapi": "3.1.0", "info": {}}, "#/info: needs a title"),
    ({"openapi": "3.1.0", "info": {"title": "T", "x": 1}}, '#/info: "x" is not supported'),
    ({"openapi": "3.1.0", "info": {"title": 1}}, "#/info: title must be a string"),
    ({"openapi": "3.1.0", "info": {"title": "T", "version": 1}}, "#/info: version must be a string"),
    (
        {"openapi": "3.1.0", "info": {"title": "T", "license": {"name": []}}},
        "#/info/license: name must be a string",
    ),
    ({"openapi": "3.1.0", "info": {"title": "T", "contact": 1}}, "#/info/contact: must be an object"),
    (document({"x-more": 1}), '#: "x-more" is not supported'),
    (document({"servers": {}}), "#/servers: must be a list of objects"),
    (document({"servers": [{"description": "d"}]}), "#/servers/0: needs a url"),
    (document({"security": []}), '#: "security" is not supported'),
    (document({"webhooks": {}}), '#: "webhooks" is not supported'),
    (document({"tags": {}}), "#/tags: must be a list of objects"),
    (document({"tags": ["a"]}), "#/tags: must be a list of objects"),
    (document({"tags": [{}]}), "#/tags/0: needs a name"),
    (document({"tags": [{"name": []}]}), "#/tags/0: name must be a string"),
    (document({"paths": []}), "#: paths and components must be objects"),
    (document({"components": {"schemas": []}}), "#/components/schemas: must be an object"),
    (
        components({"schemas": {"A": {"if": {}}}}),
        '#/components/schemas/A: the keyword "if" is not supported',
    ),
    (
        components({"schemas": {"A": {"$ref": "#/components/schemas/A"}}}),
        "#/components/schemas/A: a $ref leads back to itself",
    ),
    (
        components({"schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}}}),
        '#/components/schemas/A/items: $ref "#/components/schemas/B" leads nowhere',
    ),
    (
        components({"parameters": {"A": {"name": "a", "in": "cookie", **STRING}}}),
        "#/components/parameters/A: parameters must be in path, query or header",
    ),
    (components({"headers": {"A": {}}}), "#/components/headers/A: needs a schema"),
    (components({"responses": {"A": {}}}), "#/components/responses/A: needs a description"),
    (components({"requestBodies": {"A": {}}}), "#/components/requestBodies/A: needs content"),
    (components({"requestBodies": []}), "#/components/requestBodies: must be an object"),
    (paths({"/x": 1}), "#/paths/~1x: must be an object"),
    (paths({"/x": {"$ref": "#"}}), '#/paths/~1x: "$ref" is not supported'),
    (paths({"/x": {"head": {}}}), '#/paths/~1x: "head" is not supported'),
    (paths({"/x": {"trace": {}}}), '#/paths/~1x: "trace" is not supported'),
    (paths({"/x": {"x-internal": True}}), '#/paths/~1x: "x-internal" is not supported'),
    (paths({"/x": {}}), "#/paths/~1x: has no operation"),
    (get({"x-intern": True}), '#/paths/~1x/get: "x-intern" is not supported'),
    (get({"summary": ["s"]}), "#/paths/~1x/get: summary must be a string"),
    (
        get({"x-callers": ["crat"]}),
        "#/paths/~1x/get: x-callers may be product, cart, order, operator, each once",
    ),
    (
        get({"x-callers": ["cart", "cart"]}),
        "#/paths/~1x/get: x-callers may be product, cart, order, operator, each once",
    ),
    (
        paths({"/x": {"get": {"responses": {}}}}),
        "#/paths/~1x/get: needs an operationId of letters, digits and _",
    ),
    (get({"callbacks": {}}), '#/paths/~1x/get: "callbacks" is not supported'),
    (get({"x-internal": 1}), "#/paths/~1x/get: x-internal must be true or false"),
    (get({"x-internal": True}), "#/paths/~1x/get: x-internal needs x-callers"),
    (get({"x-internal": True, "x-callers": []}), "#/paths/~1x/get: x-internal needs x-callers"),
    (get({"x-callers": "cart"}), "#/paths/~1x/get: x-callers must be a list"),
    (get({"x-callers": [True]}), "#/paths/~1x/get: x-callers must be strings"),
    (get({"tags": "a"}), "#/paths/~1x/get: tags must be a list"),
    (get({"tags": [1]}), "#/paths/~1x/get: tags must be strings"),
    (
        paths({"/x": {"get": {**OPERATION, **RESPONSES}, "put": {**OPERATION, **RESPONSES}}}),
        '#/paths/~1x/put: the operationId "a" is there twice',
    ),
    (
        paths({"/x": {"get": {**OPERATION, "operationId": "getDocument", **RESPONSES}}}),
        '#/paths/~1openapi.json/get: the operationId "getDocument" is there twice',
    ),
    (get_at("x", {}), "#/paths/x: a path must begin with /"),
    (
        get_at("/x/", {}),
        "#/paths/~1x~1: a path must be of at most 16 segments, each a text or a {parameter}",
    ),
    (
        get_at("/x//y", {}),
        "#/paths/~1x~1~1y: a path must be of at most 16 segments, each a text or a {parameter}",
    ),
    (
        get_at("/x/{a}.json", {"parameters": [in_path("a")]}),
        "#/paths/~1x~1{a}.json: a path must be of at most 16 segments, each a text or a {parameter}",
    ),
    (get_at("/x/{a}", {}), '#/paths/~1x~1{a}/get: the path parameter "a" is not declared'),
    (
        get_at("/x/{a}/{a}", {"parameters": [in_path("a")]}),
        '#/paths/~1x~1{a}~1{a}/get: the path parameter "a" is not declared',
    ),
    (
        get_at("/x/{ab}", {"parameters": [in_path("a")]}),
        '#/paths/~1x~1{ab}/get: the path parameter "ab" is not declared',
    ),
    (parameter(in_path("a")), '#/paths/~1x/get: the path parameter "a" is not in the path'),
    (
        paths({"/x/{a}": {"get": {"parameters": [in_path("a")], **OPERATION, **RESPONSES}}, "/x/{b}": {"put": {"parameters": [in_path("b")], **OPERATION, "operationId": "b", **RESPONSES}}}),
        "#/paths/~1x~1{b}: matches the same paths as /x/{a}",
    ),
    (get({"parameters": {}}), "#/paths/~1x/get: parameters must be a list"),
    (
        parameter({"in": "query", **STRING}),
        "#/paths/~1x/get/parameters/0: a parameter's name must be letters, digits, - _ .",
    ),
    (
        parameter({"name": "a/b", "in": "query", **STRING}),
        "#/paths/~1x/get/parameters/0: a parameter's name must be letters, digits, - _ .",
    ),
    (
        parameter({"name": "q", "in": "cookie", **STRING}),
        "#/paths/~1x/get/parameters/0: parameters must be in path, query or header",
    ),
    (
        parameter({"name": "q", "in": "path", **STRING}),
        '#/paths/~1x/get/parameters/0: a path parameter needs "required": true',
    ),
    (
        parameter({"name": "q", "in": "path", "required": True, "schema": {"type": "integer"}}),
        "#/paths/~1x/get/parameters/0: a path parameter must be a string",
    ),
    (
        parameter({"name": "accept", "in": "header", **STRING}),
        "#/paths/~1x/get/parameters/0: accept cannot be a header parameter",
    ),
    (
        parameter({"name": "q", "in": "query", "content": {}}),
        '#/paths/~1x/get/parameters/0: "content" is not supported',
    ),
    (
        parameter({"name": "q", "in": "query", "allowReserved": True, **STRING}),
        '#/paths/~1x/get/parameters/0: "allowReserved" is not supported',
    ),
    (
        parameter({"name": "q", "in": "query", "required": 1, **STRING}),
        "#/paths/~1x/get/parameters/0: required must be true or false",
    ),
    (
        parameter({"name": "q", "in": "query", "required": True}),
        "#/paths/~1x/get/parameters/0: needs a schema",
    ),
    (
        parameter({"name": "q", "in": "query", "schema": {}}),
        "#/paths/~1x/get/parameters/0/schema: a parameter must be a string, an integer, a number or a boolean",
    ),
    (
        parameter({"name": "q", "in": "query", "schema": {"type": ["string", "null"]}}),
        "#/paths/~1x/get/parameters/0/schema: a parameter must be a string, an integer, a number or a boolean",
    ),
    (
        parameter({"name": "q", "in": "query", "schema": {"type": "array"}}),
        "#/paths/~1x/get/parameters/0/schema: a parameter must be a string, an integer, a number or a boolean",
    ),
    (
        parameter({"name": "q", "in": "query", "style": "pipeDelimited", **STRING}),
        '#/paths/~1x/get/parameters/0: "style" is not supported',
    ),
    (
        parameter({"$ref": "#/components/parameters/None"}),
        '#/paths/~1x/get/parameters/0: $ref "#/components/parameters/None" leads nowhere',
    ),
    (
        parameter({"$ref": "#/components/parameters/Limit", "required": True}),
        '#/paths/~1x/get/parameters/0: "required" is not supported',
    ),
    (
        parameter({"$ref": "#/paths/~1x/get/parameters/0"}),
        "#/paths/~1x/get/parameters/0: $ref goes in circles",
    ),
    (
        get({"parameters": [{"name": "q", "in": "query", **STRING}, {"name": "q", "in": "query", **STRING}]}),
        '#/paths/~1x/get/parameters/1: "q" is there twice',
    ),
    (
        get({"parameters": [{"name": "q", "in": "header", **STRING}, {"name": "Q", "in": "header", **STRING}]}),
        '#/paths/~1x/get/parameters/1: "Q" is there twice',
    ),
    (
        get({"requestBody": {"content": {"text/plain": {}}}}),
        "#/paths/~1x/get/requestBody: GET takes no body",
    ),
    (body({"content": {}}), "#/paths/~1x/post/requestBody/content: must have a media type"),
    (
        body({"content": {"application/json": {}}}),
        "#/paths/~1x/post/requestBody/content/application~1json: needs a schema",
    ),
    (
        body({"content": {"text/plain": {}}}),
        "#/paths/~1x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432",
    ),
    (
        body({"content": {"text/plain": {}}, "x-max-bytes": 0}),
        "#/paths/~1x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432",
    ),
    (
        body({"content": {"text/plain": {}}, "x-max-bytes": 33554433}),
        "#/paths/~1x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432",
    ),
    (
        body({"content": {"text/plain": {}}, "x-max-bytes": "9"}),
        "#/paths/~1x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432",
    ),
    (
        components({"requestBodies": {"A": {"content": {"text/plain": {}}}}}),
        "#/components/requestBodies/A: needs x-max-bytes, a whole number from 1 to 33554432",
    ),
    (
        body({"content": {"application/*": {}}}),
        "#/paths/~1x/post/requestBody/content/application~1*: a media type must be type/subtype, without parameters",
    ),
    (
        body({"content": {"text/plain; charset=utf-8": {}}}),
        "#/paths/~1x/post/requestBody/content/text~1plain; charset=utf-8: a media type must be type/subtype, without parameters",
    ),
    (
        body({"content": {"text/plain": {}, "Text/Plain": {}}}),
        "#/paths/~1x/post/requestBody/content/Text~1Plain: is there twice",
    ),
    (
        body({"content": {"text/plain": {"encoding": {}}}}),
        '#/paths/~1x/post/requestBody/content/text~1plain: "encoding" is not supported',
    ),
    (
        body({"content": {"text/plain": {"x-line-schema": {"anyOf": [{"$ref": "#/components/None"}]}}}}),
        '#/paths/~1x/post/requestBody/content/text~1plain/x-line-schema/anyOf/0: $ref "#/components/None" leads nowhere',
    ),
    (
        body({"content": {"text/plain": {"examples": {"a": {"x": 1}}}}}),
        '#/paths/~1x/post/requestBody/content/text~1plain/examples/a: "x" is not supported',
    ),
    (
        body({"content": {"application/x-ndjson": {"schema": {"if": 1}}}}),
        '#/paths/~1x/post/requestBody/content/application~1x-ndjson/schema: the keyword "if" is not supported',
    ),
    (paths({"/x": {"get": OPERATION}}), "#/paths/~1x/get: needs responses"),
    (responses({}), "#/paths/~1x/get: needs responses"),
    (
        responses({"default": {"description": "d"}}),
        "#/paths/~1x/get/responses/default: a response must be named by its three-digit status",
    ),
    (
        responses({"4XX": {"description": "d"}}),
        "#/paths/~1x/get/responses/4XX: a response must be named by its three-digit status",
    ),
    (
        responses({"600": {"description": "d"}}),
        "#/paths/~1x/get/responses/600: a response must be named by its three-digit status",
    ),
    (responses({"200": {}}), "#/paths/~1x/get/responses/200: needs a description"),
    (
        responses({"200": {"description": "d", "links": {}}}),
        '#/paths/~1x/get/responses/200: "links" is not supported',
    ),
    (
        responses({"200": {"description": "d", "headers": {"X": {"$ref": "#/components/headers/None"}}}}),
        '#/paths/~1x/get/responses/200/headers/X: $ref "#/components/headers/None" leads nowhere',
    ),
    (
        responses({"200": {"description": "d", "headers": []}}),
        "#/paths/~1x/get/responses/200/headers: must be an object",
    ),
]


# What is wrong with components/schemas/A; "#" stands for it.
REFUSED_SCHEMAS = [
    (1, "#: a schema must be an object"),
    ({"minimun": 1}, '#: the keyword "minimun" is not supported'),
    ({"if": {}}, '#: the keyword "if" is not supported'),
    ({"patternProperties": {}}, '#: the keyword "patternProperties" is not supported'),
    ({"example": 1}, '#: the keyword "example" is not supported'),
    ({"type": "text"}, "#: type must name JSON Schema types"),
    ({"type": []}, "#: type must not be empty"),
    ({"type": 7}, "#: type must name JSON Schema types"),
    ({"enum": []}, "#: enum must be a list of strings that is not empty"),
    ({"minimum": "1"}, "#: minimum must be a number of at most 18 digits"),
    ({"enum": ["a", 1]}, "#: enum must be a list of strings that is not empty"),
    ({"anyOf": [{}]}, '#: the keyword "anyOf" is not supported'),
    ({"const": 1}, '#: the keyword "const" is not supported'),
    ({"exclusiveMinimum": 1}, '#: the keyword "exclusiveMinimum" is not supported'),
    ({"minProperties": 1}, '#: the keyword "minProperties" is not supported'),
    ({"readOnly": True}, '#: the keyword "readOnly" is not supported'),
    ({"maximum": 1234567890123456789012}, "#: maximum must be a number of at most 18 digits"),
    ({"not": {"const": "a"}}, "#: not must hold a const, a number, and nothing else"),
    ({"multipleOf": 0.01}, '#: the keyword "multipleOf" is not supported'),
    ({"x-decimals": -1}, "#: x-decimals must be a whole number from 0 to 2147483647"),
    ({"x-decimal": 2}, '#: the keyword "x-decimal" is not supported'),
    ({"description": 1}, "#: description must be a string"),
    ({"enum": ["a", "b", "a"]}, "#: enum has a value twice"),
    ({"type": ["string", "string"]}, "#: type names a type twice"),
    ({"minimum": 2, "maximum": 1.5}, "#: minimum is greater than maximum"),
    ({"minLength": 2, "maxLength": 1}, "#: minLength is greater than maxLength"),
    ({"type": "string", "maximum": 1}, "#: maximum says nothing about values of this type"),
    ({"minItems": 1, "type": "object"}, "#: minItems says nothing about values of this type"),
    ({"type": "integer", "format": "uri"}, "#: uri is for strings"),
    ({"not": {}}, "#: not must hold a const, a number, and nothing else"),
    (
        {"not": {"const": 0, "type": "string"}},
        "#: not must hold a const, a number, and nothing else",
    ),
    ({"format": "int32"}, "#: int32 is for integers, with a minimum and a maximum that fit it"),
    (
        {"format": "int32", "type": "integer", "minimum": 0},
        "#: int32 is for integers, with a minimum and a maximum that fit it",
    ),
    (
        {"format": "int32", "type": "integer", "minimum": 0, "maximum": 2147483648},
        "#: int32 is for integers, with a minimum and a maximum that fit it",
    ),
    ({"minLength": -1}, "#: minLength must be a whole number from 0 to 2147483647"),
    ({"maxItems": 1.5}, "#: maxItems must be a whole number from 0 to 2147483647"),
    ({"maxItems": 2147483648}, "#: maxItems must be a whole number from 0 to 2147483647"),
    ({"pattern": 1}, "#: pattern must be a string"),
    (
        {"format": "email"},
        '#: format "email" is not checked; date-time, id, int32, int64, text-block, text-line and uri are',
    ),
    ({"required": "a"}, "#: required must be a list"),
    ({"required": [1]}, "#: required must hold strings"),
    ({"required": ["a", "a"]}, '#: required names "a" twice'),
    ({"properties": []}, "#: properties must be an object"),
    ({"properties": {"a": {"x": 1}}}, '#/properties/a: the keyword "x" is not supported'),
    ({"items": [{}]}, "#/items: a schema must be an object"),
    ({"additionalProperties": {}}, "#: additionalProperties must be false"),
    ({"uniqueItems": 1}, "#: uniqueItems must be true or false"),
    ({"uniqueItems": True, "maxItems": 1001}, "#: uniqueItems takes a maxItems of at most 1000"),
    ({"allOf": []}, "#: allOf must be a list that is not empty"),
    ({"oneOf": [{}, {"not": {}}]}, "#/oneOf/1: not must hold a const, a number, and nothing else"),
    ({"$ref": 1}, "#: $ref 1 leads nowhere"),
    ({"$ref": A + "/items"}, '#: $ref "#/components/schemas/A/items" leads nowhere'),
    ({"$ref": "#x"}, '#: $ref "#x" leads nowhere'),
    ({"$ref": "other.json"}, '#: $ref "other.json" leads nowhere'),
    (
        {"$ref": A + "/allOf/01", "allOf": [{}, {}]},
        '#: $ref "#/components/schemas/A/allOf/01" leads nowhere',
    ),
    (
        {"$ref": A + "/allOf/2", "allOf": [{}, {}]},
        '#: $ref "#/components/schemas/A/allOf/2" leads nowhere',
    ),
    (
        {"$ref": A + "/properties/~2", "properties": {"~2": {}}},
        '#: $ref "#/components/schemas/A/properties/~2" leads nowhere',
    ),
    ({"$ref": A}, "#: a $ref leads back to itself"),
    ({"allOf": [{"$ref": A}]}, "#: a $ref leads back to itself"),
    (
        {"properties": {"a": {"$ref": A + "/items"}}, "items": {"oneOf": [{"$ref": A + "/items"}]}},
        "#: a $ref leads back to itself",
    ),
]


REFUSED_PATTERNS = [
    "\\d", "a.b", "[\\]]", "[[:alpha:]]", "[]a]", "[^]", "[a", "(?=a)", "a*?", "a++",
    "*a", "(+a)", "a|*", "^*", "a{", "a{,3}", "a{3,2}", "a{1001}", "a]", "a}", "(a", "é",
    "\\1", "[z-a]", "a\\", "a)", "[é]", "[^é]", "[a\t]",
]

