/*
 * Invariants that one service's database can show, each a query for what breaks it: for operators
 * (`product-service --check`, docs/OPERATIONS.md).
 */
#ifndef RESPONDER_CHECK_H
#define RESPONDER_CHECK_H

#include "base/base.h"
#include "storage/db.h"

struct check {
	const char *rule; /* "stock-adds-up" */
	/* Answers a row for each violation: the id of what breaks the rule, and in words how. */
	const char *sql;
	bool dated;       /* $1 is the present, in microseconds */
	bool sqlite_only; /* about what PostgreSQL has not, or cannot get wrong */
	bool postgres_only;
};

/* Microseconds after which what should have ended long ago is told; for the SQL of dated checks. */
#define CHECK_PATIENCE "300000000"

/* Hears of a violation; the texts are gone afterwards. */
typedef void check_visitor(void *context, const char *rule, const char *id, const char *text);

/*
 * Runs the service's checks and those that all services share, on one snapshot, without writing.
 * Returns the number of violations, or an error of the store.
 */
int64_t check_run(struct db *db, const struct check *checks, size_t count, int64_t now,
		  check_visitor *visit, void *context);

#endif
