#include "storage/statements.h"

static uint32_t hash_text(const char *text)
{
	/* FNV-1a, 32 bits */
	uint32_t hash = 2166136261U;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash;
}

static size_t address_slot(const char *text)
{
	/* Fibonacci hashing, because literals have addresses close together. */
	return (size_t)(((uint64_t)(uintptr_t)text * UINT64_C(0x9E3779B97F4A7C15)) >> 32) %
	       STATEMENT_SLOTS;
}

static struct statement **bucket_of(struct statements *statements, uint32_t hash)
{
	return &statements->buckets[hash % ARRAY_SIZE(statements->buckets)];
}

static void unlink_use(struct statements *statements, struct statement *statement)
{
	if (statement->newer)
		statement->newer->older = statement->older;
	else
		statements->newest = statement->older;
	if (statement->older)
		statement->older->newer = statement->newer;
	else
		statements->oldest = statement->newer;
}

static void link_newest(struct statements *statements, struct statement *statement)
{
	statement->newer = NULL;
	statement->older = statements->newest;
	if (statements->newest)
		statements->newest->newer = statement;
	else
		statements->oldest = statement;
	statements->newest = statement;
}

static void touch(struct statements *statements, struct statement *statement)
{
	if (statements->newest == statement)
		return;
	unlink_use(statements, statement);
	link_newest(statements, statement);
}

static struct statement *find_hashed(struct statements *statements, const char *sql, uint32_t hash)
{
	struct statement *found = *bucket_of(statements, hash);
	while (found && (found->hash != hash || strcmp(found->sql, sql) != 0))
		found = found->chain;
	return found;
}

void statements_forget(struct statements *statements, struct statement *statement)
{
	struct statement **link = bucket_of(statements, statement->hash);
	while (*link != statement)
		link = &(*link)->chain;
	*link = statement->chain;
	for (size_t i = 0; i < ARRAY_SIZE(statements->addresses); i++)
		if (statements->addresses[i] == statement)
			statements->addresses[i] = NULL;
	unlink_use(statements, statement);
	statements->count--;
	statements->free(statement);
}

void statements_init(struct statements *statements, void (*destroy)(struct statement *statement))
{
	*statements = (struct statements){.free = destroy};
}

void statements_release(struct statements *statements)
{
	while (statements->oldest)
		statements_forget(statements, statements->oldest);
}

struct statement *statements_find(struct statements *statements, const char *sql)
{
	struct statement **guess = &statements->addresses[address_slot(sql)];
	struct statement *found = *guess;
	if (!found || strcmp(found->sql, sql) != 0) {
		found = find_hashed(statements, sql, hash_text(sql));
		if (!found)
			return NULL;
		*guess = found;
	}
	touch(statements, found);
	return found;
}

bool statements_keep(struct statements *statements, struct statement *statement)
{
	statement->hash = hash_text(statement->sql);
	if (find_hashed(statements, statement->sql, statement->hash))
		return false;
	if (statements->count == STATEMENTS_MAX) {
		struct statement *victim = statements->oldest;
		while (victim && victim->in_use)
			victim = victim->newer;
		if (!victim)
			return false;
		statements_forget(statements, victim);
	}
	struct statement **bucket = bucket_of(statements, statement->hash);
	statement->chain = *bucket;
	*bucket = statement;
	link_newest(statements, statement);
	statement->kept = true;
	statements->count++;
	return true;
}
