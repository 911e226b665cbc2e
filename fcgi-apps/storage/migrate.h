/* Brings a database to the version of the binary. */
#ifndef STORAGE_MIGRATE_H
#define STORAGE_MIGRATE_H

#include "storage/driver.h"

/*
 * Applies the missing migrations under the migration lock, each in a transaction of its own (for a
 * new database all in one). Programs that use the database meanwhile wait for one migration at
 * most. A migration that meets a deadlock is run again a few times. -EINVAL: the list has gaps, or
 * the database is newer than the list or has other migrations (another service's); or the store's
 * errors. reterr_message gets a message for the operator.
 */
MUST_CHECK int migrate(struct db_conn *conn, const struct db_migration *migrations, size_t count,
		       char *reterr_message, size_t error_size);

/* Checks that the database has exactly this version, and changes nothing. Errors as above, and
 * -EINVAL if a migration is missing. */
MUST_CHECK int migrate_compare(struct db_conn *conn, const struct db_migration *migrations,
			       size_t count, char *reterr_message, size_t error_size);

#endif
