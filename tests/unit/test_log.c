#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "unit.h"

#define THREADS 4
#define LINES   500

static FILE *captured;

/* stderr goes to a file for the rest of the test's process. */
static void setup(void)
{
	captured = tmpfile();
	ck_assert_ptr_nonnull(captured);
	ck_assert_int_ge(dup2(fileno(captured), STDERR_FILENO), 0);
	log_start("product", LOG_DEBUG);
}

/* The next line of the log, parsed; NULL at the end. */
static struct json *next_line(size_t *ret_length)
{
	static char line[64 * 1024];
	struct json *value = NULL;
	struct json_error error = {0};

	if (!fgets(line, sizeof(line), captured))
		return NULL;
	size_t length = strlen(line);
	ck_assert_int_eq(line[length - 1], '\n');
	ck_assert_msg(json_parse(line, length, 1, &value, &error) == 0, "%s at %zu: %s",
		      error.detail, error.offset, line);
	if (ret_length)
		*ret_length = length;
	return value;
}

static struct json *only_line(void)
{
	rewind(captured);
	struct json *line = next_line(NULL);
	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(fgetc(captured), EOF);
	return line;
}

START_TEST(members_in_order)
{
	static const char *const names[] = {"@timestamp",     "log.level", "message",
					    "service.name",   "trace.id",  "http.request.id",
					    "user.id",        "client.id", "url.path",
					    "event.duration", "error.code"};
	int64_t before = clock_now(), at = 0;
	size_t count = 0;

	log_set_trace("4bf92f3577b34da6a3ce929d0e0e4736", "req-1");
	log_set_user("ada", "storefront");
	log_write(LOG_WARN, "slow \"request\"", log_text("url.path", "/products"),
		  log_int("event.duration", INT64_MIN), log_error_code(-ENOENT));
	struct json *line CLEANUP(json_free_p) = only_line();

	json_each (line, member) {
		ck_assert_uint_lt(count, ARRAY_SIZE(names));
		ck_assert_str_eq(member.name, names[count++]);
	}
	ck_assert_uint_eq(count, ARRAY_SIZE(names));
	const char *timestamp = json_get_string(line, "@timestamp", "");
	ck_assert_int_eq(clock_parse(timestamp, strlen(timestamp), &at), 0);
	ck_assert_int_ge(at, before);
	ck_assert_int_le(at, clock_now());
	ck_assert_str_eq(json_get_string(line, "log.level", ""), "warn");
	ck_assert_str_eq(json_get_string(line, "message", ""), "slow \"request\"");
	ck_assert_str_eq(json_get_string(line, "service.name", ""), "product");
	ck_assert_str_eq(json_get_string(line, "trace.id", ""), "4bf92f3577b34da6a3ce929d0e0e4736");
	ck_assert_str_eq(json_get_string(line, "http.request.id", ""), "req-1");
	ck_assert_str_eq(json_get_string(line, "user.id", ""), "ada");
	ck_assert_str_eq(json_get_string(line, "client.id", ""), "storefront");
	ck_assert_int_eq(json_int(json_get(line, "event.duration")), INT64_MIN);
	ck_assert_str_eq(json_get_string(line, "error.code", ""), "ENOENT");
}
END_TEST

START_TEST(trace_ends)
{
	log_set_trace("t", "r");
	log_set_user("u", "c");
	log_set_trace(NULL, NULL);
	log_write(LOG_INFO, "idle", log_text("note", NULL), log_error_code(-99999));
	struct json *line CLEANUP(json_free_p) = only_line();

	ck_assert_ptr_null(json_get(line, "trace.id"));
	ck_assert_ptr_null(json_get(line, "http.request.id"));
	ck_assert_ptr_null(json_get(line, "user.id"));
	ck_assert_ptr_null(json_get(line, "client.id"));
	ck_assert_str_eq(json_get_string(line, "note", "?"), "");
	ck_assert_str_eq(json_get_string(line, "error.code", ""), "UNKNOWN");
}
END_TEST

START_TEST(level_is_respected)
{
	log_start("product", LOG_WARN);
	ck_assert(!log_enabled(LOG_DEBUG));
	ck_assert(!log_enabled(LOG_INFO));
	ck_assert(log_enabled(LOG_WARN));
	ck_assert(log_enabled(LOG_ERROR));
	log_write(LOG_INFO, "silent");
	log_write(LOG_ERROR, "loud");
	struct json *line CLEANUP(json_free_p) = only_line();
	ck_assert_str_eq(json_get_string(line, "message", ""), "loud");
}
END_TEST

START_TEST(level_names)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	enum log_level level = LOG_DEBUG;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ck_assert_int_eq(log_level_parse(names[i], &level), 0);
		ck_assert_int_eq((int)level, (int)i);
	}
	ck_assert_int_eq(log_level_parse("INFO", &level), -EINVAL);
	ck_assert_int_eq(log_level_parse("", &level), -EINVAL);
	ck_assert_int_eq(level, LOG_ERROR);
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
	log_set_trace("bad\xFF", "\x80");
	log_write(LOG_ERROR, "a\xC3", log_text("n\xFF", "\x01\xED\xA0\x80\n\"\\"));
	struct json *line CLEANUP(json_free_p) = only_line();

	ck_assert_str_eq(json_get_string(line, "message", ""), "a\xEF\xBF\xBD");
	ck_assert_str_eq(json_get_string(line, "trace.id", ""), "bad\xEF\xBF\xBD");
	ck_assert_str_eq(json_get_string(line, "n\xEF\xBF\xBD", ""),
			 "\x01\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n\"\\");
}
END_TEST

START_TEST(long_values_are_cut_at_a_character)
{
	char value[10001];

	for (size_t i = 0; i + 1 < sizeof(value); i += 2)
		memcpy(value + i, "\xC3\xA9", 2);
	value[sizeof(value) - 1] = '\0';
	log_write(LOG_ERROR, "m", log_text("even", value), log_text("odd", value + 2),
		  log_text("short", "kept"));
	struct json *line CLEANUP(json_free_p) = only_line();
	const char *even = json_get_string(line, "even", "");
	size_t length = strlen(even);

	ck_assert_uint_gt(length, 2000);
	ck_assert_uint_lt(length, 2100);
	ck_assert_str_eq(even + length - 3, "\xE2\x80\xA6");
	ck_assert_str_eq(json_get_string(line, "short", ""), "kept");
}
END_TEST

/* Whatever the input: one valid line, under 16 KB, with the first members intact. */
START_TEST(line_stays_below_its_limit)
{
	char value[20001];
	char name[300];
	struct log_field fields[40];
	size_t length = 0;

	memset(value, _i == 0 ? '\x01' : _i == 1 ? 'x' : '\xFF', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memset(name, '"', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		static char names[ARRAY_SIZE(fields)][8];
		snprintf(names[i], sizeof(names[i]), "f%zu", i);
		const char *field_name = i == 5 ? name : names[i];
		fields[i] =
			i % 3 == 2 ? log_int(field_name, (int64_t)i) : log_text(field_name, value);
	}
	log_set_trace(value, value);
	log_fields(LOG_ERROR, value, fields, ARRAY_SIZE(fields));
	rewind(captured);
	struct json *line CLEANUP(json_free_p) = next_line(&length);
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_lt(length, 16 * 1024);
	ck_assert_uint_gt(length, 12 * 1024);
	ck_assert_ptr_nonnull(json_get(line, "message"));
	ck_assert_ptr_nonnull(json_get(line, "http.request.id"));
	ck_assert_int_eq(fgetc(captured), EOF);
}
END_TEST

START_TEST(errno_survives)
{
	close(STDERR_FILENO);
	errno = EDOM;
	log_write(LOG_ERROR, "nobody hears this");
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void *write_lines(void *argument)
{
	const char *name = argument;

	log_set_trace(name, name);
	for (int i = 0; i < LINES; i++)
		log_write(LOG_INFO, name, log_int("line", i));
	return NULL;
}

START_TEST(threads_do_not_mix)
{
	static char names[THREADS][600];
	pthread_t threads[THREADS];
	int next[THREADS] = {0}, total = 0;

	/* The threads share the file's offset through one descriptor, as processes share a pipe. */
	for (int i = 0; i < THREADS; i++) {
		memset(names[i], 'a' + i, sizeof(names[i]) - 1);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	rewind(captured);
	for (struct json *line; (line = next_line(NULL)); json_free(line)) {
		int thread = json_get_string(line, "message", "?")[0] - 'a';
		ck_assert_int_ge(thread, 0);
		ck_assert_int_lt(thread, THREADS);
		ck_assert_str_eq(json_get_string(line, "message", ""), names[thread]);
		ck_assert_int_eq(json_get_string(line, "trace.id", "?")[0], names[thread][0]);
		ck_assert_int_eq(json_int(json_get(line, "line")), next[thread]++);
		total++;
	}
	ck_assert_int_eq(total, THREADS * LINES);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, members_in_order);
	tcase_add_test(tests, trace_ends);
	tcase_add_test(tests, level_is_respected);
	tcase_add_test(tests, level_names);
	tcase_add_test(tests, bytes_that_are_no_text);
	tcase_add_test(tests, long_values_are_cut_at_a_character);
	tcase_add_loop_test(tests, line_stays_below_its_limit, 0, 3);
	tcase_add_test(tests, errno_survives);
	tcase_add_test(tests, threads_do_not_mix);
	return unit_run(tests, "log");
}
