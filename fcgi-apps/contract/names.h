/* A hash table from names to small numbers, filled once and then only read (thread-safe then). */
#ifndef CONTRACT_NAMES_H
#define CONTRACT_NAMES_H

#include "base/base.h"

#define NAMES_NONE SIZE_MAX

/* All zero is an empty table that takes no name. One owner. */
struct names {
	struct name_slot *slots;
	size_t mask; /* number of slots - 1; at least half of them stay free */
	size_t count;
};

/* Makes room for capacity names in an all-zero table. -ENOMEM. */
int names_init(struct names *names, size_t capacity);
void names_release(struct names *names);

/* Adds a name within the capacity; it is kept, not copied. -EEXIST when it is there already. */
int names_add(struct names *names, const char *name, size_t value);

/* The name's value, or NAMES_NONE. */
size_t names_find(const struct names *names, const char *name);

#endif
