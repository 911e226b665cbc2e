#include "storage/count.h"

#define PIECE 100000

/* Moves *from to the last row that was counted. */
static int count_piece(struct db_conn *conn, const char *piece, int64_t *from, int64_t *ret_count)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, piece, DB_VALUES(db_int(*from), db_int(PIECE)), &rows);
	if (r)
		return r;
	*ret_count = db_column_int(rows, 0);
	*from = db_column_int(rows, 1);
	return 0;
}

int db_count(struct db_conn *conn, const char *piece, int64_t limit, int64_t *ret_count)
{
	int64_t from = 0;
	int64_t counted = PIECE;
	int64_t count = 0;
	while (counted == PIECE && count < limit) {
		int r = count_piece(conn, piece, &from, &counted);
		if (r < 0)
			return r;
		count += counted;
	}
	*ret_count = count < limit ? count : limit;
	return 0;
}
