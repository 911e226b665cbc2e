/*
 * Writes JSON as a stream of calls into a text. The writer places the commas; check text_error() of
 * the target once at the end. Strings are escaped as RFC 8259 section 7 requires; a byte that is
 * not part of valid UTF-8 becomes U+FFFD. Not thread-safe.
 *
 *	json_object_begin(&writer);
 *	json_member_string(&writer, "sku", "MUG");
 *	json_key(&writer, "tags");
 *	json_array_begin(&writer);
 *	json_write_string(&writer, "new");
 *	json_array_end(&writer);
 *	json_object_end(&writer);
 *
 * writes {"sku":"MUG","tags":["new"]}
 */
#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include "base/base.h"
#include "base/money.h"
#include "base/text.h"

struct json_writer {
	struct text *out;
	bool comma; /* the next value needs a comma before it */
};

void json_writer_init(struct json_writer *writer, struct text *out);

void json_object_begin(struct json_writer *writer);
void json_object_end(struct json_writer *writer);
void json_array_begin(struct json_writer *writer);
void json_array_end(struct json_writer *writer);

/* A member's name; its value follows. */
void json_key(struct json_writer *writer, const char *name);

void json_write_string(struct json_writer *writer, const char *string); /* NULL writes null */
void json_write_bytes(struct json_writer *writer, const char *bytes, size_t length);
void json_write_int(struct json_writer *writer, int64_t value);
void json_write_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);
void json_write_money(struct json_writer *writer, int64_t amount, struct currency currency);
void json_write_time(struct json_writer *writer, int64_t time); /* base/clock.h microseconds */

/* Bytes that are one JSON value already. */
void json_write_raw(struct json_writer *writer, const char *json, size_t length);

/* key and value in one call */
void json_member_string(struct json_writer *writer, const char *name, const char *string);
void json_member_int(struct json_writer *writer, const char *name, int64_t value);
void json_member_bool(struct json_writer *writer, const char *name, bool value);
void json_member_money(struct json_writer *writer, const char *name, int64_t amount,
		       struct currency currency);
void json_member_time(struct json_writer *writer, const char *name, int64_t time);

#endif
