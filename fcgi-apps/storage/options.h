/* How a store is opened (db.h), and the steps of a service's schema. */
#ifndef STORAGE_OPTIONS_H
#define STORAGE_OPTIONS_H

#include "storage/conn.h"

/* One step of a service's schema. Versions start at 1 and have no gaps. Each text may have several
 * statements, or be NULL; a dialect's text runs after the common one. */
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
	/* Microseconds for which db_open() keeps trying to reach a server; 0: one try. */
	int64_t connect_patience;
	size_t queue_limit; /* the most jobs that may wait for the writer; beyond it -EAGAIN */
	bool single_commit; /* commit each job on its own: for measurements */
	bool session;       /* db_session() will be used; not with read_only */
	/* For inspecting a store that other processes use: nothing is created, migrated or written,
	 * and the schema must be exactly this program's (-EINVAL); without migrations it may be
	 * any. Only db_read, db_ping and db_close may be called. */
	bool read_only;
	/* Runs once in every transaction, after all jobs of its group and before the commit: for
	 * work that is cheaper for many changes at once. If it fails, the group fails. NULL: none.
	 */
	db_function *before_commit; /* its argument is NULL */
	const struct db_migration *migrations;
	size_t migration_count;
};

#endif
