#include "contract/reference.h"

#define SEGMENT_SIZE 256

/* Copies the segment up to the next '/', unescaped; returns where it ends, NULL when malformed. */
static const char *read_segment(const char *pointer, char segment[SEGMENT_SIZE])
{
	size_t length = 0;

	for (; *pointer && *pointer != '/'; pointer++) {
		char byte = *pointer;

		if (byte == '%' || length == SEGMENT_SIZE - 1)
			return NULL;
		if (byte == '~') {
			pointer++;
			if (*pointer != '0' && *pointer != '1')
				return NULL;
			byte = *pointer == '0' ? '~' : '/';
		}
		segment[length++] = byte;
	}
	segment[length] = '\0';
	return pointer;
}

static const struct json *array_element(const struct json *array, const char *segment)
{
	size_t index = 0;

	if (!*segment || (*segment == '0' && segment[1]))
		return NULL;
	for (; *segment; segment++) {
		if (*segment < '0' || *segment > '9')
			return NULL;
		index = index * 10 + (size_t)(*segment - '0');
		if (index >= json_length(array))
			return NULL;
	}
	return json_at(array, index);
}

const struct json *reference_resolve(const struct json *root, const char *reference)
{
	const struct json *value = root;
	char segment[SEGMENT_SIZE];

	if (*reference++ != '#')
		return NULL;
	while (*reference && value) {
		if (*reference++ != '/')
			return NULL;
		reference = read_segment(reference, segment);
		if (!reference)
			return NULL;
		value = json_type(value) == JSON_ARRAY ? array_element(value, segment)
						       : json_get(value, segment);
	}
	return value;
}
