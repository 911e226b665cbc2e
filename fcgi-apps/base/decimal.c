#include "base/decimal.h"

#include "base/digits.h"

#define SCALE_MAX 400

/* Far beyond any text's length, so cutting a larger exponent to it changes no result. */
#define EXPONENT_MAX INT64_C(1000000000000)

/* The significant digits, without leading and trailing zeros. */
struct digits {
	uint64_t magnitude; /* their value, unless overflow */
	int64_t scale;      /* digits after the point */
	bool negative;
	bool overflow;
};

struct reader {
	const char *position;
	const char *end;
};

static bool reader_accept(struct reader *reader, char byte)
{
	if (reader->position == reader->end || *reader->position != byte)
		return false;
	reader->position++;
	return true;
}

static bool reader_at_digit(const struct reader *reader)
{
	return reader->position < reader->end && is_digit(*reader->position);
}

/* Zeros are held back until a digit follows; at the end they only change the scale. */
static void digits_push(struct digits *digits, unsigned digit, int64_t *held_zeros)
{
	if (digit == 0) {
		(*held_zeros)++;
		return;
	}
	for (int64_t zeros = digits->magnitude || digits->overflow ? *held_zeros : 0; zeros >= 0;
	     zeros--) {
		uint64_t next = zeros == 0 ? digit : 0;
		if (digits->overflow ||
		    __builtin_mul_overflow(digits->magnitude, UINT64_C(10), &digits->magnitude) ||
		    __builtin_add_overflow(digits->magnitude, next, &digits->magnitude)) {
			digits->overflow = true;
			break;
		}
	}
	*held_zeros = 0;
}

static int read_exponent(struct reader *reader, int64_t *ret_exponent)
{
	bool negative = reader_accept(reader, '-');
	int64_t exponent = 0;

	if (!negative)
		reader_accept(reader, '+');
	if (!reader_at_digit(reader))
		return -EINVAL;
	for (; reader_at_digit(reader); reader->position++) {
		if (exponent < EXPONENT_MAX)
			exponent = exponent * 10 + (*reader->position - '0');
	}
	*ret_exponent = negative ? -exponent : exponent;
	return 0;
}

static int read_digits(const char *text, size_t length, struct digits *ret_digits)
{
	struct reader reader = {text, text + length};
	struct digits digits = {.negative = reader_accept(&reader, '-')};
	int64_t held_zeros = 0, exponent = 0;

	if (!reader_at_digit(&reader))
		return -EINVAL;
	if (!reader_accept(&reader, '0')) {
		for (; reader_at_digit(&reader); reader.position++)
			digits_push(&digits, (unsigned)(*reader.position - '0'), &held_zeros);
	}
	if (reader_accept(&reader, '.')) {
		if (!reader_at_digit(&reader))
			return -EINVAL;
		for (; reader_at_digit(&reader); reader.position++) {
			digits_push(&digits, (unsigned)(*reader.position - '0'), &held_zeros);
			digits.scale++;
		}
	}
	if (reader_accept(&reader, 'e') || reader_accept(&reader, 'E')) {
		if (read_exponent(&reader, &exponent) < 0)
			return -EINVAL;
	}
	if (reader.position != reader.end)
		return -EINVAL;

	digits.scale -= held_zeros + exponent;
	if (digits.magnitude == 0 && !digits.overflow)
		digits.scale = 0;
	*ret_digits = digits;
	return 0;
}

int decimal_parse(const char *text, size_t length, struct decimal *ret_value)
{
	struct digits digits;
	int r = read_digits(text, length, &digits);
	if (r < 0)
		return r;
	if (digits.overflow || digits.magnitude > (uint64_t)INT64_MAX + digits.negative)
		return -ERANGE;
	if (digits.scale > SCALE_MAX || digits.scale < -SCALE_MAX)
		return -ERANGE;
	ret_value->mantissa = (int64_t)(digits.negative ? -digits.magnitude : digits.magnitude);
	ret_value->scale = (int)digits.scale;
	return 0;
}

int decimal_scale(const char *text, size_t length, int64_t *ret_scale)
{
	struct digits digits;
	int r = read_digits(text, length, &digits);
	if (r == 0)
		*ret_scale = digits.scale;
	return r;
}

static int count_digits(uint64_t value)
{
	int count = 1;
	while (value /= 10)
		count++;
	return count;
}

static int compare_magnitudes(uint64_t a, int a_scale, uint64_t b, int b_scale)
{
	/* Compare the digits before the point first: more digits, larger number. */
	int a_places = count_digits(a) - a_scale, b_places = count_digits(b) - b_scale;
	if (a_places != b_places)
		return a_places < b_places ? -1 : 1;
	/* Now the scales differ as the digit counts do, so the scaled value still has at most 19
	 * digits. */
	for (; a_scale < b_scale; a_scale++)
		a *= 10;
	for (; b_scale < a_scale; b_scale++)
		b *= 10;
	return (a > b) - (a < b);
}

static uint64_t magnitude_of(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

int decimal_compare(struct decimal a, struct decimal b)
{
	int a_sign = (a.mantissa > 0) - (a.mantissa < 0);
	int b_sign = (b.mantissa > 0) - (b.mantissa < 0);

	if (a_sign != b_sign || a_sign == 0)
		return (a_sign > b_sign) - (a_sign < b_sign);
	return a_sign * compare_magnitudes(magnitude_of(a.mantissa), a.scale,
					   magnitude_of(b.mantissa), b.scale);
}

int decimal_to_int(struct decimal value, int64_t *ret_value)
{
	int64_t number = value.mantissa;

	for (int scale = value.scale; scale > 0 && number; scale--) {
		if (number % 10)
			return -EINVAL;
		number /= 10;
	}
	for (int scale = value.scale; scale < 0 && number; scale++) {
		if (__builtin_mul_overflow(number, INT64_C(10), &number))
			return -ERANGE;
	}
	*ret_value = number;
	return 0;
}
