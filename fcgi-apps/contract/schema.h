/*
 * JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1): compile once, check values against it.
 *
 * Keywords: type (also a list), enum, const, minimum, maximum, exclusiveMinimum, exclusiveMaximum,
 * x-decimals (all exact, in decimal), minLength, maxLength (code points), pattern (the subset that
 * ECMA-262 and POSIX extended expressions share: schema_pattern.h), format (date-time, uri, uuid,
 * int32 and int64, and our own id, text-block, text-line: schema_text.h; no other is taken),
 * properties, required, additionalProperties, minProperties, maxProperties, items, minItems,
 * maxItems, uniqueItems, allOf, anyOf, oneOf, not (of one const), $ref (local), and the annotations
 * title, description, default, examples, deprecated, readOnly, writeOnly, and x-*. Any other is
 * refused at compile time: the document can't claim what is not enforced. true and false are
 * schemas too.
 *
 * x-decimals, our own, is how many digits may follow a number's point, trailing zeros not counted.
 * It is not multipleOf (0.01), which validators compute in binary: they refuse 19.99.
 *
 * Where this is stricter than the standard: a value that must be an integer must fit int64, a
 * number that is compared must have at most 18 significant digits (base/decimal.h), and an array
 * with uniqueItems must have at most 1000 elements.
 *
 * A compiled schema is immutable and thread-safe.
 */
#ifndef CONTRACT_SCHEMA_H
#define CONTRACT_SCHEMA_H

#include "base/decimal.h"
#include "base/json.h"
#include "contract/violations.h"

struct schema;

/* Owns compiled schemas, one per place in the document root, which must outlive it. -ENOMEM. */
struct schema_set;
int schema_set_create(const struct json *root, struct schema_set **ret_set);
void schema_set_free(struct schema_set *set);
DEFINE_CLEANUP(struct schema_set, schema_set_free)

/*
 * definition is a place in root; where names it in messages ("#/components/schemas/Product").
 * Recursive $refs are allowed where each round goes one level down in the value. -EINVAL with the
 * reason in the initialised *ret_error, -ENOMEM; the set is only good for being freed then.
 */
int schema_compile(struct schema_set *set, const struct json *definition, const char *where,
		   const struct schema **ret_schema, struct text *ret_error);

/* Adds every violation; in and pointer name the value's own place. Whether there was none. With
 * violations NULL it only gives the verdict. */
bool schema_check(const struct schema *schema, const struct json *value, const char *in,
		  const char *pointer, struct violations *violations);

/* The same for values that were never JSON: parameters. */
bool schema_check_string(const struct schema *schema, const char *text, size_t length,
			 const char *in, const char *pointer, struct violations *violations);
bool schema_check_number(const struct schema *schema, struct decimal number, const char *in,
			 const char *pointer, struct violations *violations);
bool schema_check_bool(const struct schema *schema, bool value, const char *in, const char *pointer,
		       struct violations *violations);

/*
 * Brings the strings of a value, wherever a schema of theirs has such a format, into the form that
 * is stored and compared; to be done before the check. -ENOMEM: some may be as they were.
 */
int schema_normalize(const struct schema *schema, struct json *value);

/* The same for a parameter. 1: its normal form was appended to *out; 0: it has that form; -ENOMEM.
 */
int schema_normalize_string(const struct schema *schema, const char *text, size_t length,
			    struct text *out);

/* The types a schema leaves open, through $ref and allOf: a set of these. */
enum schema_type {
	SCHEMA_NULL = 1,
	SCHEMA_BOOLEAN = 2,
	SCHEMA_INTEGER = 4,
	SCHEMA_FRACTION = 8, /* a number that is no integer; "number" is both */
	SCHEMA_STRING = 16,
	SCHEMA_ARRAY = 32,
	SCHEMA_OBJECT = 64,
	SCHEMA_ANY = 127,
};
unsigned schema_types(const struct schema *schema);

/* What an array's elements may be in the same sense; SCHEMA_ANY without `items`. */
unsigned schema_element_types(const struct schema *schema);

#endif
