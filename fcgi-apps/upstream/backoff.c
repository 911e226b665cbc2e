#include "upstream/backoff.h"

#include "base/uuid.h"

int64_t backoff_ceiling(int64_t base, int64_t longest, unsigned failures)
{
	/* Shifting longest down instead of base up cannot overflow. */
	if (failures >= 63 || base > longest >> failures)
		return longest;
	return base << failures;
}

int64_t backoff_delay(int64_t base, int64_t longest, unsigned failures)
{
	uint64_t ceiling = (uint64_t)backoff_ceiling(base, longest, failures);

	return (int64_t)random_below(ceiling + 1);
}
