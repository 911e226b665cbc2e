#include "storage/postgres.h"

#include <inttypes.h>

#include "base/clock.h"

/* After one lost connection, other processes may have lost theirs and not know it yet. They notice
 * within the time that a request may spend between two transactions. */
#define GRACE (5 * CLOCK_SECOND)

/* Every writing connection takes the shared lock before it writes its first lease, so one
 * connection is enough to keep the session. A replaced connection takes it again. */
void postgres_session_lock(const struct postgres_server *server, enum db_role role, char *ret_sql,
			   size_t size)
{
	*ret_sql = '\0';
	if (server->session && role == DB_WRITER)
		snprintf(ret_sql, size, ", pg_advisory_lock_shared(%" PRId64 ")", server->session);
}

int64_t postgres_session(struct db_conn *conn)
{
	const struct postgres_conn *self = postgres_conn(conn);
	return self->pooled ? 0 : self->server->session;
}

int postgres_session_ended(struct db_conn *conn, int64_t session)
{
	const struct postgres_conn *self = postgres_conn(conn);
	int64_t locks = 0;
	int64_t regained_at = atomic_load(&self->server->regained_at);
	if (regained_at && clock_monotonic() - regained_at < GRACE)
		return 0;
	/* pg_locks shows a 64-bit key as two halves (PostgreSQL documentation, pg_locks). */
	int r = db_query_int(conn,
			     "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
			     " AND objsubid = 1 AND granted AND database ="
			     "  (SELECT oid FROM pg_database WHERE datname = current_database())"
			     " AND classid = ($1::bigint >> 32)::oid"
			     " AND objid = ($1::bigint & 4294967295)::oid",
			     DB_VALUES(db_int(session)), &locks);
	return r < 0 ? r : locks == 0;
}
