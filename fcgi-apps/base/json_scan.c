#include "base/json_scan.h"

#include "base/digits.h"
#include "base/utf8.h"

int json_scan_fail(struct json_scan *scan, size_t position, const char *fault)
{
	scan->position = position;
	scan->fault = fault;
	return -EINVAL;
}

/* The code unit of "\uXXXX" at text, or -1 when there is none. */
static int32_t code_unit(const char *text, size_t length)
{
	int32_t unit = 0;

	if (length < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		int digit = hex_value(text[i]);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static int scan_unicode_escape(struct json_scan *scan)
{
	const char *text = scan->text + scan->position;
	size_t length = scan->length - scan->position;
	int32_t unit = code_unit(text, length);

	if (unit < 0)
		return json_scan_fail(scan, scan->position, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return json_scan_fail(scan, scan->position, "\\u0000 is not allowed");
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return json_scan_fail(scan, scan->position, "surrogate without its other half");
	if (unit >= 0xD800 && unit <= 0xDBFF) {
		int32_t low = code_unit(text + 6, length - 6);
		if (low < 0xDC00 || low > 0xDFFF)
			return json_scan_fail(scan, scan->position,
					      "surrogate without its other half");
		scan->position += 6;
	}
	scan->position += 6;
	return 0;
}

static int scan_escape(struct json_scan *scan)
{
	char kind = scan->position + 1 < scan->length ? scan->text[scan->position + 1] : '\0';

	if (kind == 'u')
		return scan_unicode_escape(scan);
	if (kind == '\0' || !strchr("\"\\/bfnrt", kind))
		return json_scan_fail(scan, scan->position, "unknown escape in string");
	scan->position += 2;
	return 0;
}

int json_scan_string(struct json_scan *scan, bool *ret_escaped)
{
	size_t start = scan->position++;
	bool escaped = false;

	while (scan->position < scan->length) {
		unsigned char byte = (unsigned char)scan->text[scan->position];
		if (byte == '"') {
			scan->position++;
			*ret_escaped = escaped;
			return 0;
		}
		if (byte == '\\') {
			int r = scan_escape(scan);
			if (r < 0)
				return r;
			escaped = true;
		} else if (byte < 0x20) {
			return json_scan_fail(scan, scan->position, "control character in string");
		} else if (byte < 0x80) {
			scan->position++;
		} else {
			size_t size = utf8_character(scan->text + scan->position,
						     scan->length - scan->position);
			if (size == 0)
				return json_scan_fail(scan, scan->position, "invalid UTF-8");
			scan->position += size;
		}
	}
	return json_scan_fail(scan, start, "string without end");
}

static bool skip_digits(struct json_scan *scan)
{
	size_t start = scan->position;
	while (is_digit(json_scan_peek(scan)))
		scan->position++;
	return scan->position > start;
}

static bool int64_of(const char *digits, size_t length, bool negative, int64_t *ret_value)
{
	uint64_t magnitude = 0;

	for (size_t i = 0; i < length; i++) {
		if (__builtin_mul_overflow(magnitude, UINT64_C(10), &magnitude) ||
		    __builtin_add_overflow(magnitude, (uint64_t)(digits[i] - '0'), &magnitude))
			return false;
	}
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*ret_value = (int64_t)(negative ? -magnitude : magnitude);
	return true;
}

/* RFC 8259 section 6. A number must not be followed by a byte of a number or a word. */
int json_scan_number(struct json_scan *scan, bool *ret_whole, int64_t *ret_value)
{
	size_t start = scan->position;
	bool negative = json_scan_peek(scan) == '-';
	bool whole = true;

	scan->position += negative;
	size_t digits = scan->position;
	if (json_scan_peek(scan) == '0')
		scan->position++;
	else if (!skip_digits(scan))
		return json_scan_fail(scan, start, "malformed number");
	size_t digits_end = scan->position;
	if (json_scan_peek(scan) == '.') {
		scan->position++;
		whole = false;
		if (!skip_digits(scan))
			return json_scan_fail(scan, start, "malformed number");
	}
	if (json_scan_peek(scan) == 'e' || json_scan_peek(scan) == 'E') {
		scan->position++;
		whole = false;
		if (json_scan_peek(scan) == '+' || json_scan_peek(scan) == '-')
			scan->position++;
		if (!skip_digits(scan))
			return json_scan_fail(scan, start, "malformed number");
	}
	char next = json_scan_peek(scan);
	if (is_digit(next) || next == '.' || next == '+' || next == '-' ||
	    ((next | 0x20) >= 'a' && (next | 0x20) <= 'z'))
		return json_scan_fail(scan, start, "malformed number");
	if (whole && !int64_of(scan->text + digits, digits_end - digits, negative, ret_value))
		return json_scan_fail(scan, start, "integer beyond 64 bits");
	*ret_whole = whole;
	return 0;
}

void json_scan_space(struct json_scan *scan)
{
	for (char byte = json_scan_peek(scan);
	     byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
	     byte = json_scan_peek(scan))
		scan->position++;
}

bool json_scan_word(struct json_scan *scan, const char *word)
{
	size_t length = strlen(word);

	if (scan->length - scan->position < length ||
	    memcmp(scan->text + scan->position, word, length) != 0)
		return false;
	scan->position += length;
	return true;
}

static char *write_utf8(char *target, uint32_t character)
{
	if (character < 0x80) {
		*target++ = (char)character;
		return target;
	}
	if (character < 0x800) {
		*target++ = (char)(0xC0 | character >> 6);
	} else {
		if (character < 0x10000) {
			*target++ = (char)(0xE0 | character >> 12);
		} else {
			*target++ = (char)(0xF0 | character >> 18);
			*target++ = (char)(0x80 | (character >> 12 & 0x3F));
		}
		*target++ = (char)(0x80 | (character >> 6 & 0x3F));
	}
	*target++ = (char)(0x80 | (character & 0x3F));
	return target;
}

/* Decodes the escape at source; returns the byte after it. */
static const char *decode_escape(const char *source, char **target)
{
	static const char kinds[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";

	if (source[1] != 'u') {
		*(*target)++ = bytes[strchr(kinds, source[1]) - kinds];
		return source + 2;
	}
	uint32_t character = (uint32_t)code_unit(source, 6);
	source += 6;
	if (character >= 0xD800 && character <= 0xDBFF) { /* a surrogate pair: RFC 8259 section 7 */
		uint32_t low = (uint32_t)code_unit(source, 6);
		character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
		source += 6;
	}
	*target = write_utf8(*target, character);
	return source;
}

size_t json_scan_decode(const char *source, size_t length, char *target)
{
	const char *end = source + length;
	char *start = target;

	while (source < end) {
		if (*source == '\\')
			source = decode_escape(source, &target);
		else
			*target++ = *source++;
	}
	return (size_t)(target - start);
}
