#include "responder/key_source.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "auth/jwks.h"
#include "base/clock.h"
#include "loopback.h"
#include "tokens.h"
#include "unit.h"
#include "upstream/upstream.h"

#define SECRET "0123456789abcdef"

static int listener;
static pthread_t thread;
static atomic_int requests;
static atomic_bool stopping;
static _Atomic(const char *) served; /* the answer's body; NULL: 500 */
static char url[64];
static char set[1024];
static struct provider *provider;
static struct key_source *source;

static void answer(int fd)
{
	const char *body = atomic_load(&served);
	char request[2048];
	char text[2048];

	ck_assert_int_gt(recv(fd, request, sizeof(request), 0), 0);
	ck_assert(strncmp(request, "GET /keys.json HTTP/1.1\r\n", 25) == 0);
	atomic_fetch_add(&requests, 1);
	snprintf(text, sizeof(text),
		 "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
		 "Connection: close\r\n\r\n%s",
		 body ? "200 OK" : "404 Not Found", body ? strlen(body) : 0, body ? body : "");
	send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void *serve(UNUSED void *argument)
{
	while (!atomic_load(&stopping)) {
		struct pollfd waiting = {.fd = listener, .events = POLLIN};

		if (poll(&waiting, 1, 20) <= 0)
			continue;
		int fd = accept(listener, NULL, NULL);

		answer(fd);
		close(fd);
	}
	return NULL;
}

static void start(void)
{
	static const char *const scopes[] = {NULL};
	struct text jwk CLEANUP(text_release) = TEXT_INIT(1000);
	EVP_PKEY *key = key_make(ALGORITHM_EDDSA);

	append_jwk(&jwk, key, ",\"kid\":\"1\"");
	EVP_PKEY_free(key);
	snprintf(set, sizeof(set), "{\"keys\":[%s]}", text_string(&jwk));
	listener = loopback_listen("/keys.json", url);
	atomic_store(&served, set);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	const struct provider_options options = {.issuer = "https://provider.example",
						 .audience = "shop",
						 .keys = url,
						 .keys_setting = "AUTH_JWKS",
						 .scopes = scopes};

	ck_assert_int_eq(provider_create(&options, &provider), 0);
	ck_assert_str_eq(provider_keys_url(provider), url);
}

static void stop(void)
{
	atomic_store(&stopping, true);
	pthread_join(thread, NULL);
	close(listener);
	key_source_free(source);
	provider_free(provider);
}

static void create(int64_t renew, int64_t retry, int64_t cooldown)
{
	const struct key_source_options options = {renew, retry, cooldown, NULL};

	ck_assert_int_eq(key_source_create(url, &options, provider, &source), 0);
}

/* What a token that names no key of the set gets: whether there is a set. */
static bool has_keys(void)
{
	static const char token[] =
		"eyJhbGciOiJFZERTQSIsImtpZCI6IngifQ.e30." SECRET SECRET SECRET SECRET SECRET
		"012345";
	struct principal principal;

	return provider_check(provider, token, strlen(token), &principal) != TOKEN_NO_KEYS;
}

START_TEST(keys_come_with_the_first_run)
{
	create(CLOCK_DAY, CLOCK_DAY, CLOCK_DAY);
	ck_assert(!has_keys());
	key_source_run(source);
	ck_assert(has_keys());
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), 1);
}
END_TEST

START_TEST(they_are_renewed_in_time)
{
	create(0, CLOCK_DAY, CLOCK_DAY);
	key_source_run(source);
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), 2);
}
END_TEST

START_TEST(a_failure_is_tried_again_and_leaves_the_old)
{
	static const char *const bad[] = {NULL, "", "[]", "{\"keys\":[]}"};

	create(0, 0, CLOCK_DAY);
	key_source_run(source);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		atomic_store(&served, bad[i]);
		key_source_run(source);
		ck_assert(has_keys());
	}
	ck_assert_int_ge(atomic_load(&requests), 1 + (int)ARRAY_SIZE(bad));
}
END_TEST

START_TEST(a_failure_is_not_tried_again_at_once)
{
	create(0, CLOCK_DAY, 0);
	atomic_store(&served, NULL);
	key_source_run(source);
	int before = atomic_load(&requests);

	key_source_want(source);
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), before);
	ck_assert(!has_keys());
}
END_TEST

START_TEST(an_unknown_key_is_asked_for_once_in_the_cooldown)
{
	create(CLOCK_DAY, CLOCK_DAY, CLOCK_DAY);
	ck_assert(key_source_want(source));
	key_source_run(source);
	for (int i = 0; i < 1000; i++) {
		ck_assert(!key_source_want(source));
		key_source_run(source);
	}
	ck_assert_int_eq(atomic_load(&requests), 1);
}
END_TEST

START_TEST(an_unknown_key_is_asked_for_after_it)
{
	create(CLOCK_DAY, CLOCK_DAY, 0);
	key_source_run(source);
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), 1);
	ck_assert(key_source_want(source));
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), 2);
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), 2);
}
END_TEST

START_TEST(the_age_is_that_of_what_came)
{
	create(0, 0, 0);
	key_source_run(source);
	ck_assert_int_lt(key_source_age(source), 60 * CLOCK_SECOND);
	ck_assert_int_ge(key_source_age(source), 0);
}
END_TEST

START_TEST(what_is_no_address)
{
	const struct key_source_options options = key_source_defaults();

	ck_assert_int_eq(key_source_create("https://a/b", &options, provider, &source), -EINVAL);
	ck_assert_int_eq(key_source_create("http://", &options, provider, &source), -EINVAL);
	ck_assert_ptr_null(source);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("key_source");

	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, keys_come_with_the_first_run);
	tcase_add_test(tests, they_are_renewed_in_time);
	tcase_add_test(tests, a_failure_is_tried_again_and_leaves_the_old);
	tcase_add_test(tests, a_failure_is_not_tried_again_at_once);
	tcase_add_test(tests, an_unknown_key_is_asked_for_once_in_the_cooldown);
	tcase_add_test(tests, an_unknown_key_is_asked_for_after_it);
	tcase_add_test(tests, the_age_is_that_of_what_came);
	tcase_add_test(tests, what_is_no_address);
	return unit_run(tests, "key_source");
}
