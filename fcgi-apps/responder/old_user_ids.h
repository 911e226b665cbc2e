/*
 * Brings stored user ids into normal form (contract/schema_text.h). Rows that are older than that
 * form, or come from a replica of an older version, may lack it, and requests, which are
 * normalized, would not find them. An id that would become empty, or longer than a request may
 * send, stays as it is.
 *
 * A pass walks over the distinct ids along an index, in pieces: a read, then a transaction that
 * changes some rows and stores its position. So a new process continues where the last one ended,
 * and several replicas may work at once.
 */
#ifndef RESPONDER_OLD_USER_IDS_H
#define RESPONDER_OLD_USER_IDS_H

#include "responder/service.h"

/*
 * The table's migration text; there is nothing to do if the table of rows is empty. Passes: if
 * replicas of an earlier version may write meanwhile, a second pass follows OLD_USER_IDS_PAUSE
 * after the first.
 */
#define OLD_USER_IDS_PAUSE (60 * 60 * CLOCK_SECOND)
#define OLD_USER_IDS_SCHEMA(rows, passes)                                                          \
	"CREATE TABLE old_user_ids ("                                                              \
	" passes BIGINT NOT NULL PRIMARY KEY,"                                                     \
	" due BIGINT NOT NULL,"                                                                    \
	" last_id TEXT NOT NULL);"                                                                 \
	"INSERT INTO old_user_ids SELECT " passes ", 0, '' WHERE EXISTS (SELECT 1 FROM " rows ");"

/* A query's text for the distinct ids after $1 in their order, $2 at most, by one seek each: rows
 * are a table and a condition that the index has. */
#define OLD_USER_IDS_WALK(rows)                                                                    \
	"WITH RECURSIVE ids (user_id) AS ("                                                        \
	"SELECT (SELECT user_id FROM " rows " AND user_id > $1 ORDER BY user_id LIMIT 1)"          \
	" UNION ALL SELECT (SELECT user_id FROM " rows " AND user_id > ids.user_id"                \
	"  ORDER BY user_id LIMIT 1) FROM ids WHERE ids.user_id IS NOT NULL)"                      \
	" SELECT user_id FROM ids WHERE user_id IS NOT NULL LIMIT $2"

struct old_user_ids {
	const char *walk;
	/* Changes the user $1 to $2 in at most $3 rows, at the time $4. */
	const char *sqlite_change;
	const char *postgres_change;
	size_t longest; /* id, in characters */
};

/* For a task: does one piece. True: there is more to do now. */
bool old_user_ids_renew(struct runtime *runtime, const struct old_user_ids *ids);

/* The same without logging. 1, 0, or an error of the store. */
int old_user_ids_renew_some(struct db *db, const struct old_user_ids *ids, int64_t now);

#endif
