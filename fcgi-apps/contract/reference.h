/* Local references of a JSON document: "#/components/schemas/Product" (RFC 6901 section 6). */
#ifndef CONTRACT_REFERENCE_H
#define CONTRACT_REFERENCE_H

#include "base/json.h"

/* What the reference points at; NULL when it is not local or nothing is there. Percent-encoded
 * references are not taken. Thread-safe. */
const struct json *reference_resolve(const struct json *root, const char *reference);

#endif
