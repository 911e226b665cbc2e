#include "contract/schema_text.h"

#include "base/unicode.h"
#include "base/uuid.h"

#define LINE_SEPARATOR      "\xE2\x80\xA8"
#define PARAGRAPH_SEPARATOR "\xE2\x80\xA9"

/* Nearly all texts: ASCII that shows, without a space at an end. */
static bool is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return length == 0 || (text[0] != ' ' && text[length - 1] != ' ');
}

bool schema_text_normalize(const char *text, size_t length, struct text *out)
{
	if (is_plain(text, length))
		return false;

	text = unicode_trim(text, length, &length);
	/* Control characters stay, to be told of. */
	if (unicode_has_control(text, length) || !unicode_shows_nothing(text, length))
		unicode_append_nfc(out, text, length);
	return true;
}

static bool has_capitals(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] >= 'A' && text[i] <= 'F')
			return true;
	}
	return false;
}

bool schema_id_normalize(const char *text, size_t length, struct text *out)
{
	size_t start = out->length;

	if (!has_capitals(text, length))
		return false;
	text_append(out, text, length);
	for (size_t at = 0; at < length && !text_error(out); at++) {
		const char *comma = memchr(text + at, ',', length - at);
		size_t end = comma ? (size_t)(comma - text) : length;

		uuid_to_lower(out->data + start + at, end - at);
		at = end;
	}
	return true;
}

bool schema_text_is_line(const char *text, size_t length)
{
	return !unicode_has_control(text, length) &&
	       !memmem(text, length, LINE_SEPARATOR, strlen(LINE_SEPARATOR)) &&
	       !memmem(text, length, PARAGRAPH_SEPARATOR, strlen(PARAGRAPH_SEPARATOR));
}

bool schema_text_is_block(const char *text, size_t length)
{
	size_t start = 0;

	for (size_t i = 0; i <= length; i++) {
		if (i < length && !strchr("\t\n\r", text[i]))
			continue;
		if (unicode_has_control(text + start, i - start))
			return false;
		start = i + 1;
	}
	return true;
}
