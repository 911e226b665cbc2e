/* base/clock: a time that was read prints as one that reads as the same. */
#include "base/clock.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char printed[CLOCK_TEXT_SIZE];
	int64_t time = 0, again = 0;
	int r = clock_parse((const char *)data, size, &time);
	fuzz_check(r == 0 || r == -EINVAL);
	if (r < 0)
		return 0;
	clock_format(time, printed);
	fuzz_check(strlen(printed) == CLOCK_TEXT_SIZE - 1);
	fuzz_check(clock_parse(printed, strlen(printed), &again) == 0 && again == time);
	return 0;
}
