/*
 * How the json*.c files see a value: struct json is json-c's object under another name, except for
 * JSON null, which json-c has no object for. Private to them.
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

/* The only home of json-c's header: two of its type names are functions in base/json.h. */
#define json_type json_c_type
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_type
#undef json_bool

#include "base/json.h"

/* Stands for JSON null; never freed, never inside a json-c container. */
extern struct json json_null;

static inline struct json *json_wrap(struct json_object *object)
{
	return object ? (struct json *)object : &json_null;
}

static inline struct json_object *json_unwrap(const struct json *value)
{
	return value == &json_null ? NULL : (struct json_object *)value;
}

/*
 * A number with its source text, which stays readable without changing the object: json-c would
 * write an integer's text into it on demand, and shared values must not change. integer is NULL
 * where the text has a point or an exponent; its double is never read. NULL when out of memory.
 */
struct json_object *json_number_object(const int64_t *integer, const char *text, size_t length);

#endif
