/*
 * A growing byte buffer with a limit.
 *
 * Invariants: data is NULL or NUL-terminated at data[length]; length never exceeds limit; capacity
 * counts the NUL and never exceeds limit + 1.
 * Appending does not report errors one by one: the first failure sticks (further appends do
 * nothing) and text_error() returns it at the end. Not thread-safe; one owner.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <string.h>

#include <stdarg.h>

#include "base/base.h"

struct text {
	char *data;
	size_t length;
	size_t capacity;
	size_t limit; /* TEXT_UNLIMITED at most */
	int error;
};

#define TEXT_UNLIMITED (SIZE_MAX - 1)

/*
 * An empty text that holds at most most bytes; nothing is allocated yet. {0} holds none.
 *
 *	struct text path CLEANUP(text_release) = TEXT_INIT(PATH_MAX);
 *	text_printf(&path, "/carts/%s", id);
 *	text_append_string(&path, "/items");
 *	int r = text_error(&path);
 *	return r < 0 ? r : fetch(text_string(&path));
 */
#define TEXT_INIT(most) ((struct text){.limit = (most)})

/* The same, where the text is not a variable of its own. */
void text_init(struct text *text, size_t limit);

/*
 * Starts an empty text in the caller's memory; it holds at most size - 1 bytes (size > 0), never
 * allocates, and must be neither released nor detached.
 */
void text_init_fixed(struct text *text, char *buffer, size_t size);

/* Frees the memory; the text is empty and usable again with the same limit. Takes NULL. */
void text_release(struct text *text);

/* Empties and clears the error; keeps the memory. */
void text_reset(struct text *text);

/* Cuts to a shorter length (an earlier value of length). */
void text_truncate(struct text *text, size_t length);

/* Makes room for extra more bytes and returns where they start, or NULL (the error sticks).
 * text_commit() then says how many were written. */
char *text_grow(struct text *text, size_t extra); /* text_reserve's slow path */
static inline char *text_reserve(struct text *text, size_t extra)
{
	if (text->capacity > text->length && extra < text->capacity - text->length && !text->error)
		return text->data + text->length;
	return text_grow(text, extra);
}

static inline void text_commit(struct text *text, size_t written)
{
	text->length += written;
	text->data[text->length] = '\0';
}

static inline void text_append(struct text *text, const void *data, size_t length)
{
	char *end = text_reserve(text, length);
	if (end && length > 0) {
		memcpy(end, data, length);
		text_commit(text, length);
	}
}

static inline void text_append_string(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

static inline void text_append_char(struct text *text, char byte)
{
	char *end = text_reserve(text, 1);
	if (end) {
		*end = byte;
		text_commit(text, 1);
	}
}

/* Bytes that are no UTF-8 become replacement characters (U+FFFD). */
void text_append_utf8(struct text *text, const char *string);
void text_append_int(struct text *text, int64_t value);
void text_vprintf(struct text *text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
void text_printf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

/* 0, -ENOMEM or -EMSGSIZE: the first failure since init or reset. */
int text_error(const struct text *text);

/* Never NULL: "" when empty. Owned by the text, valid until the next change. */
const char *text_string(const struct text *text);

/* Hands the malloc'd bytes over (free() them) and leaves the text empty. NULL on error. */
char *text_detach(struct text *text);

#endif
