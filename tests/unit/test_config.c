#include <stdlib.h>
#include <unistd.h>

#include "base/config.h"
#include "unit.h"

#define NAME "UNIT_TEST_SETTING"

/* Each test runs in a process of its own, so that config_failed() starts false. */
static void set(const char *value)
{
	ck_assert_int_eq(setenv(NAME, value, 1), 0);
}

START_TEST(unset_and_empty_mean_fallback)
{
	unsetenv(NAME);
	ck_assert_str_eq(config_text(NAME, "f"), "f");
	ck_assert_ptr_null(config_text(NAME, NULL));
	ck_assert_int_eq(config_int(NAME, -3, 0, 9), -3);
	ck_assert(config_bool(NAME, true));
	ck_assert_str_eq(config_url(NAME, "f"), "f");
	set("");
	ck_assert_str_eq(config_text(NAME, "f"), "f");
	ck_assert_int_eq(config_int(NAME, 3, 0, 9), 3);
	ck_assert(!config_failed());
	set("text");
	ck_assert_str_eq(config_text(NAME, "f"), "text");
}
END_TEST

static const struct {
	const char *value;
	bool good;
	int64_t number;
} int_cases[] = {
	{"0", true, 0},
	{"-5", true, -5},
	{"100", true, 100},
	{"007", true, 7},
	{"101", false, 0},
	{"-6", false, 0},
	{"9223372036854775808", false, 0},
	{"1x", false, 0},
	{" 1", false, 0},
	{"1 ", false, 0},
	{"+1", false, 0},
	{"-", false, 0},
	{"0x10", false, 0},
	{"1.0", false, 0},
	{"ten", false, 0},
};

START_TEST(integers)
{
	bool good = int_cases[_i].good;

	set(int_cases[_i].value);
	ck_assert_int_eq(config_int(NAME, 42, -5, 100), good ? int_cases[_i].number : 42);
	ck_assert_int_eq(config_failed(), !good);
}
END_TEST

static const struct {
	const char *value;
	bool good, truth;
} bool_cases[] = {
	{"1", true, true},     {"true", true, true},   {"0", true, false},  {"false", true, false},
	{"yes", false, false}, {"TRUE", false, false}, {"2", false, false},
};

START_TEST(booleans)
{
	bool good = bool_cases[_i].good;

	set(bool_cases[_i].value);
	ck_assert_int_eq(config_bool(NAME, true), good ? bool_cases[_i].truth : true);
	ck_assert_int_eq(config_failed(), !good);
}
END_TEST

static const struct {
	const char *value;
	bool good;
} url_cases[] = {
	{"http://127.0.0.1:9001", true},
	{"http://product", true},
	{"http://product.shop.svc.cluster.local:9000", true},
	{"http://[::1]:9001", true},
	{"http://host/base/path", true},
	{"https://host", false},
	{"HTTP://host", false},
	{"host:9001", false},
	{"http://", false},
	{"http:///path", false},
	{"http://:80", false},
	{"http://host/", false},
	{"http://host/path/", false},
	{"http://host?x=1", false},
	{"http://host/p?x=1", false},
	{"http://host#f", false},
	{"http://host/p#f", false},
	{"http://user:secret@host", false},
	{"http://host:", false},
	{"http://host:0", false},
	{"http://host:65536", false},
	{"http://host:99999999999", false},
	{"http://host:80x", false},
	{"http://[]:80", false},
	{"http://[::1", false},
	{"http://[::1]x", false},
	{"http://host /p", false},
	{"http://host/a b", false},
	{"http://host\n", false},
	{"http://h\xC3\xB6st", false},
};

START_TEST(urls)
{
	bool good = url_cases[_i].good;

	set(url_cases[_i].value);
	ck_assert_str_eq(config_url(NAME, "http://f"), good ? url_cases[_i].value : "http://f");
	ck_assert_int_eq(config_failed(), !good);
}
END_TEST

/* The messages about refused values do not matter here. */
static void silence(void)
{
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

/* What the function writes to stderr. */
static void capture_rejection(const char *value, char *buffer, size_t size)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	int saved = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	config_reject(NAME, value, "a colour");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	ssize_t length = read(ends[0], buffer, size - 1);
	close(ends[0]);
	ck_assert_int_gt(length, 0);
	buffer[length] = '\0';
}

START_TEST(rejection_names_everything)
{
	char line[4096];

	capture_rejection("loud", line, sizeof(line));
	ck_assert(config_failed());
	ck_assert_ptr_nonnull(strstr(line, NAME "=\\\"loud\\\": expected a colour"));
	capture_rejection(NULL, line, sizeof(line));
	ck_assert_ptr_nonnull(strstr(line, "\"" NAME ": expected a colour\""));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("config");

	tcase_add_checked_fixture(tests, silence, NULL);
	tcase_add_test(tests, unset_and_empty_mean_fallback);
	tcase_add_loop_test(tests, integers, 0, ARRAY_SIZE(int_cases));
	tcase_add_loop_test(tests, booleans, 0, ARRAY_SIZE(bool_cases));
	tcase_add_loop_test(tests, urls, 0, ARRAY_SIZE(url_cases));
	tcase_add_test(tests, rejection_names_everything);
	return unit_run(tests, "config");
}
