/*
 * How many processors this process may use: those that it is allowed to run on
 * (sched_getaffinity(2)), and no more than the time its container gets (cpu.max of the Linux
 * kernel's "Control Group v2", section "CPU Interface Files"), in whole ones.
 */
#ifndef BASE_PROCESSORS_H
#define BASE_PROCESSORS_H

#include "base/base.h"

/* At least 1. Any thread. */
size_t processors(void);

/* The smaller of cores and what the text of a cpu.max allows: "$MAX $PERIOD", microseconds, or
 * "max $PERIOD". At least 1; cores where the text is neither. */
size_t processors_within(size_t cores, const char *cpu_max);

#endif
