/* Moving a store to PostgreSQL. */
#ifndef STORAGE_COPY_H
#define STORAGE_COPY_H

#include "storage/db.h"

/*
 * Copies every row of one snapshot of the source into the target, table by table, in one
 * transaction of the target: all or nothing. Both have the same migrations. Generated columns, and
 * tables and columns with the comment 'derived', are not copied: the target makes them itself.
 * Identity columns continue after the highest copied number.
 *
 * The target must be PostgreSQL (-EINVAL) and empty (-EEXIST). Its tables are locked meanwhile, so
 * no one else writes to them. -EIO: a table of the target has another number of rows than the
 * source's; also the errors of both stores. After a lost connection (-EHOSTDOWN) it is unknown
 * whether the copy was made. reterr_message gets a message for the operator, ret_rows the number of
 * rows copied. Open both stores with a busy_timeout that is long enough for one statement on a
 * large table.
 */
MUST_CHECK int db_copy(struct db *source, struct db *target, int64_t *ret_rows,
		       char *reterr_message, size_t error_size);

#endif
