/* Decimal and hexadecimal digits, without printf and the locale that <ctype.h> asks. */
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

/* The value of a hexadecimal digit of either case, or -1. */
static inline int hex_value(char byte)
{
	if (is_digit(byte))
		return byte - '0';
	char lower = (char)(byte | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Writes the low count hexadecimal digits of value, lower case; returns the byte after. */
static inline char *hex_fixed(char *position, uint64_t value, unsigned count)
{
	for (unsigned place = count; place > 0; place--)
		*position++ = "0123456789abcdef"[value >> 4 * (place - 1) & 15];
	return position;
}

#endif
