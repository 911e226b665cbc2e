/* Moving a store to PostgreSQL. */
#ifndef STORAGE_COPY_H
#define STORAGE_COPY_H

#include "storage/db.h"

/*
 * Copies every row of one snapshot of the source into the target, table by table, in one
 * transaction of the target's: all or nothing. Both have the same migrations; generated columns,
 * and tables and columns with the comment 'derived', are the target's own; identity columns go on
 * after the highest number copied.
 *
 * The target must be PostgreSQL (-EINVAL) and empty (-EEXIST); nobody else may write to its tables
 * meanwhile, they are locked. -EIO where a table has another number of rows afterwards than before;
 * the errors of both stores. A lost connection (-EHOSTDOWN) leaves open whether the copy was made.
 * reterr_message gets a message for the operator, ret_rows the number of rows copied. Both stores
 * should be opened with a busy_timeout that one statement over a large table fits in.
 */
MUST_CHECK int db_copy(struct db *source, struct db *target, int64_t *ret_rows,
		       char *reterr_message, size_t error_size);

#endif
