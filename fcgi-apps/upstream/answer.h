/*
 * An HTTP/1.1 response, read from the pieces in which it arrives (RFC 9112), with http-parser; its
 * header is included only here. One owner.
 */
#ifndef UPSTREAM_ANSWER_H
#define UPSTREAM_ANSWER_H

#include <http_parser.h>

#include "base/base.h"
#include "base/text.h"

#define ANSWER_NAME_SIZE sizeof("Retry-After")

struct answer {
	int status;
	int64_t retry_after; /* microseconds; 0 if the header is missing or gives a date */
	struct text body;
};

struct answer_reader {
	struct http_parser parser;
	struct answer *answer;
	bool complete;
	bool keeps; /* complete, and the connection may be used for another request */

	/* The incomplete header. A longer one than any that matters is cut, and does not match. */
	bool in_value;
	struct text name;
	struct text value;
	char name_buffer[ANSWER_NAME_SIZE + 1];
	char value_buffer[8];
};

/* The caller has initialised answer->body with its limit. The reader must not be moved. */
void answer_reader_init(struct answer_reader *reader, struct answer *answer);

/*
 * 1: the answer is complete; 0: more must come. length 0 is the end of the connection. -EINVAL: not
 * an HTTP response, or it is cut off; -EMSGSIZE: the body exceeds its limit; -ENOMEM. After any
 * result but 0, do not call it again.
 */
int answer_read(struct answer_reader *reader, const char *data, size_t length);

#endif
