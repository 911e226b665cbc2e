#include "auth/guest.h"

#include "tokens.h" /* loads libcrypto */
#include "unit.h"

#define FIRST  "0123456789abcdef0123456789abcdef"
#define SECOND "fedcba9876543210fedcba9876543210"
#define CART   "01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a10"
/* As Python's hmac makes them of "cart:" and CART. */
#define BY_FIRST  "gst_nHhOs2hTS7zjrS6n-XHKyCzNfv9oM5kRS0tidxM4Vl4"
#define BY_SECOND "gst_sJJln7hEtGwiqxyh0cFtwTth_rITDKWv2IbNsPEqIO4"

static const struct secrets only_first = {.count = 1, .list = {{.text = FIRST}}};
static const struct secrets second_before_first = {.count = 2,
						   .list = {{.text = SECOND}, {.text = FIRST}}};
static struct secrets keys;

START_TEST(a_secret_is_the_hash_of_its_cart)
{
	char secret[GUEST_SECRET_SIZE];

	keys = only_first;
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

	keys = second_before_first;
	ck_assert_int_eq(guest_secret_make(&keys, CART, secret), 0);
	ck_assert_str_eq(secret, BY_SECOND);
	ck_assert(guest_secret_fits(&keys, CART, BY_FIRST));
	ck_assert(guest_secret_fits(&keys, CART, BY_SECOND));
}
END_TEST

START_TEST(another_text_fits_nothing)
{
	static const char right[] = BY_FIRST;

	keys = only_first;
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

	keys = (struct secrets){0};
	ck_assert_int_eq(guest_secret_make(&keys, CART, secret), -EIO);
	ck_assert(!guest_secret_fits(&keys, CART, BY_FIRST));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("guest");

	tcase_add_test(tests, a_secret_is_the_hash_of_its_cart);
	tcase_add_test(tests, the_first_key_makes_and_both_are_taken);
	tcase_add_test(tests, another_text_fits_nothing);
	tcase_add_test(tests, without_keys_there_are_no_secrets);
	return unit_run(tests, "guest");
}
