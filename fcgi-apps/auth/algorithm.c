#include "auth/algorithm.h"

static const char *const names[ALGORITHMS] = {
	[ALGORITHM_RS256] = "RS256",
	[ALGORITHM_PS256] = "PS256",
	[ALGORITHM_ES256] = "ES256",
	[ALGORITHM_EDDSA] = "EdDSA",
};

int algorithm_find(const char *name, enum algorithm *ret_algorithm)
{
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret_algorithm = i;
			return 0;
		}
	}
	return -ENOENT;
}
