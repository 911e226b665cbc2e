#include "base/log.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/utf8.h"

#define LINE_SIZE  (16 * 1024)
#define VALUE_SIZE 2048
#define NAME_SIZE  128

/* An escaped byte takes six at most (\u001f). */
#define ESCAPE_MAX 6

/* Reserved beside a value: its quotes, the mark of a cut, and the end of the line. */
#define RESERVE 16

#define CUT_MARK "\xE2\x80\xA6" /* U+2026, an ellipsis */

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

static const char *service_name = "";
static enum log_level lowest_level = LOG_INFO;

struct trace {
	char trace_id[64];
	char request_id[256];
	char user_id[1021]; /* 255 characters of up to four bytes */
	char client_id[129];
};
static _Thread_local struct trace trace;

void log_start(const char *service, enum log_level level)
{
	service_name = service;
	lowest_level = level;
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static void copy_cut(char *target, size_t size, const char *source)
{
	size_t length = source ? utf8_cut(source, strlen(source), size - 1) : 0;
	if (length > 0)
		memcpy(target, source, length);
	target[length] = '\0';
}

void log_set_trace(const char *trace_id, const char *request_id)
{
	copy_cut(trace.trace_id, sizeof(trace.trace_id), trace_id);
	copy_cut(trace.request_id, sizeof(trace.request_id), request_id);
	log_set_user(NULL, NULL);
}

void log_set_user(const char *user_id, const char *client_id)
{
	copy_cut(trace.user_id, sizeof(trace.user_id), user_id);
	copy_cut(trace.client_id, sizeof(trace.client_id), client_id);
}

bool log_enabled(enum log_level level)
{
	return level >= lowest_level;
}

/* A member is left out if its name is too long or does not fit, so the line stays valid. */
static bool has_room(const struct text *line, const char *name)
{
	size_t name_room = ESCAPE_MAX * strlen(name);
	return strlen(name) <= NAME_SIZE && line->limit - line->length > name_room + 4 * RESERVE;
}

static void write_text(struct json_writer *writer, const char *name, const char *value)
{
	if (!has_room(writer->out, name))
		return;
	json_key(writer, name);

	size_t room = (writer->out->limit - writer->out->length - 2 * RESERVE) / ESCAPE_MAX;
	size_t length = strnlen(value, VALUE_SIZE + 1);
	size_t kept = utf8_cut(value, length, room < VALUE_SIZE ? room : VALUE_SIZE);
	json_write_bytes(writer, value, kept);
	if (kept < length) {
		text_truncate(writer->out, writer->out->length - 1);
		text_append_string(writer->out, CUT_MARK "\"");
	}
}

static void write_known(struct json_writer *writer, const char *name, const char *value)
{
	if (*value)
		write_text(writer, name, value);
}

static void write_field(struct json_writer *writer, const struct log_field *field)
{
	if (field->text)
		write_text(writer, field->name, field->text);
	else if (has_room(writer->out, field->name))
		json_member_int(writer, field->name, field->number);
}

static void write_line(const char *data, size_t length)
{
	/* A single call keeps lines of different threads and processes apart. If it fails, there is
	 * no one left to tell. */
	ssize_t written;
	do
		written = write(STDERR_FILENO, data, length);
	while (written < 0 && errno == EINTR);
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields,
		size_t count)
{
	char buffer[LINE_SIZE];
	struct text line;
	struct json_writer writer;

	if (!log_enabled(level))
		return;
	text_init_fixed(&line, buffer, sizeof(buffer));
	json_writer_init(&writer, &line);
	json_object_begin(&writer);
	json_member_time(&writer, "@timestamp", clock_now());
	json_member_string(&writer, "log.level", level_names[level]);
	write_text(&writer, "message", message);
	write_text(&writer, "service.name", service_name);
	write_known(&writer, "trace.id", trace.trace_id);
	write_known(&writer, "http.request.id", trace.request_id);
	write_known(&writer, "user.id", trace.user_id);
	write_known(&writer, "client.id", trace.client_id);
	for (size_t i = 0; i < count; i++)
		write_field(&writer, &fields[i]);
	json_object_end(&writer);
	text_append_char(&line, '\n');

	int saved_errno = errno;
	write_line(line.data, line.length);
	errno = saved_errno;
}

struct log_field log_error_code(int negative_errno)
{
	const char *name = strerrorname_np(-negative_errno);
	return log_text("error.code", name ? name : "UNKNOWN");
}
