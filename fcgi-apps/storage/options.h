/* What a store is opened with (db.h), and the steps of a service's schema. */
#ifndef STORAGE_OPTIONS_H
#define STORAGE_OPTIONS_H

#include "storage/conn.h"

/* One step of a service's schema. Versions start at 1 and have no gaps. The texts may hold
 * several statements; a dialect's own text runs after the common one; each may be NULL. */
struct db_migration {
	int version;
	const char *name;
	const char *sql;
	const char *sqlite;
	const char *postgres;
};

struct db_options {
	const char *url;
	size_t readers;       /* connections for db_read, 1..64 */
	int64_t busy_timeout; /* microseconds to wait for a lock or a free connection */
	/* Microseconds for which opening goes on trying to reach a server; 0: one try. */
	int64_t connect_patience;
	size_t queue_limit; /* jobs waiting for the writer; beyond it -EAGAIN */
	bool single_commit; /* commit each job on its own: for measurements */
	bool session;       /* what db_session() tells is wanted; not with read_only */
	/* For looking at a store that others work with: nothing is created, migrated or written,
	 * and the schema must be just this program's (-EINVAL). Only db_read, db_ping and db_close
	 * may be called. */
	bool read_only;
	/* Runs in every transaction once more, before its commit, after all jobs of its group: for
	 * work that is cheaper for many changes at once. Its failure fails the group. NULL: none.
	 */
	db_function *before_commit; /* its argument is NULL */
	const struct db_migration *migrations;
	size_t migration_count;
};

#endif
