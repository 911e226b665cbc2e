/* Compiling schemas: what the keywords need from the compiler. Private to schema_*.c. */
#ifndef CONTRACT_SCHEMA_COMPILER_H
#define CONTRACT_SCHEMA_COMPILER_H

#include "base/text.h"
#include "contract/schema_node.h"

#define SCHEMA_WHERE_SIZE 512

struct compiler {
	const struct json *root; /* where $refs lead to */
	struct schema_set *set;
	struct text *error;
	int depth;
};

/* The schema at a place, compiled or about to be. */
int schema_compile_at(struct compiler *compiler, const struct json *definition, const char *where,
		      struct schema **ret_schema);

/* Fills the schema from all keywords of its definition, an object. */
int schema_compile_keywords(struct compiler *compiler, struct schema *schema, const char *where);

/* -EINVAL, with "where: reason" as the error. */
int schema_refuse(struct compiler *compiler, const char *where, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
