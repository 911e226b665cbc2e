/* auth/verifier.h: from a token's text to who it is, and the same while keys change. */
#include "auth/verifier.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "tokens.h"
#include "unit.h"

#define NOW     (INT64_C(1800000000) * CLOCK_SECOND)
#define END     (NOW + 60 * CLOCK_SECOND)
#define CACHE   ((size_t)1 << 20)
#define THREADS 4
#define ROUNDS  300

#define CLAIMS                                                                                     \
	"{\"iss\":\"https://id.example\",\"aud\":\"shop\",\"exp\":1800000060,\"sub\":\"ada\","     \
	"\"scope\":\"orders:read\"}"

static const char *const pointers[] = {"/scope", NULL};
static const char *const scopes[] = {"orders:read", NULL};
static const struct jwt_rules rules = {
	.issuer = "https://id.example", .audience = "shop", .pointers = pointers, .scopes = scopes};

/* Two keys of the provider, before and after a rotation. */
static EVP_PKEY *old_key, *new_key;
static struct text old_token, new_token;
static struct verifier *verifier;

static void sign(struct text *out, EVP_PKEY *key, const char *header, const char *claims)
{
	text_reset(out);
	append_token(out, key, ALGORITHM_ES256, header, claims);
}

static void make_keys(void)
{
	old_key = key_make(ALGORITHM_ES256);
	new_key = key_make(ALGORITHM_ES256);
	text_init(&old_token, TOKEN_MAX);
	text_init(&new_token, TOKEN_MAX);
	sign(&old_token, old_key, "{\"alg\":\"ES256\",\"kid\":\"old\",\"typ\":\"at+jwt\"}", CLAIMS);
	sign(&new_token, new_key, "{\"alg\":\"ES256\",\"kid\":\"new\",\"typ\":\"at+jwt\"}", CLAIMS);
}

static void free_keys(void)
{
	EVP_PKEY_free(old_key);
	EVP_PKEY_free(new_key);
	text_release(&old_token);
	text_release(&new_token);
}

/* The set that a provider publishes: either key or both. */
static struct jwks *publish(bool with_old, bool with_new)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct jwks *jwks = NULL;
	char reason[JWKS_REASON_SIZE];
	text_append_string(&text, "{\"keys\":[");
	if (with_old)
		append_jwk(&text, old_key, ",\"kid\":\"old\"");
	if (with_old && with_new)
		text_append_char(&text, ',');
	if (with_new)
		append_jwk(&text, new_key, ",\"kid\":\"new\"");
	text_append_string(&text, "]}");
	int r = jwks_read(text_string(&text), text.length, &jwks, reason);
	ck_assert_msg(r == 0, "%s", reason);
	return jwks;
}

static void setup(void)
{
	verifier = verifier_create(&rules, ALGORITHM_ALL, CACHE);
	ck_assert_ptr_nonnull(verifier);
}

static void teardown(void)
{
	verifier_free(verifier);
}

static enum token_fault check_at(const struct text *token, int64_t now)
{
	struct principal principal = {0};
	enum token_fault fault =
		verifier_check(verifier, text_string(token), token->length, now, &principal);
	if (fault == TOKEN_FINE) {
		ck_assert_str_eq(principal.subject, "ada");
		ck_assert_uint_eq(principal.scopes, 1);
		ck_assert_int_eq(principal.kind, PRINCIPAL_USER);
	}
	return fault;
}

static enum token_fault check(const struct text *token)
{
	return check_at(token, NOW);
}

START_TEST(a_token_and_its_cached_self)
{
	ck_assert_int_eq(check(&old_token), TOKEN_NO_KEYS);
	ck_assert(verifier_set_keys(verifier, publish(true, false)));
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
	ck_assert_uint_eq(verifier_cache_counts(verifier).hits, 0);
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
	ck_assert_uint_eq(verifier_cache_counts(verifier).hits, 1);
	ck_assert_int_eq(check_at(&old_token, END - 1), TOKEN_FINE);
	ck_assert_int_eq(check_at(&old_token, END), TOKEN_EXPIRED);
	ck_assert_int_eq(check_at(&old_token, END), TOKEN_EXPIRED);
}
END_TEST

START_TEST(keys_change)
{
	verifier_set_keys(verifier, publish(true, false));
	ck_assert_int_eq(check(&new_token), TOKEN_UNKNOWN_KEY);
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
	ck_assert(verifier_set_keys(verifier, publish(true, true)));
	ck_assert_int_eq(check(&new_token), TOKEN_FINE);
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
	ck_assert(verifier_set_keys(verifier, publish(false, true)));
	ck_assert_int_eq(check(&new_token), TOKEN_FINE);
	ck_assert_int_eq(check(&old_token), TOKEN_UNKNOWN_KEY); /* though it was cached */
}
END_TEST

START_TEST(the_same_keys_again)
{
	verifier_set_keys(verifier, publish(true, true));
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
	ck_assert(!verifier_set_keys(verifier, publish(true, true)));
	ck_assert_uint_eq(verifier_cache_counts(verifier).tokens, 1);
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
}
END_TEST

static const struct {
	const char *header;
	const char *claims;
	enum token_fault fault;
} refused[] = {
	{"{\"alg\":\"ES256\",\"kid\":\"new\"}", CLAIMS, TOKEN_SIGNATURE}, /* of the old key */
	{"{\"alg\":\"ES256\",\"kid\":\"other\"}", CLAIMS, TOKEN_UNKNOWN_KEY},
	{"{\"alg\":\"ES256\"}", CLAIMS, TOKEN_UNKNOWN_KEY}, /* there are two */
	{"{\"alg\":\"RS256\",\"kid\":\"old\"}", CLAIMS, TOKEN_UNKNOWN_KEY},
	{"{\"alg\":\"EdDSA\",\"kid\":\"old\"}", CLAIMS, TOKEN_ALGORITHM}, /* not allowed below */
	{"{\"alg\":\"none\",\"kid\":\"old\"}", CLAIMS, TOKEN_ALGORITHM},
	{"{\"alg\":\"ES256\",\"kid\":\"old\",\"typ\":\"logout+jwt\"}", CLAIMS, TOKEN_TYPE},
	{"{\"alg\":\"ES256\",\"kid\":\"old\",\"crit\":[]}", CLAIMS, TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"kid\":\"old\"}", "{}", TOKEN_CLAIMS},
	{"{\"alg\":\"ES256\",\"kid\":\"old\"}", "", TOKEN_CLAIMS},
};

/* However often it is sent: nothing of it is stored, and what is stored stays. */
START_TEST(a_refused_token_leaves_nothing)
{
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	verifier_free(verifier);
	verifier = verifier_create(&rules, ALGORITHM_ALL & ~ALGORITHM_BIT(ALGORITHM_EDDSA), CACHE);
	verifier_set_keys(verifier, publish(true, true));
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
	sign(&token, old_key, refused[_i].header, refused[_i].claims);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(check(&token), refused[_i].fault);
	ck_assert_uint_eq(verifier_cache_counts(verifier).tokens, 1);
	ck_assert_int_eq(check(&old_token), TOKEN_FINE);
	ck_assert_uint_eq(verifier_cache_counts(verifier).hits, 1);
}
END_TEST

START_TEST(tokens_that_are_too_long)
{
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	verifier_set_keys(verifier, publish(true, true));
	for (int i = 0; i < 8193; i++)
		text_append_char(&token, 'a');
	ck_assert_int_eq(check(&token), TOKEN_TOO_LONG);
	text_truncate(&token, 0);
	ck_assert_int_eq(check(&token), TOKEN_MALFORMED);
}
END_TEST

static void *verify_many(void *argument)
{
	const struct text *token = argument;
	for (int i = 0; i < ROUNDS; i++)
		ck_assert_int_eq(check(token), TOKEN_FINE);
	return NULL;
}

/* Both tokens stay good through every rotation that keeps their keys. */
START_TEST(rotations_under_load)
{
	pthread_t threads[THREADS];
	verifier_set_keys(verifier, publish(true, true));
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, verify_many,
						i % 2 ? &old_token : &new_token),
				 0);
	EVP_PKEY *third = key_make(ALGORITHM_ES256);
	for (int i = 0; i < 50; i++) {
		struct text text CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
		struct jwks *jwks = NULL;
		char reason[JWKS_REASON_SIZE];
		text_append_string(&text, "{\"keys\":[");
		append_jwk(&text, old_key, ",\"kid\":\"old\"");
		text_append_char(&text, ',');
		append_jwk(&text, new_key, ",\"kid\":\"new\"");
		text_append_char(&text, ',');
		append_jwk(&text, third, i % 2 ? ",\"kid\":\"3\"" : ",\"kid\":\"4\"");
		text_append_string(&text, "]}");
		ck_assert_int_eq(jwks_read(text_string(&text), text.length, &jwks, reason), 0);
		ck_assert(verifier_set_keys(verifier, jwks));
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	EVP_PKEY_free(third);
}
END_TEST

static atomic_bool done;

static void *verify_until_done(void *argument)
{
	struct principal principal;
	const struct text *token = argument;
	while (!atomic_load(&done))
		verifier_check(verifier, text_string(token), token->length, NOW, &principal);
	return NULL;
}

/* Not even one that is being verified while its key goes. */
START_TEST(no_token_outlives_its_key)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, verify_until_done, &old_token),
				 0);
	for (int i = 0; i < 50; i++) {
		verifier_set_keys(verifier, publish(true, true));
		ck_assert_int_eq(check(&old_token), TOKEN_FINE);
		verifier_set_keys(verifier, publish(false, true));
		ck_assert_int_eq(check(&old_token), TOKEN_UNKNOWN_KEY);
	}
	atomic_store(&done, true);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("verifier");
	tcase_add_unchecked_fixture(tests, make_keys, free_keys);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_token_and_its_cached_self);
	tcase_add_test(tests, keys_change);
	tcase_add_test(tests, the_same_keys_again);
	tcase_add_loop_test(tests, a_refused_token_leaves_nothing, 0, ARRAY_SIZE(refused));
	tcase_add_test(tests, tokens_that_are_too_long);
	tcase_add_test(tests, rotations_under_load);
	tcase_add_test(tests, no_token_outlives_its_key);
	return unit_run(tests, "verifier");
}
