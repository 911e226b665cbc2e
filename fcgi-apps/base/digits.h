/* Decimal digits of integers, written without printf. Private to this folder. */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include "base/base.h"

/* Sign and 19 digits, or 20 digits. */
#define DIGITS_SIZE 20

/* Writes value's digits so that they end before end; returns where they start. */
static inline char *digits_before(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return end;
}

/* Writes exactly count digits of value (the low ones) at position; returns the byte after. */
static inline char *digits_fixed(char *position, unsigned value, unsigned count)
{
	for (unsigned place = count; place > 0; place--) {
		position[place - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return position + count;
}

static inline bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

#endif
