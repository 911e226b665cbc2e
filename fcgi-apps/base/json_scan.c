#include "base/json_scan.h"

#include "base/digits.h"
#include "base/utf8.h"

static int fail(struct json_scan *scan, size_t position, const char *fault)
{
	scan->position = position;
	scan->fault = fault;
	return -EINVAL;
}

static int hex_value(char byte)
{
	if (is_digit(byte))
		return byte - '0';
	if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

/* The code unit of "\uXXXX" at position, or -1 when there is none. */
static int32_t code_unit(const struct json_scan *scan, size_t position)
{
	int32_t unit = 0;

	if (scan->length - position < 6 || scan->text[position] != '\\' ||
	    scan->text[position + 1] != 'u')
		return -1;
	for (size_t i = position + 2; i < position + 6; i++) {
		int digit = hex_value(scan->text[i]);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static int scan_unicode_escape(struct json_scan *scan)
{
	int32_t unit = code_unit(scan, scan->position);

	if (unit < 0)
		return fail(scan, scan->position, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return fail(scan, scan->position, "\\u0000 is not allowed");
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return fail(scan, scan->position, "surrogate without its other half");
	if (unit >= 0xD800 && unit <= 0xDBFF) {
		int32_t low = code_unit(scan, scan->position + 6);
		if (low < 0xDC00 || low > 0xDFFF)
			return fail(scan, scan->position, "surrogate without its other half");
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
		return fail(scan, scan->position, "unknown escape in string");
	scan->position += 2;
	return 0;
}

static int scan_string(struct json_scan *scan)
{
	size_t start = scan->position++;

	while (scan->position < scan->length) {
		unsigned char byte = (unsigned char)scan->text[scan->position];
		if (byte == '"') {
			scan->position++;
			scan->values++;
			return 0;
		}
		if (byte == '\\') {
			int result = scan_escape(scan);
			if (result < 0)
				return result;
		} else if (byte < 0x20) {
			return fail(scan, scan->position, "control character in string");
		} else if (byte < 0x80) {
			scan->position++;
		} else {
			size_t size = utf8_character(scan->text + scan->position,
						     scan->length - scan->position);
			if (size == 0)
				return fail(scan, scan->position, "invalid UTF-8");
			scan->position += size;
		}
	}
	return fail(scan, start, "string without end");
}

/* Zero where the text has ended: no token contains it. */
static char peek(const struct json_scan *scan)
{
	return scan->position < scan->length ? scan->text[scan->position] : '\0';
}

static bool skip_digits(struct json_scan *scan)
{
	size_t start = scan->position;
	while (is_digit(peek(scan)))
		scan->position++;
	return scan->position > start;
}

static bool fits_int64(const char *digits, size_t length, bool negative)
{
	uint64_t magnitude = 0;

	if (length < 19)
		return true;
	for (size_t i = 0; i < length; i++) {
		if (__builtin_mul_overflow(magnitude, UINT64_C(10), &magnitude) ||
		    __builtin_add_overflow(magnitude, (uint64_t)(digits[i] - '0'), &magnitude))
			return false;
	}
	return magnitude <= (uint64_t)INT64_MAX + negative;
}

/* RFC 8259 section 6; a number ends where no byte of a number or word follows. */
static int scan_number(struct json_scan *scan)
{
	size_t start = scan->position;
	bool negative = peek(scan) == '-';
	bool whole = true;

	scan->position += negative;
	size_t digits = scan->position;
	if (peek(scan) == '0')
		scan->position++;
	else if (!skip_digits(scan))
		return fail(scan, start, "malformed number");
	size_t digits_end = scan->position;
	if (peek(scan) == '.') {
		scan->position++;
		whole = false;
		if (!skip_digits(scan))
			return fail(scan, start, "malformed number");
	}
	if (peek(scan) == 'e' || peek(scan) == 'E') {
		scan->position++;
		whole = false;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->position++;
		if (!skip_digits(scan))
			return fail(scan, start, "malformed number");
	}
	char next = peek(scan);
	if (is_digit(next) || next == '.' || next == '+' || next == '-' ||
	    ((next | 0x20) >= 'a' && (next | 0x20) <= 'z'))
		return fail(scan, start, "malformed number");
	if (whole && !fits_int64(scan->text + digits, digits_end - digits, negative))
		return fail(scan, start, "integer beyond 64 bits");
	scan->values++;
	return 0;
}

static int scan_literal(struct json_scan *scan)
{
	static const char *const literals[] = {"null", "true", "false"};

	for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
		size_t length = strlen(literals[i]);
		if (scan->length - scan->position >= length &&
		    memcmp(scan->text + scan->position, literals[i], length) == 0) {
			scan->position += length;
			scan->values++;
			return 0;
		}
	}
	return fail(scan, scan->position, "unexpected character");
}

int json_scan(struct json_scan *scan)
{
	int depth = 0, result = 0;

	while (result == 0 && scan->position < scan->length) {
		char byte = scan->text[scan->position];
		switch (byte) {
		case ' ':
		case '\t':
		case '\n':
		case '\r':
		case ',':
			scan->position++;
			break;
		case ':': /* the string before it was a name */
			scan->position++;
			scan->values--;
			break;
		case '{':
		case '[':
			if (++depth > scan->depth_limit)
				return fail(scan, scan->position, "nested too deeply");
			scan->position++;
			scan->values++;
			break;
		case '}':
		case ']':
			depth--;
			scan->position++;
			break;
		case '"':
			result = scan_string(scan);
			break;
		default:
			result = is_digit(byte) || byte == '-' ? scan_number(scan)
							       : scan_literal(scan);
		}
	}
	return result;
}

size_t json_scan_string_end(const char *text, size_t start)
{
	size_t position = start + 1;
	while (text[position] != '"')
		position += text[position] == '\\' ? 2 : 1;
	return position + 1;
}
