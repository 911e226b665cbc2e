/*
 * Exact decimal numbers, read from their text: value = mantissa * 10^-scale.
 * Thread-safe (no state).
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/base.h"

struct decimal {
	int64_t mantissa; /* without trailing zeros unless zero itself */
	int scale;        /* digits after the point; negative for 1e3 */
};

/*
 * Reads a JSON number (RFC 8259 section 6), exponent included.
 * -EINVAL when it is not one; -ERANGE when its significant digits do not fit an int64 or its
 * scale is beyond +-400.
 */
int decimal_parse(const char *text, size_t length, struct decimal *ret_value);

/*
 * The scale alone, of a number of any size: how many digits follow the point when trailing zeros do
 * not count; 0 or less for a whole number. -EINVAL as above.
 */
int decimal_scale(const char *text, size_t length, int64_t *ret_scale);

/* <0, 0, >0 as in strcmp; exact for every pair. */
int decimal_compare(struct decimal a, struct decimal b);

/* The value as an integer: -EINVAL when it has a fraction, -ERANGE beyond int64. */
int decimal_to_int(struct decimal value, int64_t *ret_value);

#endif
