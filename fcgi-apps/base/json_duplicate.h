/* Finding the member that a JSON text has twice. Private to json*.c. */
#ifndef BASE_JSON_DUPLICATE_H
#define BASE_JSON_DUPLICATE_H

#include "base/json.h"

/*
 * text is well-formed. Returns 1 with *ret_error telling name and place of the first member whose
 * name its object had before, 0 when there is none, -ENOMEM.
 */
int json_find_duplicate(const char *text, size_t length, struct json_error *ret_error);

#endif
