/*
 * The inside of a compiled schema. Private to this folder: only compiler/emit.py makes schemas, as
 * constants. NULL and 0 mean that the schema does not have this keyword.
 */
#ifndef CONTRACT_SCHEMA_NODE_H
#define CONTRACT_SCHEMA_NODE_H

#include "base/decimal.h"
#include "contract/schema.h"
#include "contract/schema_format.h"
#include "contract/schema_pattern.h"

/* A set of these says what a value may be. */
enum schema_type {
	SCHEMA_NULL = 1,
	SCHEMA_BOOLEAN = 2,
	SCHEMA_INTEGER = 4,
	SCHEMA_FRACTION = 8, /* a number that is not an integer; "number" means both */
	SCHEMA_STRING = 16,
	SCHEMA_ARRAY = 32,
	SCHEMA_OBJECT = 64,
};

/* A count of characters or elements. */
struct schema_count {
	size_t lowest;
	size_t highest; /* SIZE_MAX: no limit */
};

/* `enum` */
struct schema_values {
	const char *const *list;
	size_t count;
	const char *expected; /* "one of …", for messages */
};

/* A number of the schema, with its text for messages; text NULL: not given. */
struct schema_number {
	struct decimal value;
	const char *text;
};

struct schema_numbers {
	struct schema_number minimum, maximum;
	struct schema_number excluded; /* `not` */
	size_t decimals;               /* SIZE_MAX: no limit */
};

struct schema_string {
	struct schema_count characters;
	const struct pattern *pattern;
	const struct schema_format *format;
};

struct schema_member {
	const char *name;
	const struct schema *schema; /* NULL: only named by `required` */
	bool required;
	uint64_t scopes; /* that sending it takes */
};

struct schema_object {
	const struct schema_member *members; /* in the document's order */
	size_t member_count;
	size_t required_count;
	bool closed; /* no other members */
};

struct schema_array {
	const struct schema *items; /* NULL: anything */
	struct schema_count elements;
	bool unique;
};

struct schema_list {
	const struct schema *const *list;
	size_t count;
};

struct schema {
	unsigned types;      /* of enum schema_type */
	unsigned open_types; /* the types that all_of leaves open */
	const struct schema_values *values;
	const struct schema_numbers *numbers;
	const struct schema_string *string;
	const struct schema_object *object;
	const struct schema_array *array;
	const struct schema_format
		*normal; /* says what a string's normal form is, parts included */

	/* Applied to the same value; `$ref` beside other keywords is one of all_of. */
	struct schema_list all_of, one_of;
};

/* The member with this name, or NULL. *position is where to look first, initially 0, and is moved
 * after the member: members mostly come in the order of the document. */
const struct schema_member *schema_find_member(const struct schema_object *object, const char *name,
					       size_t *position);

#endif
