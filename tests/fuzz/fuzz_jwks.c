/* auth/jwks: a set that is taken has keys that can verify, each under its name, and equals itself.
 */
#include "auth/jwks.h"

#include "fuzz.h"

#include "../unit/tokens.h" /* loads libcrypto */

static void check_key(const struct jwks *jwks, const struct jwk *jwk, enum algorithm algorithm)
{
	fuzz_check(jwk->algorithms & ALGORITHM_BIT(algorithm));
	fuzz_check(jwk->verifiers[algorithm] && strlen(jwk->thumbprint) == JWK_THUMBPRINT_SIZE - 1);
	fuzz_check(jwks_find(jwks, jwk->kid, algorithm) == jwk);
}

static void check_set(const struct jwks *jwks)
{
	size_t found = 0;
	fuzz_check(jwks_count(jwks) > 0);
	fuzz_check(jwks_count(jwks) <= JWKS_KEYS_MAX);
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		const struct jwk *jwk = jwks_find(jwks, NULL, i);
		if (jwk)
			check_key(jwks, jwk, i);
		found += jwk != NULL;
	}
	fuzz_check(found > 0 || jwks_count(jwks) > 1);
	fuzz_check(jwks_equal(jwks, jwks));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jwks *jwks CLEANUP(jwks_free_p) = NULL;
	char reason[JWKS_REASON_SIZE] = "";
	int r = jwks_read((const char *)data, size, &jwks, reason);
	fuzz_check(r == 0 || r == -EINVAL || r == -EMSGSIZE);
	fuzz_check(r == 0 || reason[0]);
	if (r == 0)
		check_set(jwks);
	return 0;
}
