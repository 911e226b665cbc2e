/*
 * Counts the rows of a large table by statements that each count a piece: of millions a single one
 * would take longer than PostgreSQL lets it.
 */
#ifndef STORAGE_COUNT_H
#define STORAGE_COUNT_H

#include "storage/conn.h"

/* A piece of a table that has an index of its column created_at (above 0). */
#define DB_COUNT_PIECE(table)                                                                      \
	"SELECT count(*), coalesce(max(created_at), 0) FROM (SELECT created_at FROM " table        \
	" WHERE created_at > $1 ORDER BY created_at LIMIT $2) AS counted"

/* How many there are, but for a few of the same microsecond; counts no further than limit. piece is
 * a DB_COUNT_PIECE(). On a connection of a read or transaction; its errors are those of db_query().
 */
MUST_CHECK int db_count(struct db_conn *conn, const char *piece, int64_t limit, int64_t *ret_count);

#endif
