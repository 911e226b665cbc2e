#include "auth/service_keys.h"

#include <unistd.h>

#include "unit.h"

#define FIRST  "0123456789abcdef0123456789abcdef"
#define SECOND "fedcba9876543210fedcba9876543210"
#define LONG   FIRST SECOND FIRST SECOND

static struct service_keys keys;

/* service_keys_read() of a file with this text. */
static int read_text(const char *text)
{
	char path[] = "/tmp/service-keys.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int r = service_keys_read(path, &keys);
	unlink(path);
	return r;
}

static const struct {
	const char *text;
	size_t count; /* 0: refused */
} files[] = {
	{"order " FIRST "\n", 1},
	{"order " FIRST, 1},
	{"order " LONG "\n", 1},
	{"order " FIRST "\ncart " SECOND "\norder " SECOND "\n", 3},
	{"", 0},
	{"\n", 0},
	{FIRST "\n", 0},
	{"order\n", 0},
	{"order \n", 0},
	{" " FIRST "\n", 0},
	{"order  " FIRST "\n", 0},
	{"Order " FIRST "\n", 0},
	{"order " FIRST " \n", 0},
	{"order " FIRST "\r\n", 0},
	{"order 0123456789abcdef0123456789abcde\n", 0},
	{"order " LONG "0\n", 0},
	{"order " LONG LONG "\n", 0},
	{"abcdefghijklmnopqrstuvwxyzabcdef " FIRST "\n", 0},
	{"order " FIRST "\n\n", 0},
};

START_TEST(reading_keys)
{
	keys = (struct service_keys){.count = 7};
	int r = read_text(files[_i].text);

	ck_assert_int_eq(r, files[_i].count > 0 ? 0 : -EINVAL);
	ck_assert_uint_eq(keys.count, files[_i].count > 0 ? files[_i].count : 7);
}
END_TEST

#define LINE (sizeof("order " FIRST "\n") - 1)

START_TEST(no_more_than_fit)
{
	char text[1024] = "";

	for (size_t i = 0; i < SERVICE_KEYS_MAX; i++)
		memcpy(text + i * LINE, "order " FIRST "\n", LINE + 1);
	ck_assert_int_eq(read_text(text), 0);
	memcpy(text + SERVICE_KEYS_MAX * LINE, "order " FIRST "\n", LINE + 1);
	ck_assert_int_eq(read_text(text), -EINVAL);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	ck_assert_int_eq(service_keys_read("/nonexistent/keys", &keys), -EIO);
	ck_assert_int_eq(service_keys_read("/tmp", &keys), -EIO);
}
END_TEST

START_TEST(a_secret_tells_whose_it_is)
{
	ck_assert_int_eq(read_text("order " FIRST "\ncart " SECOND "\norder " LONG "\n"), 0);
	ck_assert_str_eq(service_keys_find(&keys, FIRST), "order");
	ck_assert_str_eq(service_keys_find(&keys, SECOND), "cart");
	ck_assert_str_eq(service_keys_find(&keys, LONG), "order");
	ck_assert_ptr_null(service_keys_find(&keys, ""));
	ck_assert_ptr_null(service_keys_find(&keys, "order"));
	ck_assert_ptr_null(service_keys_find(&keys, FIRST "0"));
	ck_assert_ptr_null(service_keys_find(&keys, "0123456789abcdef0123456789abcdeF"));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("service_keys");

	tcase_add_loop_test(tests, reading_keys, 0, ARRAY_SIZE(files));
	tcase_add_test(tests, no_more_than_fit);
	tcase_add_test(tests, a_file_that_is_not_there);
	tcase_add_test(tests, a_secret_tells_whose_it_is);
	return unit_run(tests, "service_keys");
}
