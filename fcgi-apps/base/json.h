/*
 * Reading JSON (RFC 8259) into json-c's objects; only base/json*.c see json-c.
 *
 * Strict: single quotes, NaN, Infinity, trailing text, duplicate member names,
 * \u0000, lone surrogates, invalid UTF-8, integers beyond int64 and nesting deeper than the limit
 * are errors that say where. Values are immutable while shared; reading is thread-safe, changing
 * and freeing is for the owner.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/base.h"
#include "base/decimal.h"
#include "base/text.h"

struct json;

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

#define JSON_DEPTH_MAX 16

/* Values of all kinds in what a client sends: a hold of 200 lines has 602. Each costs up to a
 * kilobyte of memory, and may be two bytes of text. */
#define JSON_VALUES_MAX 1000

struct json_error {
	size_t offset;    /* byte in the text, from 0 */
	size_t line;      /* from 1 */
	size_t column;    /* in bytes, from 1 */
	char detail[128]; /* "duplicate member \"name\"" */
};

/*
 * Parses a whole text of our own or a sibling's, at most depth_limit deep. The value is
 * the caller's: json_free(). -EINVAL with *reterr_error filled, -ENOMEM.
 */
int json_parse(const char *text, size_t length, int depth_limit, struct json **ret_value,
	       struct json_error *reterr_error);

/* The same for what a client sent: at most JSON_DEPTH_MAX deep, at most JSON_VALUES_MAX values. */
int json_parse_input(const char *text, size_t length, struct json **ret_value,
		     struct json_error *reterr_error);

/* JSON null is a value of its own, never a NULL pointer; NULL means "no such member". */
enum json_type json_type(const struct json *value);

/* "null", "boolean", "number", "string", "array", "object". */
const char *json_type_name(enum json_type type);

bool json_is_integer(const struct json *value); /* 1, 1.0, 1e2: JSON Schema's sense */
bool json_bool(const struct json *value);

/* A number that json_is_integer(); saturates beyond int64. */
int64_t json_int(const struct json *value);

/* A number exactly; -ERANGE as decimal_parse(). */
int json_decimal(const struct json *value, struct decimal *ret_value);

/* A number's source text, NUL-terminated. Owned by the value. */
const char *json_number_text(const struct json *value);

/* A string's UTF-8 bytes, NUL-terminated, no NUL inside; ret_length may be NULL. */
const char *json_string(const struct json *value, size_t *ret_length);

/* Elements of an array, members of an object. */
size_t json_length(const struct json *value);
const struct json *json_at(const struct json *array, size_t index);

/* NULL when value is no object or has no such member. */
const struct json *json_get(const struct json *object, const char *name);

/* Shorthand: the string member's bytes, or fallback where it is missing or no string. */
const char *json_get_string(const struct json *object, const char *name, const char *fallback);

/* Walks members in document order:
 *	json_each (object, member)
 *		use(member.name, member.value);
 */
struct json_member {
	const char *name;
	const struct json *value;
	void *next;
};
struct json_member json_first(const struct json *object);
struct json_member json_next(struct json_member member);
#define json_each(object, member)                                                                  \
	for (struct json_member member = json_first(object); member.name;                          \
	     member = json_next(member))

/* Deep equality by value: 1 equals 1.0. Numbers beyond decimal_parse() compare by their text. */
bool json_equal(const struct json *a, const struct json *b);

/* Building and changing documents (cold paths only; answers are written by json_writer.h).
 * Each returns -ENOMEM on failure; a set or push takes over the value even then, and a NULL
 * value means that making it ran out of memory. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_string(const char *string);
struct json *json_copy(const struct json *value); /* deep; NULL when out of memory */
int json_set(struct json *object, const char *name, struct json *value);
int json_push(struct json *array, struct json *value);
void json_remove(struct json *object, const char *name);
int json_change_string(struct json *string, const char *text, size_t length); /* -ENOMEM */

/* Appends the value as compact JSON. */
void json_print(const struct json *value, struct text *out);

/*
 * JSON Merge Patch (RFC 7396 section 2): changes *target, which may be replaced.
 * Only -ENOMEM; *target stays valid.
 */
int json_merge_patch(struct json **target, const struct json *patch);

void json_free(struct json *value);
DEFINE_CLEANUP(struct json, json_free)

#endif
