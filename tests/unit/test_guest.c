#include "auth/guest.h"

#include <unistd.h>

#include "unit.h"

#define FIRST  "0123456789abcdef0123456789abcdef"
#define SECOND "fedcba9876543210fedcba9876543210"
#define CART   "01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a10"
/* As Python's hmac makes them of "cart:" and CART. */
#define BY_FIRST  "gst_nHhOs2hTS7zjrS6n-XHKyCzNfv9oM5kRS0tidxM4Vl4"
#define BY_SECOND "gst_sJJln7hEtGwiqxyh0cFtwTth_rITDKWv2IbNsPEqIO4"

#define SIXTY_FOUR FIRST SECOND
#define LONGEST    SIXTY_FOUR SIXTY_FOUR

static struct guest_keys keys;

/* guest_keys_read() of a file with this text. */
static int read_text(const char *text)
{
	char path[] = "/tmp/guest-keys.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int r = guest_keys_read(path, &keys);
	unlink(path);
	return r;
}

static const struct {
	const char *text;
	size_t count; /* 0: refused */
} files[] = {
	{FIRST "\n", 1},
	{FIRST, 1},
	{FIRST "\n" SECOND "\n", 2},
	{FIRST "\n" SECOND, 2},
	{LONGEST "\n" LONGEST, 2},
	{"", 0},
	{"\n", 0},
	{"too short\n", 0},
	{"0123456789abcdef0123456789abcde\n", 0},
	{LONGEST "0\n", 0},
	{LONGEST LONGEST "\n", 0},
	{FIRST "\n\n", 0},
	{FIRST " \n", 0},
	{FIRST "\r\n", 0},
	{FIRST "\xc3\xa9\n", 0},
	{FIRST "\n" SECOND "\n" FIRST "\n", 0},
};

START_TEST(reading_keys)
{
	keys = (struct guest_keys){.count = 7};
	int r = read_text(files[_i].text);

	ck_assert_int_eq(r, files[_i].count > 0 ? 0 : -EINVAL);
	ck_assert_uint_eq(keys.count, files[_i].count > 0 ? files[_i].count : 7);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	ck_assert_int_eq(guest_keys_read("/nonexistent/keys", &keys), -EIO);
	ck_assert_int_eq(guest_keys_read("/tmp", &keys), -EIO);
}
END_TEST

START_TEST(a_secret_is_the_hash_of_its_cart)
{
	char secret[GUEST_SECRET_SIZE];

	ck_assert_int_eq(read_text(FIRST), 0);
	ck_assert_int_eq(guest_secret_make(&keys, CART, secret), 0);
	ck_assert_str_eq(secret, BY_FIRST);
	ck_assert(guest_secret_fits(&keys, CART, BY_FIRST));
	ck_assert(!guest_secret_fits(&keys, CART, BY_SECOND));
	ck_assert(!guest_secret_fits(&keys, "01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a11", BY_FIRST));
	ck_assert(!guest_secret_fits(&keys, "", BY_FIRST));
}
END_TEST

START_TEST(the_first_key_makes_and_both_are_taken)
{
	char secret[GUEST_SECRET_SIZE];

	ck_assert_int_eq(read_text(SECOND "\n" FIRST), 0);
	ck_assert_int_eq(guest_secret_make(&keys, CART, secret), 0);
	ck_assert_str_eq(secret, BY_SECOND);
	ck_assert(guest_secret_fits(&keys, CART, BY_FIRST));
	ck_assert(guest_secret_fits(&keys, CART, BY_SECOND));
}
END_TEST

START_TEST(another_text_fits_nothing)
{
	static const char right[] = BY_FIRST;

	ck_assert_int_eq(read_text(FIRST), 0);
	ck_assert(!guest_secret_fits(&keys, CART, NULL));
	ck_assert(!guest_secret_fits(&keys, CART, ""));
	ck_assert(!guest_secret_fits(&keys, CART, "gst_"));
	ck_assert(!guest_secret_fits(&keys, CART, BY_FIRST "A"));
	for (size_t i = 0; i < sizeof(right) - 1; i++) {
		char wrong[sizeof(right)];

		memcpy(wrong, right, sizeof(right));
		wrong[i] = '~';
		ck_assert(!guest_secret_fits(&keys, CART, wrong));
		wrong[i] = '\0';
		ck_assert(!guest_secret_fits(&keys, CART, wrong));
	}
}
END_TEST

START_TEST(without_keys_there_are_no_secrets)
{
	char secret[GUEST_SECRET_SIZE];

	keys = (struct guest_keys){0};
	ck_assert_int_eq(guest_secret_make(&keys, CART, secret), -EIO);
	ck_assert(!guest_secret_fits(&keys, CART, BY_FIRST));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("guest");

	tcase_add_loop_test(tests, reading_keys, 0, ARRAY_SIZE(files));
	tcase_add_test(tests, a_file_that_is_not_there);
	tcase_add_test(tests, a_secret_is_the_hash_of_its_cart);
	tcase_add_test(tests, the_first_key_makes_and_both_are_taken);
	tcase_add_test(tests, another_text_fits_nothing);
	tcase_add_test(tests, without_keys_there_are_no_secrets);
	return unit_run(tests, "guest");
}
