/*
 * Invariants of one service's database, each a query for the rows that violate it: for operators
 * (`product-service --check`, docs/OPERATIONS.md).
 */
#ifndef RESPONDER_CHECK_H
#define RESPONDER_CHECK_H

#include "base/base.h"
#include "storage/db.h"

struct check {
	const char *rule; /* "stock-adds-up" */
	/* Returns a row per violation: the id of the offending row, and a sentence. */
	const char *sql;
	bool dated;       /* $1 is the present time, in microseconds */
	bool sqlite_only; /* PostgreSQL has no such thing, or cannot get it wrong */
	bool postgres_only;
};

/* Dated checks report work that should have ended this many microseconds ago; for their SQL. */
#define CHECK_PATIENCE "300000000"

/* Called for each violation; the texts are valid during the call only. */
typedef void check_visitor(void *context, const char *rule, const char *id, const char *text);

/* What must hold between the service's database and a sibling's, and be true of any two snapshots
 * of them: this one's is taken first. */
struct sibling_check {
	const char *setting; /* names the sibling's database; without it nothing is compared */
	/* As check_run(). */
	int64_t (*run)(struct db *db, struct db *sibling, check_visitor *visit, void *context);
};

/*
 * Runs the service's checks and those that all services share, on one snapshot, without writing.
 * Returns the number of violations, or an error of the store.
 */
int64_t check_run(struct db *db, const struct check *checks, size_t count, int64_t now,
		  check_visitor *visit, void *context);

#endif
