/*
 * JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1): compile once, check values against it.
 *
 * Keywords: type (also a list), enum, const, minimum, maximum, exclusiveMinimum, exclusiveMaximum,
 * multipleOf (all exact, in decimal), minLength, maxLength (code points), pattern (the subset that
 * ECMA-262 and POSIX extended expressions share), format (date-time, uri, uuid are checked),
 * properties, required, additionalProperties, minProperties, maxProperties, items, minItems,
 * maxItems, uniqueItems, allOf, anyOf, oneOf, $ref (local), and the annotations title,
 * description, default, examples, deprecated, readOnly, writeOnly, and x-*. Any other keyword is
 * refused at compile time: the document can't claim what is not enforced.
 *
 * A compiled schema is immutable and thread-safe.
 */
#ifndef CONTRACT_SCHEMA_H
#define CONTRACT_SCHEMA_H

#include "base/json.h"
#include "contract/violations.h"

struct schema;

/*
 * root is the whole document that $ref points into; it must outlive the schema. where names the
 * place in messages. -EINVAL with a message in *ret_error, -ENOMEM. Recursive $refs are allowed.
 */
struct schema_set; /* owns compiled schemas, one per place in the document */
int schema_set_create(const struct json *root, struct schema_set **ret_set);
void schema_set_free(struct schema_set *set);
int schema_compile(struct schema_set *set, const struct json *definition, const char *where,
		   const struct schema **ret_schema, struct text *ret_error);

/* Adds every violation; in and pointer name the value's own place. Whether there was none. */
bool schema_check(const struct schema *schema, const struct json *value, const char *in,
		  const char *pointer, struct violations *violations);

#endif
