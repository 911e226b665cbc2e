/* base/base64url.h: RFC 4648 without padding, each value in one spelling. */
#include "base/base64url.h"

#include "unit.h"

static const struct {
	const char *plain;
	const char *encoded;
} vectors[] = {
	/* RFC 4648 section 10, RFC 7515 appendix C */
	{"", ""},
	{"f", "Zg"},
	{"fo", "Zm8"},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg"},
	{"fooba", "Zm9vYmE"},
	{"foobar", "Zm9vYmFy"},
	{"\x03\xec\xff\xe0\xc1", "A-z_4ME"},
};

START_TEST(vectors_of_the_rfcs)
{
	struct text encoded CLEANUP(text_release) = TEXT_INIT(100);
	char plain[100];
	size_t length = strlen(vectors[_i].plain);
	base64url_encode(vectors[_i].plain, length, &encoded);
	ck_assert_str_eq(text_string(&encoded), vectors[_i].encoded);
	ck_assert_uint_eq(encoded.length, BASE64URL_LENGTH(length));
	ck_assert_int_eq(base64url_decode(vectors[_i].encoded, encoded.length, plain), length);
	ck_assert_mem_eq(plain, vectors[_i].plain, length);
}
END_TEST

/* Every text of four characters or less is refused, or is what its bytes are encoded as. */
START_TEST(one_spelling)
{
	static const char characters[] = "AQgw019Zz-_=+/ \n.";
	size_t count = sizeof(characters); /* the NUL is one, too */
	size_t taken = 0;
	for (size_t length = 1, texts = count; length <= 4; length++, texts *= count) {
		for (size_t number = 0; number < texts; number++) {
			struct text again CLEANUP(text_release) = TEXT_INIT(10);
			char text[4], plain[4];
			for (size_t i = 0, rest = number; i < length; i++, rest /= count)
				text[i] = characters[rest % count];
			int64_t r = base64url_decode(text, length, plain);
			if (r < 0)
				continue;
			base64url_encode(plain, (size_t)r, &again);
			ck_assert_uint_eq(again.length, length);
			ck_assert_mem_eq(text_string(&again), text, length);
			taken++;
		}
	}
	/* 11 of the characters are of the alphabet: four of any; two or three whose last one has no
	 * bits left over: A, Q, g, w of two and A, Q, g, w, 0 of three. */
	ck_assert_uint_eq(taken, 11 * 11 * 11 * 11 + 11 * 11 * 5 + 11 * 4);
}
END_TEST

START_TEST(every_byte)
{
	char plain[4];
	for (int byte = 0; byte < 256; byte++) {
		char text[4] = {'A', (char)byte, 'A', 'A'};
		bool known = byte && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					    "0123456789-_",
					    byte);
		ck_assert_int_eq(base64url_decode(text, 4, plain), known ? 3 : -EINVAL);
	}
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("base64url");
	tcase_add_loop_test(tests, vectors_of_the_rfcs, 0, ARRAY_SIZE(vectors));
	tcase_add_test(tests, one_spelling);
	tcase_add_test(tests, every_byte);
	return unit_run(tests, "base64url");
}
