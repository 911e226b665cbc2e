#include "storage/batch.h"

#include <assert.h>

static void tell(struct db_batched *read, int result)
{
	assert(read->state != DB_BATCHED_DONE);
	read->state = DB_BATCHED_DONE;
	read->done(read->argument, result);
}

static int call(struct db_conn *conn, const struct db_batched *read)
{
	conn->asked = false;
	return db_call(conn, read->function, read->argument);
}

/* -EHOSTDOWN: the connection is lost, and no statement of the batch will be answered. */
static int ask_all(struct db_conn *conn, struct db_batched *reads, size_t count)
{
	int r = 0;
	conn->batch = DB_ASKING;
	for (size_t i = 0; i < count && r != -EHOSTDOWN; i++) {
		r = call(conn, &reads[i]);
		if (conn->asked)
			reads[i].state = DB_BATCHED_ASKED;
		else if (r != -EINPROGRESS && r != -EHOSTDOWN)
			tell(&reads[i], r); /* it ended without a query */
	}
	return r == -EHOSTDOWN ? r : 0;
}

static int answer(struct db_conn *conn, struct db_batched *read)
{
	int r = conn->driver->answer(conn, &conn->ready);
	if (r)
		return r;
	conn->ready->conn = conn;
	int outcome = call(conn, read);
	if (conn->ready)
		conn->driver->rows_close(conn->ready);
	conn->ready = NULL;
	tell(read, outcome);
	return 0;
}

static bool holds_for_all(const struct db_conn *conn, int error)
{
	return error == -EHOSTDOWN || (error == -EAGAIN && conn->waited);
}

/* Each read gets its own error. The server skips the statements behind a failed one, so those are
 * read again alone, unless the error (a lost server, a time-out) would hold for them too. */
static void answer_all(struct db_conn *conn, struct db_batched *reads, size_t count, int error)
{
	conn->batch = DB_ANSWERING;
	for (size_t i = 0; i < count; i++) {
		if (reads[i].state != DB_BATCHED_ASKED)
			continue;
		if (!error)
			error = answer(conn, &reads[i]);
		if (holds_for_all(conn, error))
			tell(&reads[i], error);
	}
}

void batch_read(struct pool *pool, struct db_batched *reads, size_t count)
{
	struct db_conn *conn;
	int r = pool_take(pool, &conn);
	if (!r) {
		r = conn->driver->begin(conn, DB_BEGIN_READ);
		if (!r) {
			int asked = ask_all(conn, reads, count);
			answer_all(conn, reads, count, asked);
			conn->batch = DB_ALONE;
			db_end_reading(conn);
		}
		pool_return(pool, conn);
	}
	for (size_t i = 0; r && i < count; i++)
		tell(&reads[i], r);
}
