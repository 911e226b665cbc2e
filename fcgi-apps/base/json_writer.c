#include "base/json_writer.h"

#include "base/clock.h"
#include "base/digits.h"
#include "base/utf8.h"

void json_writer_init(struct json_writer *writer, struct text *out)
{
	*writer = (struct json_writer){.out = out};
}

static void begin_value(struct json_writer *writer)
{
	if (writer->comma)
		text_append_char(writer->out, ',');
	writer->comma = true;
}

static void begin_container(struct json_writer *writer, char bracket)
{
	begin_value(writer);
	text_append_char(writer->out, bracket);
	writer->comma = false;
}

static void end_container(struct json_writer *writer, char bracket)
{
	text_append_char(writer->out, bracket);
	writer->comma = true;
}

void json_object_begin(struct json_writer *writer)
{
	begin_container(writer, '{');
}

void json_object_end(struct json_writer *writer)
{
	end_container(writer, '}');
}

void json_array_begin(struct json_writer *writer)
{
	begin_container(writer, '[');
}

void json_array_end(struct json_writer *writer)
{
	end_container(writer, ']');
}

/*
 * Whether none of the eight bytes is below 0x20, '"', '\\' or outside ASCII ("Determine if a word
 * has a zero byte", Bit Twiddling Hacks, S. E. Anderson). A borrow can only add marks above a real
 * one, so the result "none" is exact.
 */
static bool word_is_plain(const char *bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
	return !(((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & highs);
}

/* How many bytes at the start are plain: ASCII that needs no escape. */
static size_t plain_prefix(const char *bytes, size_t length)
{
	size_t i = 0;

	while (i + 8 <= length && word_is_plain(bytes + i))
		i += 8;
	/* Check the rest together with bytes before it, which are known to be plain. */
	if (i >= 8 && i + 8 > length && word_is_plain(bytes + length - 8))
		return length;
	for (; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
			break;
	}
	return i;
}

static void append_escape(struct text *out, char byte)
{
	char escape[6] = {'\\', byte, '0', '0'};

	switch (byte) {
	case '"':
	case '\\':
		break;
	case '\b':
		escape[1] = 'b';
		break;
	case '\f':
		escape[1] = 'f';
		break;
	case '\n':
		escape[1] = 'n';
		break;
	case '\r':
		escape[1] = 'r';
		break;
	case '\t':
		escape[1] = 't';
		break;
	default:
		escape[1] = 'u';
		hex_fixed(escape + 4, (unsigned char)byte, 2);
		text_append(out, escape, 6);
		return;
	}
	text_append(out, escape, 2);
}

static void append_escaped(struct text *out, const char *bytes, size_t length)
{
	size_t done = 0;

	for (size_t i = 0; i < length;) {
		i += plain_prefix(bytes + i, length - i);
		if (i == length)
			break;
		bool ascii = (unsigned char)bytes[i] < 0x80;
		size_t size = ascii ? 0 : utf8_character(bytes + i, length - i);
		if (size > 0) {
			i += size;
			continue;
		}
		text_append(out, bytes + done, i - done);
		if (ascii)
			append_escape(out, bytes[i]);
		else
			text_append_string(out, UTF8_REPLACEMENT);
		done = ++i;
	}
	text_append(out, bytes + done, length - done);
}

/* Writes a string with quotes and separators. The usual case, without escapes, takes one check for
 * room and one copy. close is the closing quote and the bytes after it. */
static void append_quoted(struct text *out, bool comma, const char *bytes, size_t length,
			  const char *close, size_t close_length)
{
	size_t plain = plain_prefix(bytes, length);
	char *end = text_reserve(out, comma + 1 + plain + close_length);

	if (!end)
		return;
	char *start = end;
	if (comma)
		*end++ = ',';
	*end++ = '"';
	memcpy(end, bytes, plain);
	end += plain;
	if (plain == length) {
		memcpy(end, close, close_length);
		text_commit(out, (size_t)(end - start) + close_length);
		return;
	}
	text_commit(out, (size_t)(end - start));
	append_escaped(out, bytes + plain, length - plain);
	text_append(out, close, close_length);
}

void json_key(struct json_writer *writer, const char *name)
{
	append_quoted(writer->out, writer->comma, name, strlen(name), "\":", 2);
	writer->comma = false;
}

void json_write_string(struct json_writer *writer, const char *string)
{
	if (string)
		json_write_bytes(writer, string, strlen(string));
	else
		json_write_null(writer);
}

void json_write_bytes(struct json_writer *writer, const char *bytes, size_t length)
{
	append_quoted(writer->out, writer->comma, bytes, length, "\"", 1);
	writer->comma = true;
}

void json_write_int(struct json_writer *writer, int64_t value)
{
	begin_value(writer);
	text_append_int(writer->out, value);
}

void json_write_bool(struct json_writer *writer, bool value)
{
	begin_value(writer);
	text_append_string(writer->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *writer)
{
	begin_value(writer);
	text_append_string(writer->out, "null");
}

void json_write_money(struct json_writer *writer, int64_t amount, struct currency currency)
{
	char buffer[MONEY_TEXT_SIZE];

	begin_value(writer);
	text_append(writer->out, buffer, money_format(amount, currency, buffer));
}

void json_write_time(struct json_writer *writer, int64_t time)
{
	char buffer[CLOCK_TEXT_SIZE + 2];

	begin_value(writer);
	buffer[0] = '"';
	clock_format(time, buffer + 1);
	buffer[CLOCK_TEXT_SIZE] = '"';
	text_append(writer->out, buffer, CLOCK_TEXT_SIZE + 1);
}

void json_write_raw(struct json_writer *writer, const char *json, size_t length)
{
	begin_value(writer);
	text_append(writer->out, json, length);
}

void json_member_string(struct json_writer *writer, const char *name, const char *string)
{
	json_key(writer, name);
	json_write_string(writer, string);
}

void json_member_int(struct json_writer *writer, const char *name, int64_t value)
{
	json_key(writer, name);
	json_write_int(writer, value);
}

void json_member_bool(struct json_writer *writer, const char *name, bool value)
{
	json_key(writer, name);
	json_write_bool(writer, value);
}

void json_member_money(struct json_writer *writer, const char *name, int64_t amount,
		       struct currency currency)
{
	json_key(writer, name);
	json_write_money(writer, amount, currency);
}

void json_member_time(struct json_writer *writer, const char *name, int64_t time)
{
	json_key(writer, name);
	json_write_time(writer, time);
}
