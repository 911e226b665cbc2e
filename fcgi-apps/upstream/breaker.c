#include "upstream/breaker.h"

void breaker_init(struct breaker *breaker, unsigned threshold, int64_t pause)
{
	*breaker = (struct breaker){.threshold = threshold, .pause = pause};
}

bool breaker_allow(struct breaker *breaker, int64_t now)
{
	if (breaker->state == BREAKER_CLOSED)
		return true;
	if (now < breaker->next_probe)
		return false;
	breaker->state = BREAKER_HALF_OPEN;
	breaker->next_probe = now + breaker->pause;
	return true;
}

bool breaker_success(struct breaker *breaker)
{
	bool closed = breaker->state != BREAKER_CLOSED;

	breaker->state = BREAKER_CLOSED;
	breaker->failures = 0;
	return closed;
}

bool breaker_failure(struct breaker *breaker, int64_t now)
{
	/* Late failures of calls made before the breaker opened do not prolong the pause. */
	if (breaker->state == BREAKER_OPEN)
		return false;
	if (breaker->state == BREAKER_CLOSED && ++breaker->failures < breaker->threshold)
		return false;

	bool opened = breaker->state == BREAKER_CLOSED;

	breaker->state = BREAKER_OPEN;
	breaker->next_probe = now + breaker->pause;
	return opened;
}
