/*
 * A service's OpenAPI 3.1 document as code: routing, request checks, response checks.
 *
 * compile.py turns the document into constants when the service is built: order/openapi.json
 * becomes `order_contract`. contract/components.json (shared paths, parameters, headers, responses,
 * schemas) supplies the names that the document lacks; its schemas Price and Amount get the numbers
 * of the currency (maximum, x-decimals) when the worker starts. Everything that the document says
 * about a request is enforced. A rule that cannot be enforced, an operation without a handler, or a
 * handler without an operation fails the build. The status, type and JSON body of answers can be
 * checked; their headers are only described. Immutable and thread-safe after contract_start().
 *
 * Extensions: `x-internal: true` on an operation keeps it off the public listener and out of the
 * public document. `x-callers` lists the other callers it admits: "product", "cart", "order"
 * (siblings, on the internal listener), "operator" (probes, metrics; on the health listener).
 * `x-max-bytes` is the longest request body; every body must have it. `x-scope: "stock:read"` on a
 * query parameter, or on a member of a request's body, is a scope that sending it takes.
 *
 * Each operation says in `security` who may call it. Its alternatives are: {"token": ["a:b"]}, a
 * token with that scope; {"token": []}, any token, {"cartSecret": []}, a cart's secret, both for
 * what belongs to whoever shows it; {}, nobody; {"service": []}, a sibling. An empty list is:
 * anyone, whatever they show.
 */
#ifndef CONTRACT_CONTRACT_H
#define CONTRACT_CONTRACT_H

#include "base/base.h"
#include "base/json.h"
#include "base/money.h"
#include "base/text.h"
#include "contract/violations.h"

#define CONTRACT_PATH_PARAMETERS_MAX 4
#define CONTRACT_ARGUMENTS_MAX       24

struct contract;

/* Who may call an operation; a set of these. */
enum access_caller {
	ACCESS_ANYONE = 1,   /* nobody is asked who they are */
	ACCESS_NOBODY = 2,   /* who shows nothing; what is shown must be good */
	ACCESS_GUEST = 4,    /* who has a cart's secret: what belongs to that cart */
	ACCESS_CUSTOMER = 8, /* who has a token: what is theirs */
	ACCESS_SERVICE = 16, /* a sibling of the operation's callers */
};

/* `security`. Who has a token with one of the scopes may call it for everybody's things. */
struct access_rule {
	unsigned callers; /* of enum access_caller */
	uint64_t scopes;  /* bits, numbered as contract_scopes() tells */
};

struct operation {
	const char *id;     /* operationId */
	const char *method; /* upper case */
	const char *path;   /* template: "/products/{id}" */
	struct access_rule access;
	bool internal;
	const char *const *callers; /* x-callers, ends with NULL */
	bool has_body;
	bool body_required;
	size_t max_bytes; /* of the body */
	size_t index;     /* 0.. in document order */
};

/* Completes the constants. Call it once, before any other function. version is kept, not copied; it
 * is served as info.version if the document has none. */
void contract_start(const struct contract *contract, struct currency currency, const char *version);

size_t contract_operation_count(const struct contract *contract);
const struct operation *contract_operation(const struct contract *contract, size_t index);
const struct operation *contract_find(const struct contract *contract, const char *operation_id);

/* The names of the scopes that the document knows, by number; ends with NULL. At most 64. */
const char *const *contract_scopes(const struct contract *contract);

/* The set of one scope that the document knows. */
uint64_t contract_scope(const struct contract *contract, const char *name);

/* Appends the document as served: with or without the internal operations, and only with the
 * components and tags that its operations use. server is the address to name if the document has
 * none of its own ("." is the folder it is served from). */
void contract_write_document(const struct contract *contract, bool internal, const char *server,
			     struct text *out);

/* ---- routing -------------------------------------------------------------------------------- */

struct path_parameter {
	const char *name;
	const char *value; /* inside the routed path, not NUL-terminated */
	size_t length;
};

struct route {
	const struct operation *operation;
	struct path_parameter parameters[CONTRACT_PATH_PARAMETERS_MAX];
	size_t parameter_count;
};

/* A value of the Allow header: "GET, HEAD, POST". */
#define CONTRACT_ALLOW_SIZE 64

/*
 * Finds the operation of a decoded path; one trailing slash is ignored, HEAD routes to GET.
 * Literal segments win over parameters. Internal operations exist only when internal is set.
 * -ENOENT: no such path, or a path parameter breaks its schema (no such thing can exist);
 * -EOPNOTSUPP: the path does not have this method; reterr_allow lists the methods it has.
 */
int contract_route(const struct contract *contract, const char *method, const char *path,
		   bool internal, struct route *ret_route, char reterr_allow[CONTRACT_ALLOW_SIZE]);

/* ---- requests ------------------------------------------------------------------------------- */

/* A declared query or header parameter that was sent. */
struct argument {
	const char *name;
	/* Decoded, NUL-terminated; for a header the text from contract_header_function. */
	const char *text;
	size_t length;
	int64_t integer; /* for schemas of type integer, boolean (0/1) */
	char *own; /* text, if its normal form (schema_text.h) differs from the text as sent */
};

/* One owner; release after use. */
struct arguments {
	struct argument list[CONTRACT_ARGUMENTS_MAX];
	size_t count;
	uint64_t scopes; /* that the sent query parameters take */
	char *memory;
};

const struct argument *arguments_find(const struct arguments *arguments, const char *name);
void arguments_release(struct arguments *arguments);

/* The sent header of that name, or NULL. */
typedef const char *contract_header_function(void *context, const char *name);

/*
 * Decodes (application/x-www-form-urlencoded rules of the WHATWG URL standard) and checks query and
 * header parameters: unknown ones (in the query), repeated ones, bad escapes, bad values, missing
 * ones. query may be NULL. 0, also if there are violations: then the arguments are filled, too;
 * -ENOMEM.
 */
int contract_check_parameters(const struct contract *contract, const struct operation *operation,
			      const char *query, contract_header_function *header, void *context,
			      struct arguments *ret_arguments, struct violations *violations);

/* 0 if the operation takes a body of this Content-Type (parameters such as charset are ignored);
 * else -EPROTONOSUPPORT, for a 415. */
int contract_check_content_type(const struct contract *contract, const struct operation *operation,
				const char *content_type);

/* Whether a body of this type is JSON (an import's NDJSON is not: its handler checks the lines). */
bool contract_body_is_json(const struct contract *contract, const struct operation *operation,
			   const char *content_type);

/* Normalises the texts and ids of a parsed body (schema_text.h) and checks it against the
 * operation's schema. False: there are violations. */
bool contract_check_body(const struct contract *contract, const struct operation *operation,
			 const char *content_type, struct json *body,
			 struct violations *violations);

/* The same with components/schemas/{name}; an unknown name is a violation. */
bool contract_check_schema(const struct contract *contract, const char *name, struct json *value,
			   struct violations *violations);

/* The scopes that the members of a body of that type take (x-scope). */
uint64_t contract_body_scopes(const struct contract *contract, const struct operation *operation,
			      const char *content_type, const struct json *body);

/* The same of components/schemas/{name}, which is there: of a line of a body. */
uint64_t contract_schema_scopes(const struct contract *contract, const char *name,
				const struct json *value);

/* ---- responses ------------------------------------------------------------------------------ */

/* Whether the document declares this answer and, if the body is JSON, the body fits its schema.
 * content_type may be NULL for an answer without a body. For CONTRACT_CHECK_RESPONSES=1. */
bool contract_check_response(const struct contract *contract, const struct operation *operation,
			     int status, const char *content_type, const char *body,
			     size_t body_length, struct violations *violations);

#endif
