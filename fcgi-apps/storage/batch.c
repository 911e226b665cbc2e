#include "storage/batch.h"

#include <assert.h>

static void tell(struct db_batched *read, int result)
{
	assert(read->state != DB_BATCHED_DONE);
	read->state = DB_BATCHED_DONE;
	read->done(read->argument, result);
}

/* -EHOSTDOWN: the connection is lost, and no statement of the batch will be answered. */
static int ask_all(struct db_conn *conn, struct db_batched *reads, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct db_statement *statement = &reads[i].statement;
		int r = conn->driver->ask(conn, statement->sql, statement->values,
					  statement->count);
		if (r == -EHOSTDOWN)
			return r;
		if (r > 0)
			reads[i].state = DB_BATCHED_ASKED;
	}
	return 0;
}

static int answer(struct db_conn *conn, struct db_batched *read)
{
	struct db_rows *rows;
	int r = db_answer(conn, &rows);
	if (r)
		return r;
	r = read->answer(read->argument, rows);
	db_rows_close(rows);
	tell(read, r);
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
	for (size_t i = 0; i < count; i++) {
		if (reads[i].state != DB_BATCHED_ASKED)
			continue;
		if (!error)
			error = answer(conn, &reads[i]);
		if (holds_for_all(conn, error))
			tell(&reads[i], error);
	}
}

int batch_read(struct db_conn *conn, void *argument)
{
	struct batch *batch = argument;
	batch->begun = true;
	int r = ask_all(conn, batch->reads, batch->count);
	answer_all(conn, batch->reads, batch->count, r);
	return 0;
}
