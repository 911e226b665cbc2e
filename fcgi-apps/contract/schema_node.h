/* A compiled schema from the inside. Private to the schema_*.c files. */
#ifndef CONTRACT_SCHEMA_NODE_H
#define CONTRACT_SCHEMA_NODE_H

#include "base/decimal.h"
#include "contract/names.h"
#include "contract/schema.h"
#include "contract/schema_format.h"
#include "contract/schema_pattern.h"

struct schema_list {
	struct schema **list;
	size_t count;
};

struct schema_member {
	const char *name;
	struct schema *schema; /* NULL: only named by `required` */
	bool required;
};

/* A number of the schema, with its text for messages; text NULL: not given. */
struct schema_number {
	struct decimal value;
	const char *text;
};

/* A count of characters, elements or members. */
struct schema_count {
	size_t lowest;
	size_t highest; /* SIZE_MAX: no limit */
};

struct schema {
	const struct json *definition;                         /* identifies the place */
	enum { SCHEMA_UNSEEN, SCHEMA_OPEN, SCHEMA_DONE } walk; /* of the search for cycles */

	unsigned types; /* of enum schema_type; 0: the schema false */
	const struct json *enumeration;
	const struct json *constant;
	const struct json *excluded; /* `not` */

	bool compares; /* any of the following five is given */
	struct schema_number minimum, maximum, above, below;
	size_t decimals; /* SIZE_MAX: no limit */

	struct schema_count characters;
	struct pattern *pattern;
	const char *pattern_source;
	const struct schema_format *format;

	struct names member_names; /* indices in members */
	struct schema_member *members;
	size_t member_count;
	size_t required_count;
	struct schema *additional; /* NULL: anything */
	struct schema_count member_range;

	struct schema *items; /* NULL: anything */
	struct schema_count elements;
	bool unique;

	/* Applied to the same value. */
	struct schema *reference;
	struct schema_list all_of, any_of, one_of;
};

#endif
