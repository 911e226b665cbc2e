#include "contract/violations.h"

#include <stdarg.h>

#include "base/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* Copies at most size - 1 bytes; a mark shows where it was cut. */
static char *copy_cut(const char *text, size_t size)
{
	size_t length = strlen(text), kept = length;

	if (length >= size)
		kept = utf8_cut(text, length, size - sizeof(ELLIPSIS));
	char *copy = malloc(kept + sizeof(ELLIPSIS));
	if (!copy)
		return NULL;
	memcpy(copy, text, kept);
	memcpy(copy + kept, kept < length ? ELLIPSIS : "", kept < length ? sizeof(ELLIPSIS) : 1);
	return copy;
}

static bool is_told(const struct violations *violations, const struct violation *violation)
{
	for (size_t i = 0; i < violations->count; i++) {
		const struct violation *told = &violations->list[i];

		if (strcmp(told->in, violation->in) == 0 &&
		    strcmp(told->pointer, violation->pointer) == 0 &&
		    strcmp(told->detail, violation->detail) == 0)
			return true;
	}
	return false;
}

static void release(struct violation *violation)
{
	free(violation->pointer);
	free(violation->detail);
}

void violations_add(struct violations *violations, const char *in, const char *pointer,
		    const char *detail_format, ...)
{
	/* One byte more than is kept, so that copy_cut() can see that the text is too long. */
	char buffer[VIOLATION_DETAIL_SIZE + 1];
	struct violation violation = {.in = in};
	va_list arguments;

	if (violations->count == VIOLATIONS_MAX) {
		violations->total++;
		return;
	}
	va_start(arguments, detail_format);
	vsnprintf(buffer, sizeof(buffer), detail_format, arguments);
	va_end(arguments);
	violation.pointer = copy_cut(pointer, VIOLATION_POINTER_SIZE);
	violation.detail = copy_cut(buffer, VIOLATION_DETAIL_SIZE);
	if (violation.pointer && violation.detail && is_told(violations, &violation)) {
		release(&violation);
		return;
	}
	violations->total++;
	if (!violation.pointer || !violation.detail) {
		release(&violation);
		violations->error = -ENOMEM;
		return;
	}
	violations->list[violations->count++] = violation;
}

void violations_write(const struct violations *violations, struct json_writer *writer)
{
	json_key(writer, "errors");
	json_array_begin(writer);
	for (size_t i = 0; i < violations->count; i++) {
		const struct violation *violation = &violations->list[i];

		json_object_begin(writer);
		json_member_string(writer, "in", violation->in);
		json_member_string(writer, "pointer", violation->pointer);
		json_member_string(writer, "detail", violation->detail);
		json_object_end(writer);
	}
	json_array_end(writer);
}

void violations_release(struct violations *violations)
{
	for (size_t i = 0; i < violations->count; i++)
		release(&violations->list[i]);
	*violations = (struct violations){0};
}

void pointer_append(char buffer[VIOLATION_POINTER_SIZE], const char *segment)
{
	/* Leave room for the ellipsis and the NUL until they are needed. */
	const size_t limit = VIOLATION_POINTER_SIZE - sizeof(ELLIPSIS);
	size_t length = strlen(buffer), whole;

	if (length >= limit)
		return;
	buffer[length++] = '/';
	for (whole = length; *segment; segment++) {
		const char *escaped = *segment == '~' ? "~0" : *segment == '/' ? "~1" : NULL;
		size_t width = escaped ? 2 : 1;

		if (((unsigned char)*segment & 0xc0) != 0x80)
			whole = length;
		if (length + width > limit) {
			memcpy(buffer + whole, ELLIPSIS, sizeof(ELLIPSIS));
			return;
		}
		memcpy(buffer + length, escaped ? escaped : segment, width);
		length += width;
	}
	buffer[length] = '\0';
}
