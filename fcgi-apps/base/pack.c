#include "base/pack.h"

#include <zlib.h>

#include "base/base64url.h"
#include "base/digits.h"

int text_pack(const char *data, size_t length, struct text *out)
{
	uLongf packed_length = compressBound(length);
	char *packed CLEANUP(free_p) = malloc(packed_length);

	if (!packed)
		return -ENOMEM;
	if (compress((Bytef *)packed, &packed_length, (const Bytef *)data, length) != Z_OK)
		return -ENOMEM; /* the only error possible here */
	text_printf(out, "%zu:", length);
	base64url_encode(packed, packed_length, out);
	return text_error(out);
}

/* Reads the length at the beginning, and finds where the rest begins. */
static int read_length(const char *packed, size_t length, size_t limit, size_t *ret_length,
		       size_t *ret_rest)
{
	size_t value = 0;
	size_t i;

	for (i = 0; i < length && is_digit(packed[i]); i++) {
		value = value * 10 + (size_t)(packed[i] - '0');
		if (value > limit)
			return -EMSGSIZE;
	}
	if (i == 0 || i == length || packed[i] != ':')
		return -EINVAL;
	*ret_length = value;
	*ret_rest = i + 1;
	return 0;
}

static int inflate_into(const char *encoded, size_t length, char *data, size_t data_length)
{
	char *packed CLEANUP(free_p) = malloc(length + 1);
	uLongf got = data_length;

	if (!packed)
		return -ENOMEM;
	int64_t packed_length = base64url_decode(encoded, length, packed);
	if (packed_length < 0)
		return -EINVAL;
	switch (uncompress((Bytef *)data, &got, (const Bytef *)packed, (uLong)packed_length)) {
	case Z_OK:
		return got == data_length ? 0 : -EINVAL;
	case Z_MEM_ERROR:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

int text_unpack(const char *packed, size_t length, size_t limit, struct text *out)
{
	char *data CLEANUP(free_p) = NULL;
	size_t data_length = 0;
	size_t rest = 0;
	int r = read_length(packed, length, limit, &data_length, &rest);

	if (r < 0)
		return r;
	data = malloc(data_length + 1);
	if (!data)
		return -ENOMEM;
	r = inflate_into(packed + rest, length - rest, data, data_length);
	if (r < 0)
		return r;
	text_append(out, data, data_length);
	return text_error(out);
}
