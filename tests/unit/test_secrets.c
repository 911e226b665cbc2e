#include "auth/secrets.h"

#include "scratch_file.h"
#include "tokens.h" /* loads libcrypto */
#include "unit.h"

#define FIRST  "0123456789abcdef0123456789abcdef"
#define SECOND "fedcba9876543210fedcba9876543210"
#define LONG   FIRST SECOND FIRST SECOND

static struct secrets secrets;

/* secrets_read() of a file with this text. */
static int read_text(const char *text, bool named, size_t most)
{
	char path[SCRATCH_PATH_SIZE];

	scratch_file_make(path);
	scratch_file_replace(path, text);
	int r = secrets_read(path, named, most, &secrets);
	unlink(path);
	return r;
}

static const struct {
	const char *text;
	bool named;
	size_t count; /* 0: refused */
} files[] = {
	{FIRST "\n", false, 1},
	{FIRST, false, 1},
	{FIRST "\n" SECOND "\n", false, 2},
	{FIRST "\n" SECOND, false, 2},
	{LONG "\n" LONG, false, 2},
	{"", false, 0},
	{"\n", false, 0},
	{"too short\n", false, 0},
	{"0123456789abcdef0123456789abcde\n", false, 0},
	{LONG "0\n", false, 0},
	{FIRST "\n\n", false, 0},
	{"\n" FIRST "\n", false, 0},
	{FIRST " \n", false, 0},
	{FIRST "\r\n", false, 0},
	{FIRST "\xc3\xa9\n", false, 0},
	{"order " FIRST "\n", false, 0},
	{"order " FIRST "\n", true, 1},
	{"order " FIRST, true, 1},
	{"order " LONG "\n", true, 1},
	{"abcdefghijklmnopqrstuvwxyzabcde " LONG "\n", true, 1},
	{"order " FIRST "\ncart " SECOND "\norder " SECOND "\n", true, 3},
	{"", true, 0},
	{FIRST "\n", true, 0},
	{"order\n", true, 0},
	{"order \n", true, 0},
	{" " FIRST "\n", true, 0},
	{"order  " FIRST "\n", true, 0},
	{"Order " FIRST "\n", true, 0},
	{"order " LONG "0\n", true, 0},
	{"abcdefghijklmnopqrstuvwxyzabcdef " FIRST "\n", true, 0},
};

START_TEST(reading_secrets)
{
	secrets = (struct secrets){.count = 7};
	int r = read_text(files[_i].text, files[_i].named, SECRETS_MAX);

	ck_assert_int_eq(r, files[_i].count > 0 ? 0 : -EINVAL);
	ck_assert_uint_eq(secrets.count, files[_i].count > 0 ? files[_i].count : 7);
}
END_TEST

#define LINE "abcdefghijklmnopqrstuvwxyzabcde " LONG "\n"

START_TEST(no_more_than_wanted)
{
	static const char two[] = LINE LINE;
	static const char eight[] = LINE LINE LINE LINE LINE LINE LINE LINE;
	static const char nine[] = LINE LINE LINE LINE LINE LINE LINE LINE LINE;

	ck_assert_int_eq(read_text(two, true, 1), -EINVAL);
	ck_assert_int_eq(read_text(two, true, 2), 0);
	ck_assert_int_eq(read_text(eight, true, SECRETS_MAX), 0);
	ck_assert_int_eq(read_text(nine, true, SECRETS_MAX), -EINVAL);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	ck_assert_int_eq(secrets_read("/nonexistent/keys", false, 1, &secrets), -EIO);
	ck_assert_int_eq(secrets_read("/tmp", false, 1, &secrets), -EIO);
}
END_TEST

START_TEST(a_secret_tells_whose_it_is)
{
	ck_assert_int_eq(read_text("order " FIRST "\ncart " SECOND "\norder " LONG "\n", true, 3),
			 0);
	ck_assert_str_eq(secrets_find(&secrets, FIRST), "order");
	ck_assert_str_eq(secrets_find(&secrets, SECOND), "cart");
	ck_assert_str_eq(secrets_find(&secrets, LONG), "order");
	ck_assert_ptr_null(secrets_find(&secrets, ""));
	ck_assert_ptr_null(secrets_find(&secrets, "order"));
	ck_assert_ptr_null(secrets_find(&secrets, FIRST "0"));
	ck_assert_ptr_null(secrets_find(&secrets, "0123456789abcdef0123456789abcdeF"));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("secrets");

	tcase_add_loop_test(tests, reading_secrets, 0, ARRAY_SIZE(files));
	tcase_add_test(tests, no_more_than_wanted);
	tcase_add_test(tests, a_file_that_is_not_there);
	tcase_add_test(tests, a_secret_tells_whose_it_is);
	return unit_run(tests, "secrets");
}
