/*
 * The worker's log: one JSON object a line on stderr, Elastic Common Schema names, each line under
 * 16 KB (longer values are cut) and written by one write(2): lines of up to PIPE_BUF (4096) bytes
 * stay whole in a pipe, however many write to it (pipe(7)). Thread-safe.
 *
 *	log_write(LOG_ERROR, "cannot open the database", log_text("url", url), log_int("code", 14));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *name; /* ECS field name, such as "event.duration" */
	const char *text; /* NULL: the number counts */
	int64_t number;
};

/* Before threads start. service is kept, not copied. */
void log_start(const char *service, enum log_level level);

/* "debug", "info", "warn", "error"; -EINVAL for anything else. */
int log_level_parse(const char *name, enum log_level *ret_level);

/* The calling thread's lines carry these until they are set to NULL, and no user yet; copied. */
void log_set_trace(const char *trace_id, const char *request_id);

/* Likewise who sends the request, and through which client; "" or NULL: not known. Until the next
 * log_set_trace(). */
void log_set_user(const char *user_id, const char *client_id);

bool log_enabled(enum log_level level);

void log_fields(enum log_level level, const char *message, const struct log_field *fields,
		size_t count);

static inline struct log_field log_text(const char *name, const char *text)
{
	return (struct log_field){.name = name, .text = text ? text : ""};
}

static inline struct log_field log_int(const char *name, int64_t number)
{
	return (struct log_field){.name = name, .number = number};
}

/* The error's symbolic name, for the field "error.code". */
struct log_field log_error_code(int negative_errno);

#define log_write(level, message, ...)                                                             \
	log_fields(level, message, (struct log_field[]){{0}, ##__VA_ARGS__} + 1,                   \
		   ARRAY_SIZE(((struct log_field[]){{0}, ##__VA_ARGS__})) - 1)

#endif
