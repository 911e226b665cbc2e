#include "upstream/credential.h"

#include "scratch_file.h"
#include "unit.h"

static char path[SCRATCH_PATH_SIZE];
static struct credential *credential;

static void start(void)
{
	scratch_file_make(path);
}

static void stop(void)
{
	credential_free(credential);
	unlink(path);
}

static void put(const char *text)
{
	scratch_file_replace(path, text);
}

static void assert_shows(const char *expected)
{
	struct text out CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	char line[64];

	credential_append(credential, &out);
	snprintf(line, sizeof(line), "Authorization: Bearer %s\r\n", expected);
	ck_assert_str_eq(text_string(&out), line);
}

static const struct {
	const char *text;
	int result;
} files[] = {
	{"secret", 0},      {"secret\n", 0},       {"", -EINVAL},     {"\n", -EINVAL},
	{"a b\n", -EINVAL}, {"a\r\nb\n", -EINVAL}, {"a\tb", -EINVAL}, {"\xc3\xa9", -EINVAL},
};

START_TEST(what_a_credential_is)
{
	put(files[_i].text);
	ck_assert_int_eq(credential_create(path, &credential), files[_i].result);
	if (files[_i].result == 0)
		assert_shows("secret");
}
END_TEST

START_TEST(the_longest)
{
	char text[CREDENTIAL_LENGTH_MAX + 2];

	memset(text, 'a', sizeof(text));
	text[CREDENTIAL_LENGTH_MAX + 1] = '\0';
	put(text);
	ck_assert_int_eq(credential_create(path, &credential), -EINVAL);
	text[CREDENTIAL_LENGTH_MAX] = '\0';
	put(text);
	ck_assert_int_eq(credential_create(path, &credential), 0);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	ck_assert_int_eq(credential_create("/nonexistent/token", &credential), -EIO);
}
END_TEST

START_TEST(a_file_that_changes_is_read_anew)
{
	put("first\n");
	ck_assert_int_eq(credential_create(path, &credential), 0);
	assert_shows("first");
	put("second\n");
	assert_shows("second");
}
END_TEST

START_TEST(what_cannot_be_read_any_more_stays)
{
	put("first\n");
	ck_assert_int_eq(credential_create(path, &credential), 0);
	put("not one\n");
	assert_shows("first");
	unlink(path);
	assert_shows("first");
	put("second\n");
	assert_shows("second");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("credential");

	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_loop_test(tests, what_a_credential_is, 0, ARRAY_SIZE(files));
	tcase_add_test(tests, the_longest);
	tcase_add_test(tests, a_file_that_is_not_there);
	tcase_add_test(tests, a_file_that_changes_is_read_anew);
	tcase_add_test(tests, what_cannot_be_read_any_more_stays);
	return unit_run(tests, "credential");
}
