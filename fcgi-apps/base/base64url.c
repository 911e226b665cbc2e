#include "base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const char *data, size_t length, struct text *out)
{
	const unsigned char *bytes = (const unsigned char *)data;
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)bytes[i] << 16;
		if (left > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];
		text_append_char(out, alphabet[group >> 18]);
		text_append_char(out, alphabet[group >> 12 & 63]);
		if (left > 1)
			text_append_char(out, alphabet[group >> 6 & 63]);
		if (left > 2)
			text_append_char(out, alphabet[group & 63]);
	}
}

#define TEN(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9
#define SIX(n) n, n + 1, n + 2, n + 3, n + 4, n + 5

/* The value of each character of the alphabet, and one more: 0 for all others. */
static const unsigned char values[256] = {
	['A'] = TEN(1),  TEN(11),    SIX(21), /* to Z */
	['a'] = TEN(27), TEN(37),    SIX(47), /* to z */
	['0'] = TEN(53), ['-'] = 63, ['_'] = 64,
};

int64_t base64url_decode(const char *text, size_t length, char *out)
{
	size_t written = 0;
	uint32_t bits = 0;
	unsigned bit_count = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned value = values[(unsigned char)text[i]];
		if (value == 0)
			return -EINVAL;
		bits = bits << 6 | (value - 1);
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			out[written++] = (char)(bits >> bit_count & 0xff);
		}
	}
	if (bit_count >= 6 || (bits & ((1u << bit_count) - 1)))
		return -EINVAL;
	return (int64_t)written;
}
