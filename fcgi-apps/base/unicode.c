#include "base/unicode.h"

#include <stdlib.h>

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* The first lead byte of a character from U+0300 on, the first that may not be in NFC. */
#define NFC_LEAD 0xCC

/* Where nearly all texts fit. */
#define NFC_BUFFER 512

#define CATEGORIES_UNSEEN (UC_CATEGORY_MASK_Z | UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf)

static bool is_below_nfc(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] >= NFC_LEAD)
			return false;
	}
	return true;
}

/* In the buffer, or in memory to be freed; NULL: -ENOMEM. */
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

/* The character at text and its size in bytes. */
static size_t decode(const char *text, size_t length, ucs4_t *ret_character)
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
		size = decode(text + i, length - i, &character);
		if (uc_is_property_white_space(character))
			continue;
		if (!first)
			first = text + i;
		end = text + i + size;
	}
	*ret_length = first ? (size_t)(end - first) : 0;
	return first ? first : text;
}

static bool is_unseen(ucs4_t character)
{
	return uc_is_property_white_space(character) ||
	       uc_is_property_default_ignorable_code_point(character) ||
	       uc_is_general_category_withtable(character, CATEGORIES_UNSEEN);
}

bool unicode_shows_nothing(const char *text, size_t length)
{
	ucs4_t character;

	for (size_t i = 0, size; i < length; i += size) {
		size = decode(text + i, length - i, &character);
		if (!is_unseen(character))
			return false;
	}
	return true;
}

bool unicode_has_control(const char *text, size_t length)
{
	ucs4_t character;

	for (size_t i = 0, size; i < length; i += size) {
		size = decode(text + i, length - i, &character);
		if (character < 0x20 || (character >= 0x7F && character <= 0x9F))
			return true;
	}
	return false;
}
