/* An allocator that fails when it is told to, for the program and the libraries that it loads.
 * Sanitizers have one of their own: builds with them have no FAILING_MEMORY. */
#ifndef FAILING_MEMORY_H
#define FAILING_MEMORY_H

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FAILING_MEMORY

#include <stdlib.h>

#include "base/base.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static int countdown = -1; /* allocations until one fails; -1: none does */
static bool stays_broken;  /* so do all that follow, until countdown is set */
static int failures;

static bool must_fail(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	countdown = stays_broken ? 0 : -1;
	failures++;
	return true;
}

/* Visible to the libraries, which are to call these too. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
	return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return must_fail() ? NULL : __libc_realloc(memory, size);
}

#pragma GCC visibility pop

#endif
#endif
