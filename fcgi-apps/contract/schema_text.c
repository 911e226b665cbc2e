#include "contract/schema_text.h"

#include "base/unicode.h"
#include "base/uuid.h"

#define LINE_SEPARATOR      0x2028
#define PARAGRAPH_SEPARATOR 0x2029

#define BLACK_FLAG 0x1F3F4
#define TAG_END    0xE007F
#define TAGS_MAX   7 /* of a flag, with the end tag: "gbeng" has six */

/* True for nearly all texts: visible ASCII without a space at either end. */
static bool is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return length == 0 || (text[0] != ' ' && text[length - 1] != ' ');
}

enum fault { FINE, CONTROL, NONCHARACTER, TURNING, UNSEEN };

static const char *const reasons[] = {
	[NONCHARACTER] = "is no character",
	[TURNING] = "turns the text after it around",
	[UNSEEN] = "does not show",
};

/* The state of a walk over the characters of a text. */
struct walk {
	bool is_block;
	size_t flag; /* how many tags may still follow the flag */
};

static bool is_in(uint32_t c, uint32_t first, uint32_t last)
{
	return c >= first && c <= last;
}

static bool is_control(uint32_t c, bool is_block)
{
	if (c == '\t' || c == '\n' || c == '\r' || is_in(c, LINE_SEPARATOR, PARAGRAPH_SEPARATOR))
		return !is_block;
	return c < ' ' || is_in(c, 0x7F, 0x9F);
}

/* Deprecated characters (U+206A to U+206F), unassigned ones that are ignored by default, the byte
 * order mark. U+E0100 to U+E01EF are variation selectors. */
static bool is_unseen(uint32_t c)
{
	if (c < 0xE0000)
		return c == 0xFEFF || c == 0x2065 || is_in(c, 0x206A, 0x206F) ||
		       is_in(c, 0xFFF0, 0xFFF8);
	return c <= 0xE0FFF && !is_in(c, 0xE0100, 0xE01EF);
}

static enum fault next(struct walk *walk, uint32_t c)
{
	if (unicode_is_tag(c) && walk->flag > 0) {
		walk->flag = c == TAG_END ? 0 : walk->flag - 1;
		return FINE;
	}
	walk->flag = c == BLACK_FLAG ? TAGS_MAX : 0;
	if (is_control(c, walk->is_block))
		return CONTROL;
	if ((c & 0xFFFE) == 0xFFFE || is_in(c, 0xFDD0, 0xFDEF))
		return NONCHARACTER;
	if (is_in(c, 0x202A, 0x202E) || is_in(c, 0x2066, 0x2069))
		return TURNING;
	return is_unseen(c) ? UNSEEN : FINE;
}

/* Finds the first refused character: what is wrong with it, the character, and its index. */
static enum fault find_fault(const char *text, size_t length, bool is_block, uint32_t *ret_c,
			     size_t *ret_index)
{
	struct walk walk = {.is_block = is_block};

	*ret_index = 0;
	for (size_t i = 0; i < length; ++*ret_index) {
		i += unicode_decode(text + i, length - i, ret_c);
		enum fault fault = next(&walk, *ret_c);

		if (fault != FINE)
			return fault;
	}
	return FINE;
}

static bool is_fine(const char *text, size_t length, bool is_block)
{
	uint32_t c;
	size_t index;

	if (is_plain(text, length))
		return true;
	return find_fault(text, length, is_block, &c, &index) == FINE;
}

bool schema_text_normalize(const char *text, size_t length, struct text *out)
{
	if (is_plain(text, length))
		return false;

	size_t start = out->length;
	size_t shown;

	unicode_append_nfc(out, text, length);
	if (text_error(out))
		return true;
	/* Refused characters stay in the text, so that they can be reported. */
	length = out->length - start;
	text = unicode_trim_unseen(out->data + start, length, &shown);
	if (unicode_shows_nothing(text, shown) && is_fine(text, shown, false))
		shown = 0;
	memmove(out->data + start, text, shown);
	text_truncate(out, start + shown);
	return true;
}

void schema_text_renew(const char *text, size_t length, bool is_block, struct text *out)
{
	struct text taken CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	struct walk walk = {.is_block = is_block};

	for (size_t i = 0, size; i < length; i += size) {
		uint32_t c;

		size = unicode_decode(text + i, length - i, &c);
		enum fault fault = next(&walk, c);

		if (fault == FINE && c == 0xFFFD) /* also for bytes that are not UTF-8 */
			text_append_string(&taken, "\uFFFD");
		else if (fault == FINE)
			text_append(&taken, text + i, size);
		else if (fault == CONTROL)
			text_append_char(&taken, ' ');
	}
	if (!schema_text_normalize(text_string(&taken), taken.length, out))
		text_append(out, text_string(&taken), taken.length);
	if (text_error(&taken) && !out->error)
		out->error = text_error(&taken);
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
	return is_fine(text, length, false);
}

bool schema_text_is_block(const char *text, size_t length)
{
	return is_fine(text, length, true);
}

void schema_text_explain(const char *text, size_t length, char detail[SCHEMA_DETAIL_SIZE])
{
	uint32_t c = 0;
	size_t index;
	enum fault fault = find_fault(text, length, true, &c, &index);

	if (fault != FINE && fault != CONTROL)
		snprintf(detail, SCHEMA_DETAIL_SIZE,
			 "must not have U+%04X, its character %zu: it %s", c, index + 1,
			 reasons[fault]);
}
