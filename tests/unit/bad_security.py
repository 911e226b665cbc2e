"""Documents that contract/compile.py refuses for what they say about who may call, each with its message."""

from bad_documents import RESPONSES, STRING, body, components, get, parameter, paths


def scheme(name, members):
    return components({"securitySchemes": {name: members}})


def security(*alternatives):
    return get({"security": list(alternatives)})


def scoped(schema):
    """An operation whose body has a member of this schema."""
    content = {"application/json": {"schema": {"properties": {"m": schema}}}}
    return body({"x-max-bytes": 9, "content": content})


def scoped_inside():
    """A body with a member that has an x-scope, and once more inside of itself."""
    schema = {"$ref": "#/components/schemas/B"}
    content = {"application/json": {"schema": schema}}
    members = {"m": {"x-scope": "a:b"}, "inner": schema}
    sections = {"components": {"schemas": {"B": {"properties": members}}}}
    return {**body({"x-max-bytes": 9, "content": content}), **sections}


# Who may call an operation.
REFUSED_SECURITY = [
    (
        paths({"/x": {"get": {"operationId": "a", **RESPONSES}}}),
        "#/paths/~1x/get: needs security: who may call it",
    ),
    (get({"security": {}}), "#/paths/~1x/get/security: must be a list"),
    (security([]), "#/paths/~1x/get/security/0: must be an object with one scheme, or {} for nobody"),
    (
        security({"token": [], "cartSecret": []}),
        "#/paths/~1x/get/security/0: must be an object with one scheme, or {} for nobody",
    ),
    (
        security({"basic": []}),
        '#/paths/~1x/get/security/0: "basic" is no scheme of components/securitySchemes',
    ),
    (security({"token": {}}), "#/paths/~1x/get/security/0/token: must be a list, of one scope at most"),
    (
        security({"token": ["a:b", "c:d"]}),
        "#/paths/~1x/get/security/0/token: must be a list, of one scope at most",
    ),
    (
        security({"cartSecret": ["a:b"]}),
        "#/paths/~1x/get/security/0/cartSecret: must be a list, of one scope at most",
    ),
    (
        security({"token": ["a b"]}),
        "#/paths/~1x/get/security/0/token/0: a scope must be a name such as orders:read",
    ),
    (
        security({"token": ["admin"]}),
        "#/paths/~1x/get/security/0/token/0: a scope must be a name such as orders:read",
    ),
    (security({"token": []}, {"token": []}), "#/paths/~1x/get/security: says something twice"),
    (
        security({"token": ["a:b"]}, {"token": ["a:b"]}),
        "#/paths/~1x/get/security: says something twice",
    ),
    (
        security(*({"token": [f"{a}:{b}"]} for a in "abcdefgh" for b in "abcdefghi")),
        "#/paths/~1x/get/security/64/token/0: there are more than 64 scopes",
    ),
    (security({"service": []}), "#/paths/~1x/get/security: service is for internal operations"),
    (
        get({"x-internal": True, "x-callers": ["cart"], "security": [{"token": []}]}),
        "#/paths/~1x/get/security: an internal operation is for service, or for all",
    ),
    (security({"token": []}), "#/paths/~1x/get: needs the responses 401 and 403"),
    (security({}), "#/paths/~1x/get: needs the responses 401 and 403"),
    (
        parameter({"name": "q", "in": "query", "x-scope": "a:b", **STRING}),
        "#/paths/~1x/get: needs the responses 401 and 403",
    ),
    (
        parameter({"name": "q", "in": "header", "x-scope": "a:b", **STRING}),
        "#/paths/~1x/get/parameters/0: x-scope is for parameters in the query",
    ),
    (
        parameter({"name": "q", "in": "query", "x-scope": 1, **STRING}),
        "#/paths/~1x/get/parameters/0: a scope must be a name such as orders:read",
    ),
    (
        scoped({"x-scope": "A"}),
        "#/paths/~1x/post/requestBody/content/application~1json/schema/properties/m: a scope must be a name such as orders:read",
    ),
    (scoped({"x-scope": "a:b"}), "#/paths/~1x/post: needs the responses 401 and 403"),
    (
        scoped({"properties": {"inner": {"x-scope": "a:b"}}}),
        "#/paths/~1x/post/requestBody/content/application~1json/schema/properties/m/properties/inner: x-scope is for members of a request's body",
    ),
    (
        scoped({"items": {"x-scope": "a:b"}}),
        "#/paths/~1x/post/requestBody/content/application~1json/schema/properties/m/items: x-scope is for members of a request's body",
    ),
    (
        scoped_inside(),
        "#/components/schemas/B/properties/m: x-scope is for members of a request's body",
    ),
    (
        components({"schemas": {"B": {"x-scope": "a:b"}}}),
        "#/components/schemas/B: x-scope is for members of a request's body",
    ),
    (
        scheme("basic", {"type": "http", "scheme": "basic"}),
        "#/components/securitySchemes/basic: a scheme must be token, cartSecret, service",
    ),
    (
        scheme("token", {"type": "http", "scheme": "bearer"}),
        '#/components/securitySchemes/token: bearerFormat must be "JWT"',
    ),
    (
        scheme("cartSecret", {"type": "apiKey", "in": "cookie", "name": "Cart-Secret"}),
        '#/components/securitySchemes/cartSecret: in must be "header"',
    ),
    (
        scheme("service", {"type": "http", "scheme": "bearer", "flows": {}}),
        '#/components/securitySchemes/service: "flows" is not supported',
    ),
]
