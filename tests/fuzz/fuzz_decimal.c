/* base/decimal and base/money: they agree with each other about every number, and an amount that
 * was read prints as a number that reads as the same amount. */
#include "base/decimal.h"
#include "base/money.h"
#include "fuzz.h"

static void agrees_with_decimal(struct decimal number, const char *text, size_t size)
{
	int64_t scale = 0, whole = 0;
	fuzz_check(decimal_compare(number, number) == 0);
	fuzz_check(decimal_scale(text, size, &scale) == 0);
	fuzz_check(number.mantissa == 0 || number.mantissa % 10 != 0);
	fuzz_check(number.mantissa == 0 || scale == number.scale);
	int r = decimal_to_int(number, &whole);
	fuzz_check(r == 0 || r == (number.scale > 0 ? -EINVAL : -ERANGE));
	if (r == 0)
		fuzz_check(decimal_compare(number, (struct decimal){.mantissa = whole}) == 0);
}

static void survives_printing(const char *text, size_t size, struct currency currency)
{
	char printed[MONEY_TEXT_SIZE];
	int64_t amount = 0, again = 0, scale = 0;
	int r = money_parse(text, size, currency, &amount);
	fuzz_check(r == 0 || r == -EINVAL || r == -EDOM || r == -ERANGE);
	fuzz_check((r == -EINVAL) == (decimal_scale(text, size, &scale) == -EINVAL));
	if (r < 0)
		return;
	fuzz_check(scale <= (int64_t)currency.digits);
	size_t length = money_format(amount, currency, printed);
	fuzz_check(length == strlen(printed));
	fuzz_check(money_parse(printed, length, currency, &again) == 0 && again == amount);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct currency currencies[] = {
		{"JPY", 0}, {"USD", 2}, {"KWD", 3}, {"UYW", 4}};
	const char *text = (const char *)data;
	struct decimal number = {0};
	int r = decimal_parse(text, size, &number);
	fuzz_check(r == 0 || r == -EINVAL || r == -ERANGE);
	if (r == 0)
		agrees_with_decimal(number, text, size);
	for (size_t i = 0; i < ARRAY_SIZE(currencies); i++)
		survives_printing(text, size, currencies[i]);
	return 0;
}
