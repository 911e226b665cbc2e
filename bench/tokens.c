/*
 * What verifying a token costs: by each algorithm, from the cache, and one that is forged. A token
 * has the claims of a usual provider, about 700 bytes. Ends with one line of JSON: microseconds of
 * processor time each, the median of several rounds.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/verifier.h"
#include "base/clock.h"
#include "tokens.h"

#define ROUNDS      9
#define ROUND       (CLOCK_SECOND / 20)
#define CACHE_BYTES ((size_t)1 << 20)
#define CHECKS      50 /* between two looks at the clock */

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)
#define CLAIMS                                                                                     \
	"{\"iss\":\"https://id.example/realms/shop\",\"aud\":[\"shop\",\"account\"],"              \
	"\"exp\":1800000300,\"iat\":1800000000,\"jti\":\"0b6ab1ae-27ac-4a83-8f2b-0f7cb1f6ab6c\","  \
	"\"sub\":\"0b6ab1ae-27ac-4a83-8f2b-0f7cb1f6ab6c\",\"typ\":\"Bearer\",\"azp\":\"web\","     \
	"\"realm_access\":{\"roles\":[\"offline_access\",\"uma_authorization\"]},"                 \
	"\"scope\":\"openid profile email orders:read\",\"email_verified\":true,"                  \
	"\"name\":\"Ada Lovelace\",\"preferred_username\":\"ada\"}"

static const char *const pointers[] = {"/scope", "/realm_access/roles", NULL};
static const char *const scopes[] = {"orders:read", "orders:write", NULL};
static const struct jwt_rules rules = {.issuer = "https://id.example/realms/shop",
				       .audience = "shop",
				       .pointers = pointers,
				       .scopes = scopes};

static void check(struct verifier *verifier, const struct text *token, enum token_fault expected)
{
	struct principal principal;
	enum token_fault fault =
		verifier_check(verifier, text_string(token), token->length, NOW, &principal);
	if (fault != expected)
		errx(1, "a token is %s, not %s", token_fault_name(fault),
		     token_fault_name(expected));
}

static double processor_microseconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double measure(struct verifier *verifier, const struct text *token,
		      enum token_fault expected)
{
	double rounds[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		double before = processor_microseconds(), taken = 0;
		long checks = 0;
		for (; taken < (double)ROUND; checks += CHECKS) {
			for (int j = 0; j < CHECKS; j++)
				check(verifier, token, expected);
			taken = processor_microseconds() - before;
		}
		rounds[i] = taken / (double)checks;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	return rounds[ROUNDS / 2];
}

/* A verifier with the one key that has signed the token. */
static struct verifier *prepare(enum algorithm algorithm, size_t cache_bytes, struct text *token)
{
	struct text set CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	char header[100], reason[JWKS_REASON_SIZE];
	EVP_PKEY *key = key_make(algorithm);
	struct jwks *jwks = NULL;
	snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"1\"}",
		 algorithm_name(algorithm));
	append_token(token, key, algorithm, header, CLAIMS);
	text_append_string(&set, "{\"keys\":[");
	append_jwk(&set, key, ",\"kid\":\"1\",\"use\":\"sig\"");
	text_append_string(&set, "]}");
	EVP_PKEY_free(key);
	struct verifier *verifier = verifier_create(&rules, ALGORITHM_ALL, cache_bytes);
	if (!verifier || jwks_read(text_string(&set), set.length, &jwks, reason) < 0)
		errx(1, "no verifier");
	verifier_set_keys(verifier, jwks);
	return verifier;
}

static void print_row(const char *name, enum algorithm algorithm, size_t cache_bytes,
		      const char *tail, enum token_fault expected)
{
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct verifier *verifier = prepare(algorithm, cache_bytes, &token);
	text_truncate(&token, token.length - strlen(tail));
	text_append_string(&token, tail);
	printf("\"%s\":%.2f", name, measure(verifier, &token, expected));
	verifier_free(verifier);
}

int main(void)
{
	printf("{");
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		char forged[20];
		snprintf(forged, sizeof(forged), "%s forged", algorithm_name(i));
		print_row(algorithm_name(i), i, 0, "", TOKEN_FINE);
		printf(",");
		print_row(forged, i, CACHE_BYTES, "AAAAAAAA", TOKEN_SIGNATURE);
		printf(",");
	}
	print_row("unknown", ALGORITHM_ES256, CACHE_BYTES, ".", TOKEN_MALFORMED);
	printf(",");
	print_row("cached", ALGORITHM_RS256, CACHE_BYTES, "", TOKEN_FINE);
	printf("}\n");
	return 0;
}
