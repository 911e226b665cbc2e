/* Entity tags (RFC 9110 section 8.8.3): the version of a resource in quotes. Thread-safe. */
#ifndef RESPONDER_ENTITY_TAG_H
#define RESPONDER_ENTITY_TAG_H

#include "base/base.h"

/*
 * Whether a list of entity tags ("*", or tags separated by commas) names the version. W/"3" is
 * taken as "3": nginx marks our strong tag as weak when it compresses an answer.
 */
bool entity_tag_matches(const char *list, int64_t version);

#endif
