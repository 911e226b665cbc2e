/*
 * Named places where the proofs (tests/proofs) make a process die, hang or fail. Only builds with
 * -DFAILPOINTS have them (make VARIANT=failpoints); other builds compile them to nothing.
 *
 *	FAILPOINT=name:action[@n][,name:action[@n]…]
 *
 * Actions: exit ends the process at once, as kill -9 would; pause holds the thread for
 * eight seconds, longer than any lease; error makes failpoint() return -EIO. With @n the action
 * happens only the n-th time that the process gets there, otherwise every time. Each hit is logged.
 */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

#include "base/base.h"

#ifdef FAILPOINTS

/* Reads the environment, before threads start; a bad value is reported like any setting
 * (base/config.h). The names are kept, not copied. */
void failpoint_start(void);

/* 0, or -EIO where an error is wanted. Thread-safe. */
int failpoint(const char *name);

#else

static inline void failpoint_start(void)
{
}

static inline int failpoint(UNUSED const char *name)
{
	return 0;
}

#endif
#endif
