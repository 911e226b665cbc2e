#include "base/unicode.h"

#include <stdlib.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#include <uniwbrk.h>

/* The lead byte of U+0300, the first character that may not be in NFC. */
#define NFC_LEAD 0xCC

/* Enough for nearly all texts. */
#define NFC_BUFFER 512

/* Unicode calls it a symbol, but it shows no dot. */
#define BRAILLE_BLANK 0x2800

#define ZERO_WIDTH_NON_JOINER 0x200C
#define ZERO_WIDTH_JOINER     0x200D

#define CATEGORIES_UNSEEN (UC_CATEGORY_MASK_Z | UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf)

static bool is_below_nfc(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] >= NFC_LEAD)
			return false;
	}
	return true;
}

/* The result is in the buffer, or in memory to be freed. NULL: out of memory. */
static uint8_t *normalize(const char *text, size_t length, uint8_t *buffer, size_t *size)
{
	return u8_normalize(UNINORM_NFC, (const uint8_t *)text, length, buffer, size);
}

bool unicode_is_nfc(const char *text, size_t length)
{
	uint8_t buffer[NFC_BUFFER];
	size_t size = sizeof(buffer);

	if (is_below_nfc(text, length))
		return true;

	uint8_t *normal = normalize(text, length, buffer, &size);
	bool same = normal && size == length && memcmp(normal, text, length) == 0;

	if (normal != buffer)
		free(normal);
	return same;
}

void unicode_append_nfc(struct text *out, const char *text, size_t length)
{
	uint8_t buffer[NFC_BUFFER];
	size_t size = sizeof(buffer);

	if (is_below_nfc(text, length)) {
		text_append(out, text, length);
		return;
	}

	uint8_t *normal = normalize(text, length, buffer, &size);

	if (normal)
		text_append(out, normal, size);
	else if (!out->error)
		out->error = -ENOMEM;
	if (normal != buffer)
		free(normal);
}

size_t unicode_decode(const char *text, size_t length, uint32_t *ret_character)
{
	int size = u8_mbtouc(ret_character, (const uint8_t *)text, length);

	return size > 0 ? (size_t)size : 1;
}

const char *unicode_trim(const char *text, size_t length, size_t *ret_length)
{
	const char *first = NULL;
	const char *end = text;
	ucs4_t character;

	for (size_t i = 0, size; i < length; i += size) {
		size = unicode_decode(text + i, length - i, &character);
		if (uc_is_property_white_space(character))
			continue;
		if (!first)
			first = text + i;
		end = text + i + size;
	}
	*ret_length = first ? (size_t)(end - first) : 0;
	return first ? first : text;
}

bool unicode_is_tag(uint32_t character)
{
	return character >= 0xE0020 && character <= 0xE007F;
}

static bool belongs_to(ucs4_t before, ucs4_t character)
{
	if (character == ZERO_WIDTH_JOINER || character == ZERO_WIDTH_NON_JOINER)
		return uc_combining_class(before) == UC_CCC_VR;
	return unicode_is_tag(character) || uc_is_property_variation_selector(character);
}

const char *unicode_trim_unseen(const char *text, size_t length, size_t *ret_length)
{
	const char *first = NULL;
	const char *end = text;
	ucs4_t before = 0;
	ucs4_t character;

	for (size_t i = 0, size; i < length; i += size) {
		size = unicode_decode(text + i, length - i, &character);
		bool shown = !uc_is_property_white_space(character) &&
			     !uc_is_property_default_ignorable_code_point(character);

		if (shown && !first)
			first = text + i;
		if (shown || (first && end == text + i && belongs_to(before, character)))
			end = text + i + size;
		before = character;
	}
	*ret_length = first ? (size_t)(end - first) : 0;
	return first ? first : text;
}

static bool is_unseen(ucs4_t character)
{
	return uc_is_property_white_space(character) || character == BRAILLE_BLANK ||
	       uc_is_property_default_ignorable_code_point(character) ||
	       uc_is_general_category_withtable(character, CATEGORIES_UNSEEN);
}

bool unicode_shows_nothing(const char *text, size_t length)
{
	ucs4_t character;

	for (size_t i = 0, size; i < length; i += size) {
		size = unicode_decode(text + i, length - i, &character);
		if (!is_unseen(character))
			return false;
	}
	return true;
}

bool unicode_has_control(const char *text, size_t length)
{
	ucs4_t character;

	for (size_t i = 0, size; i < length; i += size) {
		size = unicode_decode(text + i, length - i, &character);
		if (character < 0x20 || (character >= 0x7F && character <= 0x9F))
			return true;
	}
	return false;
}

bool unicode_is_white_space(uint32_t character)
{
	return uc_is_property_white_space(character);
}

enum unicode_class unicode_class(uint32_t character)
{
	if (uc_is_property_default_ignorable_code_point(character))
		return UNICODE_IGNORED;
	if (uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Nd))
		return UNICODE_DIGIT;
	if (uc_is_general_category_withtable(character, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N))
		return UNICODE_LETTER;
	if (uc_is_general_category_withtable(character, UC_CATEGORY_MASK_M))
		return UNICODE_MARK;
	return UNICODE_SEPARATOR;
}

unsigned unicode_digit(uint32_t character)
{
	return (unsigned)uc_decimal_value(character);
}

bool unicode_is_fraction(uint32_t character)
{
	ucs4_t decomposition[UC_DECOMPOSITION_MAX_LENGTH];
	int tag = -1;

	return uc_decomposition(character, &tag, decomposition) > 0 && tag == UC_DECOMP_FRACTION;
}

bool unicode_is_unspaced(uint32_t letter)
{
	int property = uc_wordbreak_property(letter);

	return property == WBP_OTHER || property == WBP_KATAKANA;
}

static bool is_of(uint32_t character, const char *script)
{
	return uc_is_script(character, uc_script_byname(script));
}

/* Whether base and mark together form a separate letter; see the header. */
static bool makes_letter(uint32_t base, uint32_t mark)
{
	static const ucs4_t stressed[] = {0x0450, 0x0451, 0x045D}; /* ѐ, ё, ѝ */

	if (!is_of(base, "Cyrillic") && !is_of(base, "Arabic"))
		return false;
	ucs4_t letter = uc_composition(base, mark);
	for (size_t i = 0; i < ARRAY_SIZE(stressed); i++) {
		if (letter == stressed[i])
			return false;
	}
	return letter != 0;
}

bool unicode_is_accent(uint32_t base, uint32_t mark)
{
	if (unicode_is_unspaced(base))
		return false;
	if (is_of(mark, "Hebrew") || is_of(mark, "Arabic"))
		return true;
	return is_of(mark, "Inherited") && !makes_letter(base, mark);
}

int unicode_fold(const uint32_t *characters, size_t count, uint32_t **ret_folded, size_t *ret_count)
{
	size_t length = 0;
	uint32_t *plain = u32_normalize(UNINORM_NFKD, characters, count, NULL, &length);

	if (!plain)
		return -ENOMEM;
	uint32_t *folded = u32_casefold(plain, length, NULL, UNINORM_NFKD, NULL, ret_count);
	free(plain);
	if (!folded)
		return -ENOMEM;
	*ret_folded = folded;
	return 0;
}

void unicode_append_word(struct text *out, const uint32_t *characters, size_t count)
{
	uint8_t bytes[UNICODE_WORD_MAX * 4];
	size_t length = 0;

	for (size_t i = 0; i < count && i < UNICODE_WORD_MAX; i++) {
		int size = u8_uctomb(bytes + length, characters[i],
				     (ptrdiff_t)(sizeof(bytes) - length));

		length += size > 0 ? (size_t)size : 0;
	}
	unicode_append_nfc(out, (const char *)bytes, length);
}
