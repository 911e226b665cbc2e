/*
 * Prepared statements of one connection, by SQL text: at most STATEMENTS_MAX; the least recently
 * used is dropped first. Not thread-safe.
 *
 * A driver embeds struct statement in its own and calls statements_find. If that finds nothing, or
 * a statement in use, the driver prepares one and passes it to statements_keep.
 */
#ifndef STORAGE_STATEMENTS_H
#define STORAGE_STATEMENTS_H

#include "base/base.h"

#define STATEMENTS_MAX  64
#define STATEMENT_SLOTS 128

struct statement {
	char *sql;   /* malloc'd by the driver and freed by it */
	bool in_use; /* set by the driver: must be neither evicted nor used twice */
	bool kept;
	uint32_t hash;
	struct statement *chain;         /* the next one in its bucket */
	struct statement *newer, *older; /* by last use */
};

struct statements {
	void (*free)(struct statement *statement);
	size_t count;
	struct statement *newest, *oldest;
	struct statement *buckets[STATEMENT_SLOTS];
	/* The last statement found for a text at that address (a guess, checked by comparing):
	 * saves hashing string literals. */
	struct statement *addresses[STATEMENT_SLOTS];
};

void statements_init(struct statements *statements, void (*destroy)(struct statement *statement));

/* Frees all, used or not. */
void statements_release(struct statements *statements);

/* NULL: there is none. */
struct statement *statements_find(struct statements *statements, const char *sql);

/* Keeps a new statement, and evicts another one if necessary. False: an equal one is kept already,
 * or all others are in use; the statement remains the caller's. */
bool statements_keep(struct statements *statements, struct statement *statement);

/* Frees one that is kept. */
void statements_forget(struct statements *statements, struct statement *statement);

#endif
