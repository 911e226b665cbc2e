#include "responder/entity_tag.h"

bool entity_tag_matches(const char *list, int64_t version)
{
	char wanted[32];
	size_t length = (size_t)snprintf(wanted, sizeof(wanted), "\"%lld\"", (long long)version);

	for (const char *p = list; *p;) {
		p += strspn(p, " \t,");
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		size_t span = *p == '"' ? strcspn(p + 1, "\"") + 2 : strcspn(p, " \t,");
		if (span > strlen(p))
			return false; /* a quote that never closes */
		if (span == length && memcmp(p, wanted, length) == 0)
			return true;
		if (span == 1 && *p == '*')
			return true;
		p += span;
	}
	return false;
}
