/* auth/token_cache.h: what is found, for how long, and what goes first. */
#include "auth/token_cache.h"

#include <pthread.h>

#include "unit.h"

#define NOW     INT64_C(1000000)
#define LATER   (NOW + 1000)
#define TOKEN   500 /* bytes of the test's tokens */
#define MAX     20  /* tokens that fit */
#define THREADS 4
#define ROUNDS  4000

static struct token_cache *cache;
static size_t entry_bytes;

/* The token of a number: two differ at their start, or at their end. */
static const char *token_of(int number, char buffer[TOKEN + 1])
{
	memset(buffer, 'x', TOKEN);
	buffer[TOKEN] = '\0';
	char digits[12];
	int length = snprintf(digits, sizeof(digits), "%d", number);
	memcpy(number % 2 ? buffer : buffer + TOKEN - length, digits, (size_t)length);
	return buffer;
}

static void store(int number, int64_t expires)
{
	char buffer[TOKEN + 1];
	struct principal principal = {.kind = PRINCIPAL_USER, .scopes = (uint64_t)number};
	snprintf(principal.subject, sizeof(principal.subject), "user-%d", number);
	token_cache_store(cache, token_of(number, buffer), TOKEN, &principal, expires);
}

static bool has_at(int number, int64_t now)
{
	char buffer[TOKEN + 1], subject[20];
	struct principal principal = {0};
	if (!token_cache_find(cache, token_of(number, buffer), TOKEN, now, &principal))
		return false;
	snprintf(subject, sizeof(subject), "user-%d", number);
	ck_assert_str_eq(principal.subject, subject);
	ck_assert_uint_eq(principal.scopes, (uint64_t)number);
	ck_assert_int_eq(principal.kind, PRINCIPAL_USER);
	return true;
}

static bool has(int number)
{
	return has_at(number, NOW);
}

static void setup(void)
{
	cache = token_cache_create(SIZE_MAX / 2);
	store(0, LATER);
	entry_bytes = token_cache_counts(cache).bytes;
	token_cache_free(cache);
	cache = token_cache_create(MAX * entry_bytes);
	ck_assert_ptr_nonnull(cache);
}

static void teardown(void)
{
	token_cache_free(cache);
}

START_TEST(what_is_stored_is_found)
{
	for (int i = 0; i < MAX; i++) {
		ck_assert(!has(i));
		store(i, LATER);
		ck_assert(has(i));
	}
	for (int i = 0; i < MAX; i++)
		ck_assert(has(i));
	struct token_cache_counts counts = token_cache_counts(cache);
	ck_assert_uint_eq(counts.hits, 2 * MAX);
	ck_assert_uint_eq(counts.misses, MAX);
	ck_assert_uint_eq(counts.tokens, MAX);
	ck_assert_uint_eq(counts.bytes, MAX * entry_bytes);
}
END_TEST

/* Every byte counts, and the length. */
START_TEST(the_whole_token_is_compared)
{
	char buffer[TOKEN + 1];
	struct principal principal = {0};
	store(2, LATER);
	token_of(2, buffer);
	for (size_t i = 0; i < TOKEN; i++) {
		buffer[i] ^= 1;
		ck_assert(!token_cache_find(cache, buffer, TOKEN, NOW, &principal));
		buffer[i] ^= 1;
	}
	for (size_t length = 0; length < TOKEN; length++) {
		ck_assert(!token_cache_find(cache, buffer, length, NOW, &principal));
		ck_assert(
			!token_cache_find(cache, buffer + TOKEN - length, length, NOW, &principal));
	}
	ck_assert(has(2));
}
END_TEST

START_TEST(an_expired_token_is_gone)
{
	store(1, LATER);
	ck_assert(has_at(1, LATER - 1));
	ck_assert(!has_at(1, LATER));
	ck_assert_uint_eq(token_cache_counts(cache).tokens, 0);
	ck_assert(!has_at(1, LATER - 1)); /* not even if the clock is set back */
}
END_TEST

START_TEST(the_least_recently_used_goes_first)
{
	for (int i = 0; i < MAX; i++)
		store(i, LATER);
	ck_assert(has(0));
	store(MAX, LATER);
	ck_assert(has(0));
	ck_assert(!has(1));
	for (int i = 2; i <= MAX; i++)
		ck_assert(has(i));
	for (int i = 100; i < 500; i++)
		store(i, LATER);
	struct token_cache_counts counts = token_cache_counts(cache);
	ck_assert_uint_eq(counts.tokens, MAX);
	ck_assert_uint_eq(counts.bytes, MAX * entry_bytes);
	ck_assert(!has(0));
	ck_assert(has(499));
	ck_assert(has(480));
	ck_assert(!has(479));
}
END_TEST

START_TEST(a_token_is_stored_once)
{
	store(1, LATER);
	store(1, LATER + 5);
	ck_assert_uint_eq(token_cache_counts(cache).tokens, 1);
	ck_assert(has(1));
}
END_TEST

START_TEST(a_token_that_does_not_fit)
{
	char long_token[MAX * TOKEN * 4];
	struct principal principal = {0};
	memset(long_token, 'y', sizeof(long_token));
	store(1, LATER);
	token_cache_store(cache, long_token, sizeof(long_token), &principal, LATER);
	ck_assert(!token_cache_find(cache, long_token, sizeof(long_token), NOW, &principal));
	ck_assert(has(1));
}
END_TEST

START_TEST(all_are_forgotten)
{
	store(1, LATER);
	store(2, LATER);
	token_cache_clear(cache);
	ck_assert(!has(1));
	ck_assert(!has(2));
	ck_assert_uint_eq(token_cache_counts(cache).bytes, 0);
	store(2, LATER);
	ck_assert(has(2));
}
END_TEST

static void *use(void *argument)
{
	int first = *(int *)argument;
	for (int i = 0; i < ROUNDS; i++) {
		int number = (first + i) % (2 * MAX);
		if (!has(number))
			store(number, LATER);
		if (i % 1000 == 0)
			token_cache_clear(cache);
	}
	return NULL;
}

START_TEST(many_threads)
{
	pthread_t threads[THREADS];
	int firsts[THREADS];
	for (int i = 0; i < THREADS; i++) {
		firsts[i] = i * 7;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use, &firsts[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	struct token_cache_counts counts = token_cache_counts(cache);
	ck_assert_uint_eq(counts.hits + counts.misses, THREADS * ROUNDS);
	ck_assert_uint_le(counts.tokens, MAX);
	ck_assert_uint_eq(counts.bytes, counts.tokens * entry_bytes);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("token_cache");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_stored_is_found);
	tcase_add_test(tests, the_whole_token_is_compared);
	tcase_add_test(tests, an_expired_token_is_gone);
	tcase_add_test(tests, the_least_recently_used_goes_first);
	tcase_add_test(tests, a_token_is_stored_once);
	tcase_add_test(tests, a_token_that_does_not_fit);
	tcase_add_test(tests, all_are_forgotten);
	tcase_add_test(tests, many_threads);
	return unit_run(tests, "token_cache");
}
