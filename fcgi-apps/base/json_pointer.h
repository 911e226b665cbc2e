/* JSON Pointer (RFC 6901): "/realm_access/roles". Thread-safe (no state). */
#ifndef BASE_JSON_POINTER_H
#define BASE_JSON_POINTER_H

#include "base/json.h"

#define JSON_POINTER_NAME_MAX 256 /* bytes of one reference token */

/* Whether it is one: "" or names after slashes, each of at most JSON_POINTER_NAME_MAX bytes, in
 * which "~0" stands for "~" and "~1" for "/". */
bool json_pointer_is_valid(const char *pointer);

/* What a valid pointer points at, or NULL. Owned by the value. */
const struct json *json_pointer_get(const struct json *value, const char *pointer);

#endif
