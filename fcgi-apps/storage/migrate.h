/* Brings a database to the version of the binary. */
#ifndef STORAGE_MIGRATE_H
#define STORAGE_MIGRATE_H

#include "storage/driver.h"

/*
 * Applies what is missing, each migration in a transaction of its own (of a new database: all in
 * one), under the migration lock. What works with the database meanwhile waits for one migration at
 * most. One that the store gives up, in a deadlock, is run again a few times. -EINVAL for a list
 * with gaps and for a database that is newer than the list or has other migrations (another
 * service's); the store's errors. reterr_message gets a message for the operator.
 */
MUST_CHECK int migrate(struct db_conn *conn, const struct db_migration *migrations, size_t count,
		       char *reterr_message, size_t error_size);

/* Whether the database is just at that version, without changing it. Errors as above, and -EINVAL
 * where something is to be applied. */
MUST_CHECK int migrate_compare(struct db_conn *conn, const struct db_migration *migrations,
			       size_t count, char *reterr_message, size_t error_size);

#endif
