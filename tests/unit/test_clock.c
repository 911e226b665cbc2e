#include "base/clock.h"
#include "unit.h"

static const struct {
	const char *text;
	const char *canonical; /* NULL: malformed */
} parse_cases[] = {
	{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
	{"2026-01-31T23:59:59.123456Z", "2026-01-31T23:59:59.123456Z"},
	{"2026-01-31t23:59:59z", "2026-01-31T23:59:59.000000Z"},
	{"2026-01-31T23:59:59.5Z", "2026-01-31T23:59:59.500000Z"},
	{"2026-01-31T23:59:59.1234567899Z", "2026-01-31T23:59:59.123456Z"},
	{"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
	/* RFC 3339 section 5.8 */
	{"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z"},
	{"1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000000Z"},
	{"1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000000Z"},
	{"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000000Z"},
	{"1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000Z"},
	{"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"},
	{"2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.000000Z"},
	{"2026-01-01T00:00:00+23:59", "2025-12-31T00:01:00.000000Z"},
	{"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"},
	{"2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000000Z"},
	{"0000-02-29T00:00:00Z", "0000-02-29T00:00:00.000000Z"},
	{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"},
	{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
	{"2023-02-29T12:00:00Z", NULL},
	{"1900-02-29T12:00:00Z", NULL},
	{"2026-04-31T00:00:00Z", NULL},
	{"2026-00-01T00:00:00Z", NULL},
	{"2026-13-01T00:00:00Z", NULL},
	{"2026-01-00T00:00:00Z", NULL},
	{"2026-01-32T00:00:00Z", NULL},
	{"2026-01-01T24:00:00Z", NULL},
	{"2026-01-01T00:60:00Z", NULL},
	{"2026-01-01T00:00:61Z", NULL},
	{"2026-01-01T00:00:60Z", NULL},
	{"2026-01-15T23:59:60Z", NULL},
	{"2016-12-31T23:59:60+01:00", NULL},
	{"0000-01-01T00:00:00+00:01", NULL},
	{"9999-12-31T23:59:59-00:01", NULL},
	{"9999-12-31T23:59:60Z", NULL},
	{"2026-01-01T00:00:00", NULL},
	{"2026-01-01", NULL},
	{"2026-01-01 00:00:00Z", NULL},
	{"2026-01-01T00:00Z", NULL},
	{"2026-01-01T00:00:00.Z", NULL},
	{"2026-01-01T00:00:00,5Z", NULL},
	{"2026-01-01T00:00:00+0100", NULL},
	{"2026-01-01T00:00:00+24:00", NULL},
	{"2026-01-01T00:00:00+01:60", NULL},
	{"2026-01-01T00:00:00ZZ", NULL},
	{"2026-01-01T00:00:00Z ", NULL},
	{" 2026-01-01T00:00:00Z", NULL},
	{"+026-01-01T00:00:00Z", NULL},
	{"26-01-01T00:00:00Z", NULL},
	{"12026-01-01T00:00:00Z", NULL},
	{"", NULL},
};

START_TEST(parse_and_format)
{
	const char *text = parse_cases[_i].text, *canonical = parse_cases[_i].canonical;
	char buffer[CLOCK_TEXT_SIZE];
	int64_t time = -7;

	ck_assert_int_eq(clock_parse(text, strlen(text), &time), canonical ? 0 : -EINVAL);
	if (canonical) {
		clock_format(time, buffer);
		ck_assert_str_eq(buffer, canonical);
	} else {
		ck_assert_int_eq(time, -7);
	}
}
END_TEST

START_TEST(parse_stops_at_length)
{
	int64_t time = 0;

	ck_assert_int_eq(clock_parse("2026-01-01T00:00:00Z", 19, &time), -EINVAL);
	ck_assert_int_eq(clock_parse("2026-01-01T00:00:00Z tail", 20, &time), 0);
	ck_assert_int_eq(clock_parse("2026-01-01T00:00:00\0", 20, &time), -EINVAL);
}
END_TEST

/* The C library is the witness: a time every ten weeks and a bit, years 1 to 9999.
 */
START_TEST(format_agrees_with_libc)
{
	const int64_t first = INT64_C(-62135596800), step = 70 * 86400 + 4567;

	for (int64_t seconds = first; seconds < INT64_C(253402300800); seconds += step) {
		time_t time = (time_t)seconds;
		struct tm parts;
		char expected[64], buffer[CLOCK_TEXT_SIZE];
		int64_t parsed = 0;

		ck_assert_ptr_nonnull(gmtime_r(&time, &parts));
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.000042Z",
			 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
			 parts.tm_min, parts.tm_sec);
		clock_format(seconds * CLOCK_SECOND + 42, buffer);
		ck_assert_str_eq(buffer, expected);
		ck_assert_int_eq(clock_parse(buffer, strlen(buffer), &parsed), 0);
		ck_assert_int_eq(parsed, seconds * CLOCK_SECOND + 42);
	}
}
END_TEST

START_TEST(format_stays_inside_four_digit_years)
{
	char buffer[CLOCK_TEXT_SIZE];

	clock_format(INT64_MIN, buffer);
	ck_assert_str_eq(buffer, "0000-01-01T00:00:00.000000Z");
	clock_format(INT64_MAX, buffer);
	ck_assert_str_eq(buffer, "9999-12-31T23:59:59.999999Z");
}
END_TEST

START_TEST(clocks_run)
{
	time_t earliest = time(NULL);
	int64_t before = clock_monotonic(), wall = clock_now();
	struct timespec nap = {.tv_nsec = 2000000};

	ck_assert_int_ge(wall / CLOCK_SECOND, earliest);
	/* The kernel's seconds are a tick late. */
	ck_assert_int_le(wall / CLOCK_SECOND, time(NULL) + 1);
	nanosleep(&nap, NULL);
	int64_t elapsed = clock_monotonic() - before;
	ck_assert_int_ge(elapsed, 2000);
	ck_assert_int_lt(elapsed, 60 * CLOCK_SECOND);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("clock");

	tcase_add_loop_test(tests, parse_and_format, 0, ARRAY_SIZE(parse_cases));
	tcase_add_test(tests, parse_stops_at_length);
	tcase_add_test(tests, format_agrees_with_libc);
	tcase_add_test(tests, format_stays_inside_four_digit_years);
	tcase_add_test(tests, clocks_run);
	return unit_run(tests, "clock");
}
