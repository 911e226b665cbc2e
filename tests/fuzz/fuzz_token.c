/* auth/jws and auth/jwt: the input as a token, and as the header (first line) and the payload of a
 * token that the provider did sign. Whatever they are, a principal comes out only of an allowed
 * header and of claims that hold, and is what can be stored. */
#include "auth/jwks.h"
#include "auth/jws.h"
#include "auth/jwt.h"
#include "base/clock.h"
#include "contract/schema_text.h"
#include "fuzz.h"

#include "../unit/tokens.h"

#define NOW INT64_C(1800000000)

static const char *const pointers[] = {"/scope", "/realm_access/roles", "", NULL};
static const char *const scopes[] = {"orders:read", "orders:write", NULL};
static const struct jwt_rules rules = {.issuer = "i",
				       .audience = "a",
				       .skew = CLOCK_SECOND,
				       .pointers = pointers,
				       .scopes = scopes};

/* One for all inputs: RFC 8037 appendix A.1's. */
static struct jwk jwk;
static EVP_PKEY *key;

static void make_key(void)
{
	static const unsigned char seed[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
					       0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
					       0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
					       0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
	struct text text CLEANUP(text_release) = TEXT_INIT(1000);
	struct json *object CLEANUP(json_free_p) = NULL;
	struct json_error error;
	const char *reason;
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	fuzz_check(key);
	append_jwk(&text, key, "");
	fuzz_check(json_parse(text_string(&text), text.length, 4, &object, &error) == 0);
	fuzz_check(jwk_read(object, &jwk, &reason) == 0);
}

static void check_claims(const char *payload, size_t length)
{
	struct principal principal = {.kind = PRINCIPAL_NOBODY};
	int64_t expires = -1;
	enum token_fault fault =
		jwt_read(&rules, payload, length, NOW * CLOCK_SECOND, &principal, &expires);
	fuzz_check(fault == TOKEN_FINE || fault >= TOKEN_CLAIMS);
	if (fault) {
		fuzz_check(principal.kind == PRINCIPAL_NOBODY && expires == -1);
		return;
	}
	size_t subject = strnlen(principal.subject, sizeof(principal.subject));
	fuzz_check(principal.kind == PRINCIPAL_USER && !principal.cart_secret);
	fuzz_check(subject > 0 && subject < sizeof(principal.subject));
	fuzz_check(schema_text_is_line(principal.subject, subject));
	fuzz_check(memchr(principal.client_id, '\0', sizeof(principal.client_id)));
	fuzz_check(principal.scopes <= 3 || principal.scopes == UINT64_MAX);
	fuzz_check(expires > NOW * CLOCK_SECOND);
}

/* Returns whether it is one that the key signed. */
static bool check_token(const char *token, size_t length)
{
	struct jws jws CLEANUP(jws_release) = {0};
	struct text payload CLEANUP(text_release) = TEXT_INIT(JWS_LENGTH_MAX);
	if (jws_read(token, length, &jws)) {
		fuzz_check(!jws.header);
		return false;
	}
	fuzz_check(length <= JWS_LENGTH_MAX && jws.algorithm < ALGORITHMS);
	fuzz_check(!json_get(jws.header, "crit") && !json_get(jws.header, "jwk"));
	if (jws_verify(&jws, &jwk))
		return false;
	fuzz_check(jws.algorithm == ALGORITHM_EDDSA);
	if (jws_payload(&jws, &payload))
		return false;
	fuzz_check(payload.length < length);
	check_claims(text_string(&payload), payload.length);
	return true;
}

static void check_signed(const char *header, const char *payload)
{
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	append_token(&token, key, ALGORITHM_EDDSA, header, payload);
	char *copy = malloc(token.length);
	fuzz_check(copy);
	memcpy(copy, text_string(&token), token.length);
	if (check_token(copy, token.length)) {
		copy[token.length / 2] = copy[token.length / 2] == 'A' ? 'B' : 'A';
		fuzz_check(!check_token(copy, token.length));
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	if (!key)
		make_key();
	check_token((const char *)data, size);
	char *header CLEANUP(free_p) = fuzz_line(&input);
	char *rest CLEANUP(free_p) = fuzz_rest(&input);
	check_claims(rest, input.size);
	char *payload CLEANUP(free_p) = strndup(rest, input.size);
	fuzz_check(payload);
	check_signed(header, payload);
	return 0;
}
