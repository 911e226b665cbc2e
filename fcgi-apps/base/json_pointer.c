#include "base/json_pointer.h"

/* Reads the reference token that starts after the slash: returns where the next slash or the end
 * is, or NULL for an escape that is none or a name that is too long. */
static const char *read_name(const char *pointer, char name[JSON_POINTER_NAME_MAX + 1])
{
	size_t length = 0;
	for (; *pointer && *pointer != '/'; pointer++) {
		char byte = *pointer;
		if (byte == '~') {
			byte = *++pointer == '0' ? '~' : '/';
			if (*pointer != '0' && *pointer != '1')
				return NULL;
		}
		if (length == JSON_POINTER_NAME_MAX)
			return NULL;
		name[length++] = byte;
	}
	name[length] = '\0';
	return pointer;
}

bool json_pointer_is_valid(const char *pointer)
{
	char name[JSON_POINTER_NAME_MAX + 1];
	while (pointer && *pointer == '/')
		pointer = read_name(pointer + 1, name);
	return pointer && !*pointer;
}

/* RFC 6901 section 4: digits without a leading zero. */
static const struct json *element(const struct json *array, const char *digits)
{
	size_t index = 0, length = strlen(digits);
	if (length == 0 || length > 9 || strspn(digits, "0123456789") != length ||
	    (length > 1 && digits[0] == '0'))
		return NULL;
	for (; *digits; digits++)
		index = index * 10 + (size_t)(*digits - '0');
	return index < json_length(array) ? json_at(array, index) : NULL;
}

const struct json *json_pointer_get(const struct json *value, const char *pointer)
{
	char name[JSON_POINTER_NAME_MAX + 1];
	while (value && *pointer) {
		pointer = read_name(pointer + 1, name);
		value = json_type(value) == JSON_ARRAY ? element(value, name)
						       : json_get(value, name);
	}
	return value;
}
