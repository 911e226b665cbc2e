/* UUID version 7 (RFC 9562 section 5.7): time-ordered, so that index inserts go to the end. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/base.h"

#define UUID_TEXT_SIZE 37

/*
 * Makes a new id, lower case, with NUL. Ids made by one process are strictly increasing (RFC 9562
 * section 6.2, method 1). Thread-safe.
 */
void uuid_make(char buffer[UUID_TEXT_SIZE]);

/* Whether it has the form of a UUID, in either case (RFC 9562 section 4). */
bool uuid_is_valid(const char *text, size_t length);

/* Writes a UUID in lower case, as ours are; any other text stays as it is. */
void uuid_to_lower(char *text, size_t length);

/* Fills bytes from the kernel's generator (getrandom). Thread-safe; cannot fail after boot. */
void random_bytes(void *buffer, size_t length);

/* A random number in [0, limit), for jitter. Thread-safe. */
uint64_t random_below(uint64_t limit);

#endif
