#include "upstream/attempt.h"

#include "base/clock.h"
#include "upstream/connection.h"
#include "upstream/credential.h"

#define PATH_LIMIT 8000 /* nginx accepts a request line of 8 KiB */
#define HEAD_LIMIT (PATH_LIMIT + CREDENTIAL_LENGTH_MAX + 2048)
#define VALUE_MAX  512
#define PIECE      4096 /* most answers fit */

static bool is_printable(const char *text, char lowest)
{
	for (; *text; text++) {
		if ((unsigned char)*text < (unsigned char)lowest || *text == 0x7f)
			return false;
	}
	return true;
}

/* Leaves out a value that is too long, or that would start another header. */
static void append_header(struct text *out, const char *name, const char *value)
{
	if (value && strlen(value) <= VALUE_MAX && is_printable(value, ' '))
		text_printf(out, "%s: %s\r\n", name, value);
}

/* Writes head and body as one message (RFC 9112 section 3), so that they leave in one packet. */
static enum attempt_end write_request(const struct address *address,
				      const struct upstream_request *request, struct text *out)
{
	const char *prefix = address_prefix(address);

	if (strlen(prefix) + strlen(request->path) > PATH_LIMIT)
		return ATTEMPT_TOO_LONG;
	if (!is_printable(request->path, '!'))
		return ATTEMPT_BAD_PATH;
	text_printf(out, "%s %s%s HTTP/1.1\r\nHost: %s\r\n", request->method, prefix, request->path,
		    address_authority(address));
	append_header(out, "Accept", "application/json");
	append_header(out, "X-Request-ID", request->request_id);
	append_header(out, "traceparent", request->traceparent);
	if (request->credential)
		credential_append(request->credential, out);
	if (request->body) {
		append_header(out, "Content-Type", "application/json");
		text_printf(out, "Content-Length: %zu\r\n", request->body_length);
	} else if (strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0) {
		append_header(out, "Content-Length", "0");
	}
	text_append_string(out, "\r\n");
	if (request->body)
		text_append(out, request->body, request->body_length);
	return text_error(out) ? ATTEMPT_NO_MEMORY : ATTEMPT_ANSWERED;
}

static enum attempt_end open_connection(struct address *address, int64_t timeout, int64_t deadline,
					int *connection)
{
	struct addresses addresses;
	int64_t until = clock_monotonic() + timeout;

	if (until > deadline)
		until = deadline;

	int r = address_find(address, until, &addresses);

	if (!r)
		r = connection_open(&addresses, until, connection);
	switch (r) {
	case 0:
		return ATTEMPT_ANSWERED;
	case -ETIMEDOUT:
		return ATTEMPT_TIMED_OUT;
	case -ENOMEM:
		return ATTEMPT_NO_MEMORY;
	default:
		return ATTEMPT_NOT_SENT;
	}
}

static enum attempt_end end_of(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return ATTEMPT_TIMED_OUT;
	case -EMSGSIZE:
		return ATTEMPT_TOO_LONG;
	case -ENOMEM:
		return ATTEMPT_NO_MEMORY;
	default:
		return ATTEMPT_LOST;
	}
}

/* *ret_silent: the connection was lost before a byte of the answer came. */
static enum attempt_end exchange(int fd, const struct text *bytes, int64_t deadline,
				 struct answer *answer, bool *ret_silent, bool *ret_keep)
{
	struct answer_reader reader;
	char piece[PIECE];
	/* A server may answer and close before it has read everything; its answer counts. */
	int sent = connection_send(fd, bytes->data, bytes->length, deadline);

	if (sent == -ETIMEDOUT)
		return ATTEMPT_TIMED_OUT;
	answer_reader_init(&reader, answer);
	*ret_silent = true;
	for (;;) {
		int64_t received = connection_receive(fd, piece, sizeof(piece), deadline);

		if (received < 0)
			return end_of((int)received);
		if (received > 0)
			*ret_silent = false;
		int r = answer_read(&reader, piece, (size_t)received);

		if (r < 0)
			return end_of(r);
		if (r > 0) {
			/* After a 5xx the peer behind this connection may keep failing; only a new
			 * connection can reach another one. */
			*ret_keep = reader.keeps && sent == 0 && answer->status < 500;
			return ATTEMPT_ANSWERED;
		}
	}
}

enum attempt_end attempt_run(struct address *address, int *connection,
			     const struct upstream_request *request, int64_t connect_timeout,
			     int64_t timeout, struct answer *answer)
{
	struct text bytes CLEANUP(text_release) = TEXT_INIT(HEAD_LIMIT + request->body_length);
	int64_t deadline = clock_monotonic() + timeout;
	bool kept, silent, keep;
	enum attempt_end end = write_request(address, request, &bytes);
	if (end != ATTEMPT_ANSWERED)
		return end;
	if (*connection >= 0 && !connection_is_idle(*connection)) {
		connection_close(*connection);
		*connection = -1;
	}
	do {
		kept = *connection >= 0;
		silent = keep = false;
		if (!kept)
			end = open_connection(address, connect_timeout, deadline, connection);
		if (*connection < 0)
			return end;
		end = exchange(*connection, &bytes, deadline, answer, &silent, &keep);
		if (!keep) {
			connection_close(*connection);
			*connection = -1;
		}
	} while (kept && silent && end == ATTEMPT_LOST);
	return end;
}
