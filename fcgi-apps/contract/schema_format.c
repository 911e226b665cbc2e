#include "contract/schema_format.h"

#include "base/clock.h"
#include "base/digits.h"

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_date_time(const char *text, size_t length)
{
	int64_t time;

	return clock_parse(text, length, &time) == 0;
}

static bool is_any(const char *text UNUSED, size_t length UNUSED)
{
	return true;
}

/* Whether all bytes are unreserved, sub-delims, %XX or in extra (RFC 3986 appendix A). */
static bool is_part(const char *text, size_t length, const char *extra)
{
	for (size_t i = 0; i < length; i++) {
		char byte = text[i];

		if (byte == '%') {
			if (length - i < 3 || hex_value(text[i + 1]) < 0 ||
			    hex_value(text[i + 2]) < 0)
				return false;
			i += 2;
		} else if (!byte || (!is_letter(byte) && !is_digit(byte) &&
				     !strchr("-._~!$&'()*+,;=", byte) && !strchr(extra, byte))) {
			return false;
		}
	}
	return true;
}

/* [ userinfo "@" ] host [ ":" port ] */
static bool is_authority(const char *text, size_t length)
{
	const char *at = memchr(text, '@', length);
	const char *end = text + length, *port = end;

	if (at) {
		if (!is_part(text, (size_t)(at - text), ":"))
			return false;
		text = at + 1;
	}
	while (port > text && is_digit(port[-1]))
		port--;
	if (port > text && port[-1] == ':')
		end = port - 1;
	length = (size_t)(end - text);
	if (length >= 2 && text[0] == '[' && end[-1] == ']')
		return length > 2 && is_part(text + 1, length - 2, ":");
	return is_part(text, length, "");
}

/* The length up to the first of stops. */
static size_t span_until(const char *text, size_t length, const char *stops)
{
	size_t i = 0;

	while (i < length && text[i] && !strchr(stops, text[i]))
		i++;
	return i;
}

/* scheme ":" [ "//" authority ] path [ "?" query ] [ "#" fragment ]; relative references are
 * not. */
static bool is_uri(const char *text, size_t length)
{
	size_t span = span_until(text, length, ":");
	const char *end = text + length;

	if (span == 0 || span == length || !is_letter(text[0]))
		return false;
	for (size_t i = 1; i < span; i++) {
		if (!is_letter(text[i]) && !is_digit(text[i]) && !strchr("+-.", text[i]))
			return false;
	}
	text += span + 1;
	if (end - text >= 2 && text[0] == '/' && text[1] == '/') {
		text += 2;
		span = span_until(text, (size_t)(end - text), "/?#");
		if (!is_authority(text, span))
			return false;
		text += span;
	}
	span = span_until(text, (size_t)(end - text), "?#");
	if (!is_part(text, span, ":@/"))
		return false;
	text += span;
	if (text < end && *text == '?') {
		text++;
		span = span_until(text, (size_t)(end - text), "#");
		if (!is_part(text, span, ":@/?"))
			return false;
		text += span;
	}
	return text == end || (*text == '#' && is_part(text + 1, (size_t)(end - text - 1), ":@/?"));
}

const struct schema_format schema_format_date_time = {
	.is_valid = is_date_time,
	.expected = "must be a date and time of RFC 3339, such as 2026-01-31T23:59:59Z",
};

const struct schema_format schema_format_id = {
	.is_valid = is_any,
	.normalize = schema_id_normalize,
};

const struct schema_format schema_format_text_block = {
	.is_valid = schema_text_is_block,
	.expected = "must not have control characters other than tabs and line breaks",
	.explain = schema_text_explain,
	.normalize = schema_text_normalize,
};

const struct schema_format schema_format_text_line = {
	.is_valid = schema_text_is_line,
	.expected = "must not have control characters or line breaks",
	.explain = schema_text_explain,
	.normalize = schema_text_normalize,
};

const struct schema_format schema_format_uri = {
	.is_valid = is_uri,
	.expected = "must be an absolute URI, such as https://example.com/picture.png",
};
