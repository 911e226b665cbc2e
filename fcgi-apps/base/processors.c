#include "base/processors.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/* Exists in a container, not in a host's root group. */
#define CPU_MAX "/sys/fs/cgroup/cpu.max"

size_t processors_within(size_t cores, const char *cpu_max)
{
	char *end;
	long long time = strtoll(cpu_max, &end, 10);
	long long period = strtoll(end, NULL, 10);

	if (end == cpu_max || time < 0 || period <= 0)
		return cores;
	size_t whole = time < period ? 1 : (size_t)(time / period);
	return whole < cores ? whole : cores;
}

static size_t allowed(void)
{
	cpu_set_t set;

	/* There are more processors than a set can hold, which is enough. */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return CPU_SETSIZE;
	return (size_t)CPU_COUNT(&set);
}

size_t processors(void)
{
	char cpu_max[64] = "";
	int file = open(CPU_MAX, O_RDONLY | O_CLOEXEC);

	if (file >= 0) {
		ssize_t length = read(file, cpu_max, sizeof(cpu_max) - 1);
		cpu_max[length > 0 ? length : 0] = '\0';
		close(file);
	}
	return processors_within(allowed(), cpu_max);
}
