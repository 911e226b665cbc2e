#include "responder/paging.h"

#include "base/base64url.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

/*
 * A cursor is base64url (RFC 4648 section 5, no padding) of the kind and the fields, each followed
 * by a NUL byte.
 */
#define CURSOR_TEXT_MAX 4096
/* With the path in front it still fits into a request line of 8 KiB, nginx's limit. */
#define LINK_TEXT_MAX 7168

/* Whether this part of a query is a cursor. Each byte of its name may be percent-encoded. */
static bool is_cursor(const char *part)
{
	for (const char *name = "cursor"; *name; name++) {
		char encoded[sizeof("%63")];
		if (*part == *name) {
			part++;
			continue;
		}
		snprintf(encoded, sizeof(encoded), "%%%02x", (unsigned char)*name);
		if (strncasecmp(part, encoded, strlen(encoded)) != 0)
			return false;
		part += strlen(encoded);
	}
	return *part == '=';
}

/* Percent-encodes the characters that must not appear within a Link's angle brackets. */
static void append_query(struct text *link, const char *query, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)query[i];
		if (byte <= ' ' || byte >= 0x7f || strchr("<>\"\\^`{|}", byte))
			text_printf(link, "%%%02X", byte);
		else
			text_append_char(link, query[i]);
	}
}

static void cursor_refuse(struct response *response)
{
	struct violations violations = {0};
	violations_add(&violations, "query", "/cursor",
		       "is not a cursor of this listing: take it from the Link header");
	response_violations(response, &violations);
	violations_release(&violations);
}

/* If a page cannot be continued, it must not look like the last one. */
static void link_refuse(struct response *response, int error)
{
	struct violations violations = {0};
	if (error != -EMSGSIZE) {
		response_error(response, error);
		return;
	}
	violations_add(&violations, "query", "",
		       "is too long: with a cursor and percent-encoded, more than %d bytes",
		       LINK_TEXT_MAX);
	response_violations(response, &violations);
	violations_release(&violations);
}

/* Decodes into the cursor's memory, which is as long as the text. */
static bool cursor_parse(const char *text, const char *kind, size_t field_count,
			 struct cursor *cursor)
{
	size_t length = strlen(text);
	int64_t decoded = base64url_decode(text, length, cursor->memory);
	if (decoded <= 0 || cursor->memory[decoded - 1] != '\0')
		return false;
	/* PostgreSQL refuses other text, and our cursors contain none. */
	if (!utf8_is_valid(cursor->memory, (size_t)decoded))
		return false;

	const char *end = cursor->memory + decoded;
	const char *field = cursor->memory;
	if (strcmp(field, kind) != 0)
		return false;
	for (field += strlen(field) + 1; field < end; field += strlen(field) + 1) {
		if (cursor->count == CURSOR_FIELDS_MAX)
			return false;
		cursor->fields[cursor->count++] = field;
	}
	return cursor->count == field_count;
}

bool cursor_read(const struct request *request, struct response *response, const char *kind,
		 size_t field_count, struct cursor *ret_cursor)
{
	*ret_cursor = (struct cursor){0};
	const char *text = request_query(request, "cursor");
	if (!text)
		return true;
	ret_cursor->memory = malloc(strlen(text) + 1);
	if (!ret_cursor->memory) {
		response_error(response, -ENOMEM);
		return false;
	}
	if (cursor_parse(text, kind, field_count, ret_cursor))
		return true;
	cursor_release(ret_cursor);
	cursor_refuse(response);
	return false;
}

void cursor_release(struct cursor *cursor)
{
	free(cursor->memory);
	*cursor = (struct cursor){0};
}

bool cursor_int(const struct cursor *cursor, size_t field, struct response *response,
		int64_t *ret_value)
{
	const char *text = cursor->fields[field];
	char *end = NULL;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end) {
		cursor_refuse(response);
		return false;
	}
	*ret_value = value;
	return true;
}

void paging_total(struct response *response, int64_t counted, bool all)
{
	bool more = !all || counted > PAGING_COUNT_MAX;
	int64_t count = counted < PAGING_COUNT_MAX ? counted : PAGING_COUNT_MAX;
	response_header(response, "X-Total-Count", "%lld", (long long)count);
	response_header(response, "X-Total-Count-Relation", more ? "gte" : "eq");
}

void paging_next(const struct request *request, struct response *response, const char *kind,
		 const char *const *fields, size_t field_count)
{
	struct text plain CLEANUP(text_release) = TEXT_INIT(CURSOR_TEXT_MAX);
	struct text link CLEANUP(text_release) = TEXT_INIT(LINK_TEXT_MAX);
	text_append(&plain, kind, strlen(kind) + 1);
	for (size_t i = 0; i < field_count; i++)
		text_append(&plain, fields[i], strlen(fields[i]) + 1);

	/* The query as it was sent, without its cursor. */
	for (const char *part = request->query; *part;) {
		size_t length = strcspn(part, "&");
		if (length && !is_cursor(part)) {
			append_query(&link, part, length);
			text_append_char(&link, '&');
		}
		part += length + (part[length] == '&');
	}
	text_append_string(&link, "cursor=");
	base64url_encode(text_string(&plain), plain.length, &link);

	int r = text_error(&plain) ? text_error(&plain) : text_error(&link);
	if (r)
		link_refuse(response, r);
	else
		response_header(response, "Link", "<?%s>; rel=\"next\"", text_string(&link));
}
