#include "responder/key_source.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "auth/discovery.h"
#include "base/clock.h"
#include "loopback.h"
#include "tokens.h"
#include "unit.h"
#include "upstream/upstream.h"

#define ISSUER "https://provider.example"

static int listener;
static pthread_t thread;
static atomic_int requests;
static atomic_bool stopping;
static _Atomic(const char *) served;        /* the answer's body; NULL: 404 */
static _Atomic(const char *) configuration; /* likewise */
static atomic_bool stale;                   /* what the sidecar says of its answers */
static const char *issuer;                  /* whose configuration is asked for, or NULL */
static char place[64];
static char set[1024];
static struct verifier *verifier;
static struct key_source *source;
static atomic_bool wanted_meanwhile; /* what it says to a token while it fetches */

static void answer(int fd)
{
	char request[2048] = "";
	char text[2048];

	ck_assert_int_gt(recv(fd, request, sizeof(request) - 1, 0), 0);
	bool first = strncmp(request, "GET /configuration HTTP/1.1\r\n", 29) == 0;
	const char *body = atomic_load(first ? &configuration : &served);

	if (!first) {
		const char *expected = atomic_load(&configuration)
					       ? "GET /keys?https://keys.example/a?b=c HTTP/1.1\r\n"
					       : "GET /keys HTTP/1.1\r\n";

		ck_assert_msg(strncmp(request, expected, strlen(expected)) == 0, "%s", request);
		atomic_fetch_add(&requests, 1);
	}
	atomic_store(&wanted_meanwhile, key_source_want(source));
	snprintf(text, sizeof(text),
		 "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
		 "%sConnection: close\r\n\r\n%s",
		 body ? "200 OK" : "404 Not Found", body ? strlen(body) : 0,
		 atomic_load(&stale) ? "Retry-After: 5\r\n" : "", body ? body : "");
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
	struct text jwk CLEANUP(text_release) = TEXT_INIT(1000);
	EVP_PKEY *key = key_make(ALGORITHM_EDDSA);

	append_jwk(&jwk, key, ",\"kid\":\"1\"");
	EVP_PKEY_free(key);
	snprintf(set, sizeof(set), "{\"keys\":[%s]}", text_string(&jwk));
	listener = loopback_listen_at(place);
	atomic_store(&served, set);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	const struct jwt_rules rules = {.issuer = ISSUER, .audience = "shop"};

	verifier = verifier_create(&rules, ALGORITHM_ALL, 0);
	ck_assert_ptr_nonnull(verifier);
}

static void stop(void)
{
	atomic_store(&stopping, true);
	pthread_join(thread, NULL);
	close(listener);
	loopback_remove(place);
	key_source_free(source);
	verifier_free(verifier);
}

static void create(int64_t renew, int64_t retry, int64_t cooldown)
{
	const struct key_source_options options = {renew,  retry, cooldown, "/keys",
						   issuer, NULL,  0};

	ck_assert_int_eq(key_source_create(place, &options, verifier, &source), 0);
}

START_TEST(keys_come_with_the_first_run)
{
	create(CLOCK_DAY, CLOCK_DAY, CLOCK_DAY);
	ck_assert(!verifier_has_keys(verifier));
	key_source_run(source);
	ck_assert(verifier_has_keys(verifier));
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
		ck_assert(verifier_has_keys(verifier));
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
	ck_assert(!verifier_has_keys(verifier));
}
END_TEST

START_TEST(the_first_keys_are_tried_for_at_each_run)
{
	struct key_source_options options = {CLOCK_DAY, CLOCK_DAY, CLOCK_DAY, "/keys",
					     issuer,    NULL,      CLOCK_DAY};

	ck_assert_int_eq(key_source_create(place, &options, verifier, &source), 0);
	atomic_store(&served, NULL);
	key_source_run(source);
	int before = atomic_load(&requests);

	key_source_run(source);
	ck_assert_int_gt(atomic_load(&requests), before);
	ck_assert(!verifier_has_keys(verifier));
	atomic_store(&served, set);
	key_source_run(source);
	ck_assert(verifier_has_keys(verifier));
	before = atomic_load(&requests);
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), before);
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

/* Others have asked for it just before. */
START_TEST(an_unknown_key_may_be_in_what_is_being_fetched)
{
	create(CLOCK_DAY, CLOCK_DAY, CLOCK_DAY);
	key_source_run(source);
	ck_assert(atomic_load(&wanted_meanwhile));
	ck_assert(!key_source_want(source));
}
END_TEST

static void expect_age(int64_t lowest, int64_t highest)
{
	int64_t age = key_source_age(source);

	ck_assert_int_ge(age, lowest);
	ck_assert_int_le(age, highest);
}

START_TEST(the_age_is_that_of_what_came)
{
	int64_t before = clock_monotonic();

	create(0, 0, 0);
	key_source_run(source);
	int64_t came = clock_monotonic();

	atomic_store(&served, NULL);
	key_source_run(source);
	expect_age(0, clock_monotonic() - before);
	usleep(1000);
	expect_age(1000, clock_monotonic() - before);
	atomic_store(&served, set);
	key_source_run(source);
	expect_age(0, clock_monotonic() - came);
}
END_TEST

/* They count, and are as old as before. */
START_TEST(old_copies_are_asked_for_again)
{
	create(CLOCK_DAY, 0, CLOCK_DAY);
	atomic_store(&stale, true);
	usleep(1000);
	key_source_run(source);
	ck_assert(verifier_has_keys(verifier));
	expect_age(1000, CLOCK_DAY);
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), 2);
	atomic_store(&stale, false);
	key_source_run(source);
	key_source_run(source);
	ck_assert_int_eq(atomic_load(&requests), 3);
}
END_TEST

START_TEST(what_is_no_path_of_a_socket)
{
	const struct key_source_options options = key_source_defaults();
	char longest[200];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_int_eq(key_source_create(longest, &options, verifier, &source), -EINVAL);
	ck_assert_int_eq(key_source_create("", &options, verifier, &source), -EINVAL);
	ck_assert_ptr_null(source);
}
END_TEST

/* ---- discovery ------------------------------------------------------------------------------ */

#define CONFIGURATION(issuer, url) "{\"issuer\":\"" issuer "\",\"jwks_uri\":\"" url "\"}"
#define ADDRESS                    "https://keys.example/a?b=c"

START_TEST(the_issuer_says_where_the_keys_are)
{
	issuer = ISSUER;
	create(0, 0, 0);
	atomic_store(&configuration, CONFIGURATION(ISSUER, ADDRESS));
	key_source_run(source);
	ck_assert(verifier_has_keys(verifier));
}
END_TEST

START_TEST(another_issuer_has_no_keys_for_us)
{
	issuer = ISSUER;
	create(0, 0, 0);
	atomic_store(&configuration, CONFIGURATION("https://another.example", ADDRESS));
	key_source_run(source);
	atomic_store(&configuration, NULL);
	key_source_run(source);
	ck_assert(!verifier_has_keys(verifier));
	ck_assert_int_eq(atomic_load(&requests), 0);
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
	tcase_add_test(tests, the_first_keys_are_tried_for_at_each_run);
	tcase_add_test(tests, an_unknown_key_is_asked_for_once_in_the_cooldown);
	tcase_add_test(tests, an_unknown_key_is_asked_for_after_it);
	tcase_add_test(tests, an_unknown_key_may_be_in_what_is_being_fetched);
	tcase_add_test(tests, the_age_is_that_of_what_came);
	tcase_add_test(tests, old_copies_are_asked_for_again);
	tcase_add_test(tests, what_is_no_path_of_a_socket);
	tcase_add_test(tests, the_issuer_says_where_the_keys_are);
	tcase_add_test(tests, another_issuer_has_no_keys_for_us);
	return unit_run(tests, "key_source");
}
