#include "base/clock.h"

#include <time.h>

#include "base/digits.h"

#define DAY_SECONDS 86400

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z */
#define TIME_MIN (INT64_C(-719528) * CLOCK_DAY)
#define TIME_MAX (INT64_C(2932897) * CLOCK_DAY - 1)

struct date {
	unsigned year, month, day; /* month and day count from 1 */
};

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now); /* cannot fail: every Linux has both clocks */
	return now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/*
 * Conversions between a date and its day number since 1970-01-01: Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days. An era is 400
 * years (146097 days). Its years begin in March, so the leap day comes last. 719468 is 0000-03-01.
 */
static int64_t days_from_date(struct date date)
{
	int64_t year = (int64_t)date.year - (date.month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
	int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static struct date date_from_days(int64_t days)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned day_of_era = (unsigned)(days - era * 146097);
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * day_of_year + 2) / 153;
	unsigned day = day_of_year - (153 * month + 2) / 5 + 1;

	month = month < 10 ? month + 3 : month - 9;
	return (struct date){(unsigned)(year_of_era + era * 400) + (month <= 2), month, day};
}

void clock_format(int64_t time, char buffer[CLOCK_TEXT_SIZE])
{
	if (time < TIME_MIN)
		time = TIME_MIN;
	if (time > TIME_MAX)
		time = TIME_MAX;

	int64_t days = time / CLOCK_DAY, rest = time % CLOCK_DAY;
	if (rest < 0) {
		days--;
		rest += CLOCK_DAY;
	}
	struct date date = date_from_days(days);
	unsigned seconds = (unsigned)(rest / CLOCK_SECOND);
	char *end = digits_fixed(buffer, date.year, 4);

	*end++ = '-';
	end = digits_fixed(end, date.month, 2);
	*end++ = '-';
	end = digits_fixed(end, date.day, 2);
	*end++ = 'T';
	end = digits_fixed(end, seconds / 3600, 2);
	*end++ = ':';
	end = digits_fixed(end, seconds / 60 % 60, 2);
	*end++ = ':';
	end = digits_fixed(end, seconds % 60, 2);
	*end++ = '.';
	end = digits_fixed(end, (unsigned)(rest % CLOCK_SECOND), 6);
	*end++ = 'Z';
	*end = '\0';
}

struct reader {
	const char *position;
	const char *end;
	bool failed;
};

static bool accept(struct reader *reader, const char *bytes)
{
	if (reader->position == reader->end || !strchr(bytes, *reader->position) ||
	    *reader->position == '\0')
		return false;
	reader->position++;
	return true;
}

static void expect(struct reader *reader, const char *bytes)
{
	if (!accept(reader, bytes))
		reader->failed = true;
}

/* A number of exactly count digits, in [lowest, highest]. */
static unsigned expect_number(struct reader *reader, int count, unsigned lowest, unsigned highest)
{
	unsigned number = 0;

	for (; count > 0; count--) {
		if (reader->position == reader->end || !is_digit(*reader->position)) {
			reader->failed = true;
			return lowest;
		}
		number = number * 10 + (unsigned)(*reader->position++ - '0');
	}
	if (number < lowest || number > highest)
		reader->failed = true;
	return number;
}

static int64_t accept_fraction(struct reader *reader)
{
	int64_t fraction = 0, unit = CLOCK_SECOND / 10;

	if (!accept(reader, "."))
		return 0;
	if (reader->position == reader->end || !is_digit(*reader->position))
		reader->failed = true;
	for (; reader->position < reader->end && is_digit(*reader->position); reader->position++) {
		fraction += unit * (*reader->position - '0');
		unit /= 10;
	}
	return fraction;
}

static int64_t expect_offset(struct reader *reader)
{
	if (accept(reader, "Zz"))
		return 0;
	bool west = accept(reader, "-");
	if (!west)
		expect(reader, "+");
	int64_t seconds = 3600 * (int64_t)expect_number(reader, 2, 0, 23);
	expect(reader, ":");
	seconds += 60 * (int64_t)expect_number(reader, 2, 0, 59);
	return west ? -seconds : seconds;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* A leap second ends a UTC month (RFC 3339 appendix D), so the next second begins a month. */
static bool is_month_start(int64_t seconds)
{
	return seconds % DAY_SECONDS == 0 && date_from_days(seconds / DAY_SECONDS).day == 1;
}

int clock_parse(const char *text, size_t length, int64_t *ret_time)
{
	struct reader reader = {text, text + length, false};
	struct date date;

	date.year = expect_number(&reader, 4, 0, 9999);
	expect(&reader, "-");
	date.month = expect_number(&reader, 2, 1, 12);
	expect(&reader, "-");
	date.day = expect_number(&reader, 2, 1, 31);
	expect(&reader, "Tt");
	unsigned hour = expect_number(&reader, 2, 0, 23);
	expect(&reader, ":");
	unsigned minute = expect_number(&reader, 2, 0, 59);
	expect(&reader, ":");
	unsigned second = expect_number(&reader, 2, 0, 60);
	int64_t fraction = accept_fraction(&reader);
	int64_t offset = expect_offset(&reader);

	if (reader.failed || reader.position != reader.end ||
	    date.day > days_in_month(date.year, date.month))
		return -EINVAL;

	int64_t seconds =
		days_from_date(date) * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset;
	if (second == 60 && !is_month_start(seconds))
		return -EINVAL;
	int64_t time = seconds * CLOCK_SECOND + fraction;
	if (time < TIME_MIN || time > TIME_MAX)
		return -EINVAL;
	*ret_time = time;
	return 0;
}
