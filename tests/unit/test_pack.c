/* base/pack.h and base/base64url.h: what was packed can be unpacked, and nothing else can. */
#include "base/base64url.h"
#include "base/pack.h"
#include "unit.h"

#define LIMIT 100000

static struct text packed;
static struct text plain;

static void setup(void)
{
	text_init(&packed, LIMIT);
	text_init(&plain, LIMIT);
}

static void teardown(void)
{
	text_release(&packed);
	text_release(&plain);
}

static int back(size_t limit)
{
	return text_unpack(text_string(&packed), packed.length, limit, &plain);
}

START_TEST(what_was_packed_comes_back)
{
	char data[5000];

	for (size_t length = 0; length < sizeof(data); length = length * 2 + 1) {
		for (size_t i = 0; i < length; i++)
			data[i] = (char)(i * i % 251);
		text_reset(&packed);
		text_reset(&plain);
		ck_assert_int_eq(text_pack(data, length, &packed), 0);
		ck_assert_uint_eq(strlen(text_string(&packed)), packed.length);
		ck_assert_int_eq(back(length), 0);
		ck_assert_uint_eq(plain.length, length);
		ck_assert_int_eq(memcmp(text_string(&plain), data, length), 0);
	}
}
END_TEST

START_TEST(what_repeats_itself_becomes_short)
{
	char data[10000];

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(text_pack(data, sizeof(data), &packed), 0);
	ck_assert_uint_lt(packed.length, 100);
	ck_assert_int_eq(back(sizeof(data) - 1), -EMSGSIZE);
	ck_assert_int_eq(back(sizeof(data)), 0);
}
END_TEST

static const char *const broken[] = {
	"",
	"5",
	":",
	"5:",
	":eJwDAAAAAAE",
	"x:eJwDAAAAAAE",
	"5:eJwDAAAAAAE",
	"0:****",
	"0:eJwDAAAAAA",
	"99999999999999999999:eJwDAAAAAAE",
};

START_TEST(other_bytes_are_refused)
{
	text_append_string(&packed, broken[_i]);
	ck_assert_int_lt(back(LIMIT), 0);
	ck_assert_uint_eq(plain.length, 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("pack");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_packed_comes_back);
	tcase_add_test(tcase, what_repeats_itself_becomes_short);
	tcase_add_loop_test(tcase, other_bytes_are_refused, 0, ARRAY_SIZE(broken));
	return unit_run(tcase, "pack");
}
