/*
 * Amounts of money: int64 in the currency's minor unit (cents). No double ever holds money.
 * Thread-safe (no state).
 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include "base/base.h"

/* ISO 4217: alphabetic code and the number of decimals ("minor unit" column of list one). */
struct currency {
	char code[4];
	unsigned digits;
};

/* The highest price of one unit, in minor units: 9,999,999.99 in a currency of two decimals. */
#define MONEY_PRICE_MAX INT64_C(999999999)

/* Longest text of an amount with its NUL. */
#define MONEY_TEXT_SIZE 32

/* Looks up an active ISO 4217 code, upper case. -ENOENT when there is none. */
int currency_find(const char *code, struct currency *ret_currency);

/*
 * Reads a JSON number's source text as an amount. -EINVAL when it is no number; -EDOM when it has
 * more decimals than the currency (trailing zeros do not count); -ERANGE beyond int64.
 */
int money_parse(const char *text, size_t length, struct currency currency, int64_t *ret_amount);

/* Writes the amount with all decimals of the currency ("12.50"), returns the length. */
size_t money_format(int64_t amount, struct currency currency, char buffer[MONEY_TEXT_SIZE]);

/* -ERANGE on overflow. */
int money_multiply(int64_t price, int64_t quantity, int64_t *ret_amount);
int money_add(int64_t a, int64_t b, int64_t *ret_amount);

#endif
