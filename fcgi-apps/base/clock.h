/*
 * Time: int64 microseconds since 1970-01-01T00:00:00Z inside, RFC 3339 with Z outside.
 * Thread-safe.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

#define CLOCK_SECOND INT64_C(1000000)
#define CLOCK_DAY    (86400 * CLOCK_SECOND)

/* "2026-01-31T23:59:59.123456Z" and its NUL. */
#define CLOCK_TEXT_SIZE 28

/* Wall clock, for times that are stored or shown. */
int64_t clock_now(void);

/* Never jumps; for deadlines and durations. Its zero is arbitrary. */
int64_t clock_monotonic(void);

/* RFC 3339 section 5.6 with microseconds and Z. Years 0000 to 9999; beyond them, the nearest time
 * that can be written. */
void clock_format(int64_t time, char buffer[CLOCK_TEXT_SIZE]);

/*
 * Reads any RFC 3339 date-time (offsets, fraction cut to microseconds). A leap second (23:59:60 UTC
 * at the end of a month) is the second after it, as in POSIX. -EINVAL when it is none, or when it
 * lies outside the years 0000 to 9999 in UTC.
 */
int clock_parse(const char *text, size_t length, int64_t *ret_time);

#endif
