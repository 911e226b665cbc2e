/* Regular expressions that compiler/pattern.py has made finite automata over bytes: a match takes
 * one step a byte, whatever the text. Thread-safe (no state). */
#ifndef CONTRACT_SCHEMA_PATTERN_H
#define CONTRACT_SCHEMA_PATTERN_H

#include "base/base.h"

struct pattern {
	const char *source;           /* as the document has it */
	const unsigned char *classes; /* of the 256 bytes: those that no step tells apart */
	size_t class_count;
	const unsigned char *next; /* a row a state, a column a class; state 0 is the first */
	const bool *accepts;       /* a state: whether the text may end there */
};

/* Whether the expression matches anywhere in the text. */
bool pattern_matches(const struct pattern *pattern, const char *text, size_t length);

#endif
