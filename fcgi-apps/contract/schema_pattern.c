#include "contract/schema_pattern.h"

bool pattern_matches(const struct pattern *pattern, const char *text, size_t length)
{
	size_t state = 0;

	for (size_t i = 0; i < length; i++) {
		size_t class = pattern->classes[(unsigned char)text[i]];

		state = pattern->next[state * pattern->class_count + class];
	}
	return pattern->accepts[state];
}
