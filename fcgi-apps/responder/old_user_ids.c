#include "responder/old_user_ids.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "contract/schema_text.h"

/* Limits of a piece: ids to look at, ids to change, and rows to change. */
#define LOOKED_MAX  1000
#define CHANGED_MAX 100
#define ROWS_MAX    500

struct piece {
	const struct old_user_ids *ids;
	int64_t now;
	int64_t passes; /* 0: nothing to do now */
	char *from;     /* the id before the piece, and its last id */
	char *last;
	char *old[CHANGED_MAX]; /* ids in the piece that are not in normal form */
	size_t old_count;
	bool end; /* there is no id after it */
	bool cut; /* more rows must be changed before the next piece */
};

static void piece_clear(struct piece *piece)
{
	free(piece->from);
	free(piece->last);
	for (size_t i = 0; i < piece->old_count; i++)
		free(piece->old[i]);
	*piece = (struct piece){.ids = piece->ids, .now = piece->now};
}

/* Writes the new id. 1; 0: the id stays; or -ENOMEM. */
static int renew(const struct old_user_ids *ids, const char *old, struct text *out)
{
	schema_text_renew(old, strlen(old), false, out);
	if (text_error(out))
		return text_error(out);
	return out->length > 0 && utf8_count(out->data, out->length) <= ids->longest &&
	       strcmp(text_string(out), old) != 0;
}

static int replace(char **text, const char *with)
{
	char *copy = with ? strdup(with) : NULL;

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

static int look_at(struct piece *piece, const char *id)
{
	struct text renewed CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	int r = replace(&piece->last, id);

	if (r == 0)
		r = renew(piece->ids, piece->last, &renewed);
	if (r <= 0)
		return r;
	piece->old[piece->old_count] = strdup(piece->last);
	return piece->old[piece->old_count++] ? 0 : -ENOMEM;
}

/* Finds where the piece begins. 1, or 0 if there is nothing to do now. */
static int find_place(struct db_conn *conn, struct piece *piece)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, "SELECT passes, last_id FROM old_user_ids WHERE due <= $1",
			     DB_VALUES(db_int(piece->now)), &rows);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	piece->passes = db_column_int(rows, 0);
	r = replace(&piece->from, db_column_text(rows, 1, NULL));
	return r < 0 ? r : 1;
}

static int walk(struct db_conn *conn, void *argument)
{
	struct piece *piece = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int64_t looked = 0;

	piece_clear(piece);
	int r = find_place(conn, piece);

	if (r <= 0)
		return r;
	r = db_query(conn, piece->ids->walk, DB_VALUES(db_text(piece->from), db_int(LOOKED_MAX)),
		     &rows);
	while (r >= 0 && piece->old_count < CHANGED_MAX && (r = db_next(rows)) > 0) {
		r = look_at(piece, db_column_text(rows, 0, NULL));
		looked++;
	}
	piece->end = r == 0 && piece->old_count < CHANGED_MAX && looked < LOOKED_MAX;
	return r < 0 ? r : 0;
}

/* Changes at most limit rows; returns how many. */
static int64_t change(struct db_conn *conn, const struct piece *piece, const char *old,
		      int64_t limit)
{
	struct text renewed CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	int r = renew(piece->ids, old, &renewed);

	if (r < 0)
		return r;
	return db_run(conn,
		      db_dialect(conn) == DB_POSTGRES ? piece->ids->postgres_change
						      : piece->ids->sqlite_change,
		      DB_VALUES(db_text(old), db_text(text_string(&renewed)), db_int(limit),
				db_int(piece->now)));
}

/* If another replica came first, there is nothing to record. */
static int64_t note(struct db_conn *conn, const struct piece *piece)
{
	if (!piece->end)
		return db_run(conn,
			      "UPDATE old_user_ids SET last_id = $3"
			      " WHERE passes = $1 AND last_id = $2",
			      DB_VALUES(db_int(piece->passes), db_text(piece->from),
					db_text(piece->last)));
	if (piece->passes == 1)
		return db_run(conn, "DELETE FROM old_user_ids WHERE passes = 1", DB_NO_VALUES);
	return db_run(conn,
		      "UPDATE old_user_ids SET passes = passes - 1, due = $2, last_id = ''"
		      " WHERE passes = $1",
		      DB_VALUES(db_int(piece->passes), db_int(piece->now + OLD_USER_IDS_PAUSE)));
}

static int store(struct db_conn *conn, void *argument)
{
	struct piece *piece = argument;
	int64_t left = ROWS_MAX;

	for (size_t i = 0; i < piece->old_count && left > 0; i++) {
		int64_t changed = change(conn, piece, piece->old[i], left);

		if (changed < 0)
			return (int)changed;
		left -= changed;
	}
	piece->cut = left <= 0;
	int64_t r = piece->cut ? 0 : note(conn, piece);

	return r < 0 ? (int)r : 0;
}

static int renew_piece(struct db *db, struct piece *piece)
{
	int r = db_read(db, walk, piece);

	if (r < 0 || piece->passes == 0)
		return r;
	r = db_transaction(db, store, piece);
	if (r < 0)
		return r;
	if (piece->end && !piece->cut)
		log_write(LOG_INFO, "all user ids are in normal form");
	return piece->cut || !piece->end;
}

int old_user_ids_renew_some(struct db *db, const struct old_user_ids *ids, int64_t now)
{
	struct piece piece CLEANUP(piece_clear) = {.ids = ids, .now = now};

	return renew_piece(db, &piece);
}

bool old_user_ids_renew(struct runtime *runtime, const struct old_user_ids *ids)
{
	int r = old_user_ids_renew_some(runtime->db, ids, clock_now());

	if (r < 0)
		log_write(LOG_WARN, "cannot bring user ids into normal form", log_error_code(r));
	return r > 0;
}
