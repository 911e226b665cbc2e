#include "contract/names.h"

#include <assert.h>

struct name_slot {
	const char *name; /* NULL: free */
	size_t value;
	uint32_t hash;
};

/* FNV-1a: the names that are stored come from the document, so nobody can choose collisions. */
static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261u;

	for (const unsigned char *byte = (const unsigned char *)name; *byte; byte++)
		hash = (hash ^ *byte) * 16777619u;
	return hash;
}

/* The slot that holds the name, or the free one where it belongs. */
static struct name_slot *find_slot(const struct names *names, const char *name, uint32_t hash)
{
	size_t position = hash & names->mask;

	for (;; position = (position + 1) & names->mask) {
		struct name_slot *slot = &names->slots[position];

		if (!slot->name || (slot->hash == hash && strcmp(slot->name, name) == 0))
			return slot;
	}
}

int names_init(struct names *names, size_t capacity)
{
	size_t size = 2;

	while (size < capacity * 2)
		size *= 2;
	names->slots = calloc(size, sizeof(*names->slots));
	if (!names->slots)
		return -ENOMEM;
	names->mask = size - 1;
	names->count = 0;
	return 0;
}

void names_release(struct names *names)
{
	free(names->slots);
	*names = (struct names){0};
}

int names_add(struct names *names, const char *name, size_t value)
{
	uint32_t hash = hash_name(name);
	struct name_slot *slot;

	assert(names->slots && names->count * 2 <= names->mask);
	slot = find_slot(names, name, hash);
	if (slot->name)
		return -EEXIST;
	*slot = (struct name_slot){.name = name, .value = value, .hash = hash};
	names->count++;
	return 0;
}

size_t names_find(const struct names *names, const char *name)
{
	const struct name_slot *slot;

	if (!names->slots)
		return NAMES_NONE;
	slot = find_slot(names, name, hash_name(name));
	return slot->name ? slot->value : NAMES_NONE;
}
