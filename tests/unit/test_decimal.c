#include "base/decimal.h"
#include "unit.h"

static const struct {
	const char *text;
	int result;
	int64_t mantissa;
	int scale;
} parse_cases[] = {
	{"0", 0, 0, 0},
	{"-0", 0, 0, 0},
	{"0.000", 0, 0, 0},
	{"0e999999", 0, 0, 0},
	{"1", 0, 1, 0},
	{"1.10", 0, 11, 1},
	{"1e2", 0, 1, -2},
	{"1E+2", 0, 1, -2},
	{"1.50e1", 0, 15, 0},
	{"12e-3", 0, 12, 3},
	{"0.05", 0, 5, 2},
	{"100.001", 0, 100001, 3},
	{"-12.50", 0, -125, 1},
	{"1e400", 0, 1, -400},
	{"1e-400", 0, 1, 400},
	{"1e401", -ERANGE, 0, 0},
	{"1e-401", -ERANGE, 0, 0},
	{"1e99999999999999999999", -ERANGE, 0, 0},
	{"123456789012345678", 0, 123456789012345678, 0},
	{"9223372036854775807", 0, INT64_MAX, 0},
	{"-9223372036854775808", 0, INT64_MIN, 0},
	{"9223372036854775808", -ERANGE, 0, 0},
	{"12345678901234567890", 0, 1234567890123456789, -1},
	{"12345678901234567891", -ERANGE, 0, 0},
	{"18446744073709551617", -ERANGE, 0, 0},
	{"10000000000000000000", 0, 1, -19},
	{"1.00000000000000000000", 0, 1, 0},
	{"1.00000000000000000001", -ERANGE, 0, 0},
	{"", -EINVAL, 0, 0},
	{"-", -EINVAL, 0, 0},
	{"+1", -EINVAL, 0, 0},
	{"01", -EINVAL, 0, 0},
	{"-01", -EINVAL, 0, 0},
	{".5", -EINVAL, 0, 0},
	{"1.", -EINVAL, 0, 0},
	{"1.e2", -EINVAL, 0, 0},
	{"1e", -EINVAL, 0, 0},
	{"1e+", -EINVAL, 0, 0},
	{"1 ", -EINVAL, 0, 0},
	{" 1", -EINVAL, 0, 0},
	{"0x10", -EINVAL, 0, 0},
	{"1,5", -EINVAL, 0, 0},
	{"NaN", -EINVAL, 0, 0},
};

START_TEST(parse)
{
	struct decimal value = {-7, -7};
	const char *text = parse_cases[_i].text;

	ck_assert_int_eq(decimal_parse(text, strlen(text), &value), parse_cases[_i].result);
	if (parse_cases[_i].result == 0) {
		ck_assert_int_eq(value.mantissa, parse_cases[_i].mantissa);
		ck_assert_int_eq(value.scale, parse_cases[_i].scale);
	} else {
		ck_assert_int_eq(value.mantissa, -7);
		ck_assert_int_eq(value.scale, -7);
	}
}
END_TEST

START_TEST(parse_stops_at_length)
{
	struct decimal value;

	ck_assert_int_eq(decimal_parse("12345", 2, &value), 0);
	ck_assert_int_eq(value.mantissa, 12);
	ck_assert_int_eq(decimal_parse("1.5", 2, &value), -EINVAL);
	ck_assert_int_eq(decimal_parse("1\0", 2, &value), -EINVAL);
}
END_TEST

static const struct {
	const char *text;
	int64_t scale;
} scale_cases[] = {
	{"0.000", 0},
	{"1.10", 1},
	{"1e3", -3},
	{"99999999999999999999.0", 0},
	{"99999999999999999999.5", 1},
	{"0.12345678901234567890123", 23},
	{"1e500", -500},
};

START_TEST(scale_of_any_size)
{
	int64_t scale = 99;
	const char *text = scale_cases[_i].text;

	ck_assert_int_eq(decimal_scale(text, strlen(text), &scale), 0);
	ck_assert_int_eq(scale, scale_cases[_i].scale);
}
END_TEST

static struct decimal decimal_of(const char *text)
{
	struct decimal value;
	ck_assert_int_eq(decimal_parse(text, strlen(text), &value), 0);
	return value;
}

static const struct {
	const char *a, *b;
	int sign;
} compare_cases[] = {
	{"0", "-0", 0},
	{"1", "1.0", 0},
	{"1e2", "100", 0},
	{"1", "2", -1},
	{"-1", "1", -1},
	{"-1", "-2", 1},
	{"0", "1e-400", -1},
	{"0", "-1e-400", 1},
	{"1e400", "9223372036854775807", 1},
	{"1e-400", "1e400", -1},
	{"9.99", "10", -1},
	{"9223372036854775807", "922337203685477580.5", 1},
	{"9223372036854775807", "9.223372036854775807e18", 0},
	{"0.1", "0.09999999999999999", 1},
	{"-9223372036854775808", "-9.3e18", 1},
	{"1", "0.999999999999999999", 1},
};

START_TEST(compare)
{
	struct decimal left = decimal_of(compare_cases[_i].a);
	struct decimal right = decimal_of(compare_cases[_i].b);
	int forth = decimal_compare(left, right), back = decimal_compare(right, left);
	ck_assert_int_eq((forth > 0) - (forth < 0), compare_cases[_i].sign);
	ck_assert_int_eq((back > 0) - (back < 0), -compare_cases[_i].sign);
}
END_TEST

static const struct {
	const char *text;
	int result;
	int64_t number;
} int_cases[] = {
	{"0.0", 0, 0},
	{"1e2", 0, 100},
	{"-1.20e1", 0, -12},
	{"1.5", -EINVAL, 0},
	{"1e-1", -EINVAL, 0},
	{"9223372036854775807.0", 0, INT64_MAX},
	{"-9223372036854775808", 0, INT64_MIN},
	{"1e18", 0, INT64_C(1000000000000000000)},
	{"1e19", -ERANGE, 0},
	{"-1e400", -ERANGE, 0},
};

START_TEST(to_int)
{
	int64_t number = -7;

	ck_assert_int_eq(decimal_to_int(decimal_of(int_cases[_i].text), &number),
			 int_cases[_i].result);
	ck_assert_int_eq(number, int_cases[_i].result == 0 ? int_cases[_i].number : -7);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("decimal");

	tcase_add_loop_test(tests, parse, 0, ARRAY_SIZE(parse_cases));
	tcase_add_test(tests, parse_stops_at_length);
	tcase_add_loop_test(tests, scale_of_any_size, 0, ARRAY_SIZE(scale_cases));
	tcase_add_loop_test(tests, compare, 0, ARRAY_SIZE(compare_cases));
	tcase_add_loop_test(tests, to_int, 0, ARRAY_SIZE(int_cases));
	return unit_run(tests, "decimal");
}
