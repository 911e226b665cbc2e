/* The inside of a compiled contract; compiler/emit.py fills it in. Private to this folder. */
#ifndef CONTRACT_CONTRACT_PARTS_H
#define CONTRACT_CONTRACT_PARTS_H

#include "contract/contract.h"
#include "contract/schema_node.h"

enum parameter_kind {
	PARAMETER_STRING,
	PARAMETER_INTEGER,
	PARAMETER_NUMBER,
	PARAMETER_BOOLEAN,
};

struct parameter {
	const char *name;
	const char *pointer; /* "/" and the name */
	const struct schema *schema;
	enum parameter_kind kind;
	bool required;
	uint64_t scopes; /* that sending it takes */
};

struct parameters {
	const struct parameter *list;
	size_t count;
};

struct media {
	const char *type;            /* without parameters */
	const struct schema *schema; /* NULL: not JSON */
};

/* The media types of a body; count 0: no body. */
struct content {
	const struct media *list;
	size_t count;
};

struct answer {
	int status;
	struct content content;
};

/* An operation with all its checks; other folders see only its struct operation. */
struct endpoint {
	struct operation operation;
	struct parameters path; /* in the order of the template */
	struct parameters query, headers;
	struct content body;
	const struct answer *answers;
	size_t answer_count;
};

#define METHOD_COUNT 5 /* GET, POST, PUT, PATCH, DELETE */

/* The routing table: a tree of path segments. */
struct route_node {
	const char *segment; /* literal */
	size_t length;
	const struct route_node *literals; /* children */
	size_t literal_count;
	const struct route_node *parameter; /* child that takes any segment */
	const struct endpoint *endpoints[METHOD_COUNT];
};

struct named_schema {
	const char *name;
	const struct schema *schema;
};

/* A value that follows a piece of the served document and is known only when the worker starts. */
enum gap { GAP_END, GAP_VERSION, GAP_SERVER, GAP_DECIMALS, GAP_PRICE_MAXIMUM };

struct piece {
	const char *text;
	size_t length;
	enum gap gap;
};

/* Filled in by contract_start(). */
struct contract_settings {
	const char *version;
	struct schema_numbers price, amount;
	char price_maximum[MONEY_TEXT_SIZE];
};

struct contract {
	const struct endpoint *endpoints; /* in the document's order */
	size_t endpoint_count;
	const char *const *scopes;          /* ends with NULL */
	const struct named_schema *schemas; /* by name */
	size_t schema_count;
	const struct route_node *routes;
	const struct piece *documents[2]; /* without and with internal operations */
	struct contract_settings *settings;
};

/* components/schemas/{name}, or NULL. */
const struct schema *contract_schema(const struct contract *contract, const char *name);

#endif
