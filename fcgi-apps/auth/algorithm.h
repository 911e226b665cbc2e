/*
 * The signature algorithms that are accepted (RFC 7518 section 3.1, RFC 8037 section 3.1): those of
 * public keys, with SHA-256 or Ed25519. There is no entry for `none` and the HMACs, so that no
 * setting can allow them. Thread-safe (no state).
 */
#ifndef AUTH_ALGORITHM_H
#define AUTH_ALGORITHM_H

#include "base/base.h"

enum algorithm {
	ALGORITHM_RS256,
	ALGORITHM_PS256,
	ALGORITHM_ES256,
	ALGORITHM_EDDSA,
};

#define ALGORITHMS (ALGORITHM_EDDSA + 1)

/* A set of them has one bit each. */
#define ALGORITHM_BIT(algorithm) (1u << (algorithm))
#define ALGORITHM_ALL            ((1u << ALGORITHMS) - 1)

/* By its name in "alg", in which case counts. -ENOENT for any other. */
int algorithm_find(const char *name, enum algorithm *ret_algorithm);

#endif
