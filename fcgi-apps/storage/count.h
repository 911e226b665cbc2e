/*
 * Counts the rows of a large table piece by piece: a single statement over millions of rows would
 * take longer than PostgreSQL's statement time-out permits.
 */
#ifndef STORAGE_COUNT_H
#define STORAGE_COUNT_H

#include "storage/conn.h"

/* A piece of a table that has an index of its column created_at (above 0). */
#define DB_COUNT_PIECE(table)                                                                      \
	"SELECT count(*), coalesce(max(created_at), 0) FROM (SELECT created_at FROM " table        \
	" WHERE created_at > $1 ORDER BY created_at LIMIT $2) AS counted"

/* Counts the rows, but no further than limit; rows made in the same microsecond may count as one.
 * piece is a DB_COUNT_PIECE(). On a connection of a read or transaction; errors as db_query(). */
MUST_CHECK int db_count(struct db_conn *conn, const char *piece, int64_t limit, int64_t *ret_count);

#endif
