#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/digits.h"
#include "base/utf8.h"

#define FIRST_CAPACITY 256

void text_init(struct text *text, size_t limit)
{
	assert(limit <= TEXT_UNLIMITED);
	*text = TEXT_INIT(limit);
}

void text_init_fixed(struct text *text, char *buffer, size_t size)
{
	*text = (struct text){.data = buffer, .capacity = size, .limit = size - 1};
	buffer[0] = '\0';
}

void text_release(struct text *text)
{
	if (!text)
		return;
	free(text->data);
	text_init(text, text->limit);
}

void text_reset(struct text *text)
{
	text->error = 0;
	text_truncate(text, 0);
}

void text_truncate(struct text *text, size_t length)
{
	if (!text->data || length > text->length)
		return;
	text->length = length;
	text->data[length] = '\0';
}

char *text_grow(struct text *text, size_t extra)
{
	if (text->error)
		return NULL;
	if (extra > text->limit - text->length) {
		text->error = -EMSGSIZE;
		return NULL;
	}
	size_t needed = text->length + extra + 1;
	if (needed > text->capacity) {
		size_t capacity = text->capacity ? text->capacity : FIRST_CAPACITY;
		while (capacity < needed && capacity <= SIZE_MAX / 2)
			capacity *= 2;
		if (capacity < needed || capacity > text->limit + 1)
			capacity = text->limit + 1;
		char *data = realloc(text->data, capacity);
		if (!data) {
			text->error = -ENOMEM;
			return NULL;
		}
		data[text->length] = '\0';
		text->data = data;
		text->capacity = capacity;
	}
	return text->data + text->length;
}

void text_append_utf8(struct text *text, const char *string)
{
	size_t length = strlen(string);

	for (size_t i = 0; i < length;) {
		size_t size = utf8_character(string + i, length - i);

		if (size > 0)
			text_append(text, string + i, size);
		else
			text_append_string(text, UTF8_REPLACEMENT);
		i += size > 0 ? size : 1;
	}
}

void text_append_int(struct text *text, int64_t value)
{
	char buffer[DIGITS_SIZE];
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char *start = digits_before(buffer + sizeof(buffer), magnitude);

	if (value < 0)
		*--start = '-';
	text_append(text, start, (size_t)(buffer + sizeof(buffer) - start));
}

void text_vprintf(struct text *text, const char *format, va_list arguments)
{
	/* Allocates even if nothing is reserved yet, so that a short result needs one pass. */
	char *end = text_reserve(text, 0);
	if (!end)
		return;
	size_t room = text->capacity - text->length;

	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(end, room, format, arguments);
	if (length >= 0 && (size_t)length >= room) {
		*end = '\0';
		end = text_reserve(text, (size_t)length);
		if (end)
			vsnprintf(end, (size_t)length + 1, format, again);
	} else if (length < 0) {
		*end = '\0';
		text->error = -EMSGSIZE;
		end = NULL;
	}
	va_end(again);
	if (end)
		text_commit(text, (size_t)length);
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	text_vprintf(text, format, arguments);
	va_end(arguments);
}

int text_error(const struct text *text)
{
	return text->error;
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}

char *text_detach(struct text *text)
{
	if (text->error)
		return NULL;
	if (!text_reserve(text, 0))
		return NULL;
	char *data = text->data;
	text_init(text, text->limit);
	return data;
}
