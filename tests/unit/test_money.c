#include "base/money.h"
#include "unit.h"

static const struct currency usd = {"USD", 2}, jpy = {"JPY", 0}, kwd = {"KWD", 3}, clf = {"CLF", 4};

static const struct {
	const char *code;
	int digits; /* -1: unknown */
} currency_cases[] = {
	{"USD", 2},  {"EUR", 2},  {"JPY", 0},  {"KWD", 3},  {"CLF", 4},   {"AED", 2},
	{"ZWG", 2},  {"XOF", 0},  {"usd", -1}, {"US", -1},  {"USDX", -1}, {"", -1},
	{"XXX", -1}, {"XAU", -1}, {"DEM", -1}, {"HRK", -1}, {"AAA", -1},  {"ZZZ", -1},
};

START_TEST(find)
{
	struct currency currency = {"???", 9};
	int digits = currency_cases[_i].digits;

	ck_assert_int_eq(currency_find(currency_cases[_i].code, &currency),
			 digits < 0 ? -ENOENT : 0);
	ck_assert_str_eq(currency.code, digits < 0 ? "???" : currency_cases[_i].code);
	ck_assert_uint_eq(currency.digits, digits < 0 ? 9 : (unsigned)digits);
}
END_TEST

static const struct {
	const char *text;
	const struct currency *currency;
	int result;
	int64_t amount;
} parse_cases[] = {
	{"0", &usd, 0, 0},
	{"-0", &usd, 0, 0},
	{"0.000", &usd, 0, 0},
	{"12.5", &usd, 0, 1250},
	{"12.50", &usd, 0, 1250},
	{"12.5000000", &usd, 0, 1250},
	{"1.10", &usd, 0, 110},
	{"0.07", &usd, 0, 7},
	{"19.99", &usd, 0, 1999},
	{"1e2", &usd, 0, 10000},
	{"1e-2", &usd, 0, 1},
	{"-3.5", &usd, 0, -350},
	{"12.505", &usd, -EDOM, 0},
	{"1e-3", &usd, -EDOM, 0},
	{"1e-400", &usd, -EDOM, 0},
	{"1e-500", &usd, -EDOM, 0},
	{"0.1234567890123456789012", &usd, -EDOM, 0},
	{"1", &jpy, 0, 1},
	{"1.0", &jpy, 0, 1},
	{"1.5", &jpy, -EDOM, 0},
	{"1.234", &kwd, 0, 1234},
	{"1.2345", &kwd, -EDOM, 0},
	{"1.2345", &clf, 0, 12345},
	{"92233720368547758.07", &usd, 0, INT64_MAX},
	{"-92233720368547758.08", &usd, 0, INT64_MIN},
	{"92233720368547758.08", &usd, -ERANGE, 0},
	{"9223372036854775807", &usd, -ERANGE, 0},
	{"12345678901234567890", &usd, -ERANGE, 0},
	{"1e400", &usd, -ERANGE, 0},
	{"1e500", &usd, -ERANGE, 0},
	{"", &usd, -EINVAL, 0},
	{"12.", &usd, -EINVAL, 0},
	{"$1", &usd, -EINVAL, 0},
};

START_TEST(parse)
{
	int64_t amount = -7;
	const char *text = parse_cases[_i].text;
	int expected = parse_cases[_i].result;

	ck_assert_int_eq(money_parse(text, strlen(text), *parse_cases[_i].currency, &amount),
			 expected);
	ck_assert_int_eq(amount, expected == 0 ? parse_cases[_i].amount : -7);
}
END_TEST

static const struct {
	int64_t amount;
	const struct currency *currency;
	const char *text;
} format_cases[] = {
	{0, &usd, "0.00"},
	{5, &usd, "0.05"},
	{-5, &usd, "-0.05"},
	{50, &usd, "0.50"},
	{1250, &usd, "12.50"},
	{100, &usd, "1.00"},
	{MONEY_PRICE_MAX, &usd, "9999999.99"},
	{7, &jpy, "7"},
	{0, &jpy, "0"},
	{1, &kwd, "0.001"},
	{12345, &clf, "1.2345"},
	{INT64_MAX, &usd, "92233720368547758.07"},
	{INT64_MIN, &usd, "-92233720368547758.08"},
	{INT64_MIN, &jpy, "-9223372036854775808"},
};

START_TEST(format)
{
	char buffer[MONEY_TEXT_SIZE];
	int64_t amount = 0;
	struct currency currency = *format_cases[_i].currency;
	size_t length = money_format(format_cases[_i].amount, currency, buffer);

	ck_assert_str_eq(buffer, format_cases[_i].text);
	ck_assert_uint_eq(length, strlen(buffer));
	ck_assert_int_eq(money_parse(buffer, length, currency, &amount), 0);
	ck_assert_int_eq(amount, format_cases[_i].amount);
}
END_TEST

START_TEST(arithmetic)
{
	int64_t amount = -7;

	ck_assert_int_eq(money_multiply(1999, 3, &amount), 0);
	ck_assert_int_eq(amount, 5997);
	ck_assert_int_eq(money_add(amount, -997, &amount), 0);
	ck_assert_int_eq(amount, 5000);
	ck_assert_int_eq(money_multiply(INT64_MAX / 2 + 1, 2, &amount), -ERANGE);
	ck_assert_int_eq(money_add(INT64_MAX, 1, &amount), -ERANGE);
	ck_assert_int_eq(amount, 5000);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("money");

	tcase_add_loop_test(tests, find, 0, ARRAY_SIZE(currency_cases));
	tcase_add_loop_test(tests, parse, 0, ARRAY_SIZE(parse_cases));
	tcase_add_loop_test(tests, format, 0, ARRAY_SIZE(format_cases));
	tcase_add_test(tests, arithmetic);
	return unit_run(tests, "money");
}
