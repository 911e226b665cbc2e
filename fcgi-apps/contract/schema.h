/*
 * Checks values against JSON Schemas (draft 2020-12, the dialect of OpenAPI 3.1), which compile.py
 * has turned into constants.
 *
 * Keywords: type (also a list), enum (of strings), minimum, maximum and x-decimals (exact, in
 * decimal), minLength, maxLength (code points), pattern (what ECMA-262 and POSIX extended
 * expressions share: compiler/pattern.py), format (date-time, uri, int32 and int64, and our own
 * id, text-block, text-line: schema_text.h), properties, required, additionalProperties (only
 * false), items, minItems, maxItems, uniqueItems, allOf, oneOf, not (of one const number), $ref
 * (local), and the annotations title, description, default and examples. Any other keyword
 * fails the build, as does one that has no effect on values of the type: the document cannot claim
 * a rule that is not enforced.
 *
 * x-scope, on members of a request's body, is for schema_scopes().
 *
 * x-decimals, our own, is how many digits may follow a number's point, trailing zeros not counted.
 * It is not multipleOf (0.01), which validators compute in binary: they refuse 19.99.
 *
 * This is stricter than the standard in three points: a value that must be an integer must fit
 * int64, a number that is compared must have at most 18 significant digits (base/decimal.h), and an
 * array with uniqueItems must have at most 1000 elements.
 *
 * Schemas are immutable; everything is thread-safe.
 */
#ifndef CONTRACT_SCHEMA_H
#define CONTRACT_SCHEMA_H

#include "base/decimal.h"
#include "base/json.h"
#include "contract/violations.h"

struct schema;

/* Adds every violation, and returns whether there was none. in and pointer say where the value
 * itself is. With violations NULL only the result counts. */
bool schema_check(const struct schema *schema, const struct json *value, const char *in,
		  const char *pointer, struct violations *violations);

/* The same for values that were never JSON: parameters. */
bool schema_check_string(const struct schema *schema, const char *text, size_t length,
			 const char *in, const char *pointer, struct violations *violations);
bool schema_check_number(const struct schema *schema, struct decimal number, const char *in,
			 const char *pointer, struct violations *violations);

/* The scopes that the members of a value, which need not have been checked, take (x-scope). */
uint64_t schema_scopes(const struct schema *schema, const struct json *value);

/*
 * Converts the strings of a value to the form that is stored and compared, if their schemas have
 * such a format. Call it before the check. -ENOMEM: some strings may be unchanged.
 */
int schema_normalize(const struct schema *schema, struct json *value);

/* The same for a parameter. 1: its normal form was appended to *out; 0: it already has that form;
 * -ENOMEM. */
int schema_normalize_string(const struct schema *schema, const char *text, size_t length,
			    struct text *out);

#endif
