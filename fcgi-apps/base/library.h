/*
 * Shared libraries that are loaded when they are first needed: one that stands in the program's own
 * list takes memory in every worker.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/base.h"

#define LIBRARY_REASON_SIZE 256

/*
 * Fills an array, or a struct, of pointers to functions with those of the names, which end with
 * NULL. The library is never unloaded: OpenSSL leaves handlers behind. Thread-safe. -EIO: the
 * reason is for the operator, and names the library.
 */
int library_load(const char *file, const char *const *names, void *functions,
		 char reterr_reason[LIBRARY_REASON_SIZE]);

#endif
