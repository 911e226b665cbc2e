/*
 * Every allocation of reading keys and verifying a token fails once, alone or with all that follow:
 * a set is whole or -ENOMEM, a good token is good or TOKEN_NO_MEMORY (or TOKEN_SIGNATURE, as
 * libcrypto does not always tell), a forged one is never good, and whose request it is counts.
 */
#include "auth/quota.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "failing_memory.h"
#include "tokens.h"
#include "unit.h"

#ifndef FAILING_MEMORY

int main(void)
{
	puts("token_memory: skipped, the sanitizer has an allocator of its own");
	return EXIT_SUCCESS;
}

#else

#define ALLOCATIONS_MAX 5000

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)
#define CLAIMS                                                                                     \
	"{\"iss\":\"https://id.example\",\"aud\":[\"shop\",\"account\"],\"exp\":1800000060,"       \
	"\"sub\":\"Zo\\u00eb\",\"azp\":\"web\",\"scope\":\"orders:read\"}"

static const char *const pointers[] = {"/scope", NULL};
static const char *const scopes[] = {"orders:read", NULL};
static const struct jwt_rules rules = {
	.issuer = "https://id.example", .audience = "shop", .pointers = pointers, .scopes = scopes};

static struct text set, good[ALGORITHMS], forged[ALGORITHMS];

/* A token by each algorithm; checking an RSA key takes longest, so two share one. */
static void setup(void)
{
	EVP_PKEY *rsa = key_make(ALGORITHM_RS256);
	text_init(&set, TOKEN_MAX);
	text_append_string(&set, "{\"keys\":[");
	append_jwk(&set, rsa, "");
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		char header[100];
		bool is_rsa = i == ALGORITHM_RS256 || i == ALGORITHM_PS256;
		EVP_PKEY *key = is_rsa ? rsa : key_make(i);
		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algorithm_name(i));
		text_init(&good[i], TOKEN_MAX);
		append_token(&good[i], key, i, header, CLAIMS);
		text_init(&forged[i], TOKEN_MAX);
		text_append_string(&forged[i], text_string(&good[i]));
		char *byte = forged[i].data + forged[i].length - 20;
		*byte = *byte == 'A' ? 'B' : 'A';
		if (is_rsa)
			continue;
		text_append_char(&set, ',');
		append_jwk(&set, key, "");
		EVP_PKEY_free(key);
	}
	EVP_PKEY_free(rsa);
	text_append_string(&set, "]}");
}

static void teardown(void)
{
	text_release(&set);
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		text_release(&good[i]);
		text_release(&forged[i]);
	}
}

static int read_set(struct jwks **ret_jwks)
{
	char reason[JWKS_REASON_SIZE];
	int r = jwks_read(text_string(&set), set.length, ret_jwks, reason);
	countdown = -1; /* check allocates, too */
	ck_assert_msg(r == 0 || r == -ENOMEM, "%s", reason);
	if (r == 0)
		ck_assert_uint_eq(jwks_count(*ret_jwks), ALGORITHMS - 1);
	return r;
}

START_TEST(reading_keys)
{
	struct jwks *whole CLEANUP(jwks_free_p) = NULL;
	ck_assert_int_eq(read_set(&whole), 0);
	int last = 0;
	stays_broken = _i;
	for (int i = 0; i < ALLOCATIONS_MAX; i++) {
		struct jwks *jwks CLEANUP(jwks_free_p) = NULL;
		countdown = i;
		failures = 0;
		int r = read_set(&jwks);
		if (failures == 0)
			break;
		last = i;
		ck_assert(r < 0 || jwks_equal(jwks, whole));
	}
	ck_assert_int_gt(last, 100);
	ck_assert_int_lt(last, ALLOCATIONS_MAX - 1);
}
END_TEST

static enum token_fault check(struct verifier *verifier, const struct text *token)
{
	struct principal principal = {0};
	enum token_fault fault =
		verifier_check(verifier, text_string(token), token->length, NOW, &principal);
	countdown = -1;
	if (fault == TOKEN_FINE)
		ck_assert_str_eq(principal.subject, "Zo\u00eb");
	return fault;
}

static void check_short_of_memory(struct verifier *verifier, const struct text *token,
				  enum token_fault expected)
{
	int last = 0;
	ck_assert_int_eq(check(verifier, token), expected); /* libcrypto prepares itself */
	for (int i = 0; i < ALLOCATIONS_MAX; i++) {
		countdown = i;
		failures = 0;
		enum token_fault fault = check(verifier, token);
		if (failures == 0)
			break;
		last = i;
		ck_assert_msg(fault == expected || fault == TOKEN_NO_MEMORY ||
				      fault == TOKEN_SIGNATURE,
			      "allocation %d: %s", i, token_fault_name(fault));
	}
	ck_assert_int_gt(last, 10);
	ck_assert_int_lt(last, ALLOCATIONS_MAX - 1);
}

/* The cache has no room, so that each is verified. */
START_TEST(verifying)
{
	struct jwks *jwks = NULL;
	struct verifier *verifier = verifier_create(&rules, ALGORITHM_ALL, 0);
	ck_assert_int_eq(read_set(&jwks), 0);
	verifier_set_keys(verifier, jwks);
	stays_broken = _i % 2;
	check_short_of_memory(verifier, &good[_i / 2], TOKEN_FINE);
	check_short_of_memory(verifier, &forged[_i / 2], TOKEN_SIGNATURE);
	verifier_free(verifier);
}
END_TEST

START_TEST(counting)
{
	struct quota *quota = quota_create();
	ck_assert_ptr_nonnull(quota);
	stays_broken = true;
	countdown = 0;
	int64_t first = quota_take(quota, "ada", 1, 0, NOW);
	countdown = -1;
	ck_assert_int_eq(first, 0);
	ck_assert_int_gt(quota_take(quota, "ada", 1, 0, NOW), 0);
	ck_assert_int_eq(quota_take(quota, "eve", 1, 0, NOW), 0);
	quota_free(quota);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("token_memory");
	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, reading_keys, 0, 2);
	tcase_add_loop_test(tests, verifying, 0, 2 * ALGORITHMS);
	tcase_add_test(tests, counting);
	return unit_run(tests, "token_memory");
}

#endif
