#include "product/word_index.h"

#include "base/log.h"
#include "product/old_texts.h"
#include "product/words.h"

/* A description: 5,000 characters, each paired with the next. */
#define FIELD_MAX (256u << 10)

#define TEXTS "sku, name, category, tags, description"

enum field { FIELD_SKU, FIELD_NAME, FIELD_LABELS, FIELD_DESCRIPTION, FIELD_COUNT };

struct fields {
	struct text words[FIELD_COUNT];
};

static void fields_init(struct fields *fields)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		text_init(&fields->words[i], FIELD_MAX);
}

static void fields_release(struct fields *fields)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		text_release(&fields->words[i]);
}

static void add(struct fields *fields, enum field field, const char *text)
{
	if (text)
		words_of_text(&fields->words[field], text, strlen(text));
}

/* tags is JSON text, but what JSON adds or escapes is never part of a word. */
static void add_texts(struct fields *fields, const char *sku, const char *name,
		      const char *category, const char *tags, const char *description)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		text_reset(&fields->words[i]);
	add(fields, FIELD_SKU, sku);
	add(fields, FIELD_NAME, name);
	add(fields, FIELD_LABELS, category);
	add(fields, FIELD_LABELS, tags);
	add(fields, FIELD_DESCRIPTION, description);
}

static int fields_error(const struct fields *fields)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (text_error(&fields->words[i]) < 0)
			return text_error(&fields->words[i]);
	}
	return 0;
}

/* "word:12A " for each word. Places run on through all fields, as when vectors are concatenated. */
static void append_entries(struct text *out, const struct text *words, char weight, int64_t *place)
{
	const char *word = text_string(words);

	while (*word) {
		size_t length = strcspn(word, " ");

		text_append(out, word, length);
		text_append_char(out, ':');
		text_append_int(out, ++*place);
		text_append_char(out, weight);
		text_append_char(out, ' ');
		word += length;
		word += *word == ' ';
	}
}

static void append_vector(struct text *out, const struct fields *fields)
{
	int64_t place = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++)
		append_entries(out, &fields->words[i], "ABCD"[i], &place);
	if (fields_error(fields) < 0 && !out->error)
		out->error = fields_error(fields);
}

void word_index_vector(struct text *out, const struct product_input *input, const char *tags)
{
	struct fields fields CLEANUP(fields_release) = {0};

	fields_init(&fields);
	add_texts(&fields, input->sku, input->name, input->category, tags, input->description);
	append_vector(out, &fields);
}

/* The row begins like OLD_TEXTS_COLUMNS: seq, TEXTS, id. */
static void read_texts(struct fields *fields, struct db_rows *row)
{
	add_texts(fields, db_column_text(row, 1, NULL), db_column_text(row, 2, NULL),
		  db_column_text(row, 3, NULL), db_column_text(row, 4, NULL),
		  db_column_text(row, 5, NULL));
}

static int store_in_column(struct db_conn *conn, int64_t seq, const struct fields *fields)
{
	struct text vector CLEANUP(text_release) = TEXT_INIT(WORD_INDEX_VECTOR_MAX);

	append_vector(&vector, fields);
	int r = text_error(&vector);
	if (r < 0)
		return r;
	return db_post(conn,
		       "UPDATE products SET search = $2::tsvector"
		       " WHERE seq = $1 AND search IS DISTINCT FROM $2::tsvector",
		       DB_VALUES(db_int(seq), db_bytes(text_string(&vector), vector.length)),
		       DB_ANY_ROWS);
}

static int store_in_table(struct db_conn *conn, int64_t seq, const struct fields *fields)
{
	const struct text *words = fields->words;
	int r = fields_error(fields);

	if (r < 0)
		return r;
	return (int)db_run(conn,
			   "INSERT OR REPLACE INTO product_search"
			   " (rowid, sku, name, labels, description) VALUES ($1, $2, $3, $4, $5)",
			   DB_VALUES(db_int(seq), db_text(text_string(&words[FIELD_SKU])),
				     db_text(text_string(&words[FIELD_NAME])),
				     db_text(text_string(&words[FIELD_LABELS])),
				     db_text(text_string(&words[FIELD_DESCRIPTION]))));
}

static int store(struct db_conn *conn, struct db_rows *row, struct fields *fields)
{
	int r;

	read_texts(fields, row);
	if (db_dialect(conn) == DB_POSTGRES)
		r = store_in_column(conn, db_column_int(row, 0), fields);
	else
		r = store_in_table(conn, db_column_int(row, 0), fields);
	if (r == -EMSGSIZE) {
		log_write(LOG_WARN, "a product's texts are too long for the index of words",
			  log_text("product.id", db_column_text(row, OLD_TEXTS_ID, NULL)));
		return 0;
	}
	return r < 0 ? r : 0;
}

/* ---- SQLite: the group's changes ---- */

/* The name is NULL if the product is gone or deleted. */
static int follow(struct db_conn *conn, struct db_rows *rows)
{
	struct fields fields CLEANUP(fields_release) = {0};
	int r;

	fields_init(&fields);
	while ((r = db_next(rows)) > 0) {
		int64_t done;

		if (db_column_is_null(rows, 2))
			done = db_run(conn, "DELETE FROM product_search WHERE rowid = $1",
				      DB_VALUES(db_int(db_column_int(rows, 0))));
		else
			done = store(conn, rows, &fields);
		if (done < 0)
			return (int)done;
	}
	return r;
}

int word_index_update(struct db_conn *conn, void *unused UNUSED)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int64_t changed = 0;

	if (db_dialect(conn) != DB_SQLITE)
		return 0;
	/* FTS5 stores rows that come in ascending order in one piece. */
	int r = db_query(conn,
			 "SELECT changes.seq, " TEXTS ", id"
			 " FROM (SELECT DISTINCT seq FROM product_search_changes) AS changes"
			 " LEFT JOIN products ON products.seq = changes.seq AND deleted_at IS NULL"
			 " ORDER BY changes.seq",
			 DB_NO_VALUES, &rows);
	if (r == 0)
		r = follow(conn, rows);
	db_rows_close(rows);
	rows = NULL;
	if (r == 0)
		changed = db_run(conn, "DELETE FROM product_search_changes", DB_NO_VALUES);
	return changed < 0 ? (int)changed : r;
}

/* ---- both: products without words ---- */

/* 1: the texts changed, and the triggers noted that the words must follow. SQLite's table has no
 * words of deleted products. */
static int renew(struct db_conn *conn, struct db_rows *row, struct fields *fields)
{
	int r = old_texts_renew(conn, row);

	if (r != 0 ||
	    (db_dialect(conn) == DB_SQLITE && !db_column_is_null(row, OLD_TEXTS_DELETED_AT)))
		return r;
	return store(conn, row, fields);
}

/* Normalises the texts of the products that the query finds (OLD_TEXTS_COLUMNS), stores their
 * words, and runs forget, if given, for each. Returns how many. */
static int store_found(struct db_conn *conn, const char *sql, const struct db_value *values,
		       size_t count, const char *forget, int64_t *ret_lowest)
{
	struct fields fields CLEANUP(fields_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int found = 0;
	int r = db_query(conn, sql, values, count, &rows);

	fields_init(&fields);
	while (r >= 0 && (r = db_next(rows)) > 0) {
		int64_t seq = db_column_int(rows, 0);

		r = renew(conn, rows, &fields);
		if (r == 0 && forget)
			r = db_post(conn, forget, DB_VALUES(db_int(seq)), DB_ANY_ROWS);
		if (found++ == 0 || seq < *ret_lowest)
			*ret_lowest = seq;
	}
	return r < 0 ? r : found;
}

/* The lock order of orders. */
#define LOCKED " ORDER BY id COLLATE \"C\" FOR UPDATE"

/* Products written by a replica that knows no words. */
static int store_due(struct db_conn *conn)
{
	int64_t lowest = 0;

	return store_found(conn,
			   "SELECT " OLD_TEXTS_COLUMNS " FROM products WHERE seq IN (SELECT seq"
			   "  FROM product_words_due ORDER BY seq"
			   "  LIMIT " QUOTE(WORD_INDEX_BATCH) ")" LOCKED,
			   DB_NO_VALUES, "DELETE FROM product_words_due WHERE seq = $1", &lowest);
}

/* Products up to top, which were stored before there were words. */
static int store_older(struct db_conn *conn, int64_t top)
{
	static const char sqlite_sql[] =
		"SELECT " OLD_TEXTS_COLUMNS " FROM products WHERE seq IN (SELECT seq FROM products"
		"  WHERE seq <= $1 ORDER BY seq DESC LIMIT " QUOTE(
			WORD_INDEX_BATCH) ") ORDER BY seq";
	static const char postgres_sql[] =
		"SELECT " OLD_TEXTS_COLUMNS " FROM products WHERE seq IN (SELECT seq FROM products"
		"  WHERE seq <= $1 ORDER BY seq DESC LIMIT " QUOTE(WORD_INDEX_BATCH) ")" LOCKED;
	int64_t lowest = 0;
	int found = store_found(conn, db_dialect(conn) == DB_POSTGRES ? postgres_sql : sqlite_sql,
				DB_VALUES(db_int(top)), NULL, &lowest);
	int64_t r = found;

	if (found > 0)
		r = db_run(conn, "UPDATE product_words_older SET top = $1",
			   DB_VALUES(db_int(lowest - 1)));
	else if (found == 0)
		r = db_run(conn, "DELETE FROM product_words_older", DB_NO_VALUES);
	if (found == 0 && r > 0)
		log_write(LOG_INFO, "all products have their words for search now");
	return r < 0 ? (int)r : found;
}

int word_index_catch_up_some(struct db_conn *conn, void *unused UNUSED)
{
	bool postgres = db_dialect(conn) == DB_POSTGRES;
	int64_t top;
	int r = postgres ? store_due(conn) : 0;

	if (r != 0)
		return r < 0 ? r : 1;
	/* Only one replica needs to do this. */
	r = db_query_int(conn,
			 postgres ? "SELECT top FROM product_words_older FOR UPDATE SKIP LOCKED"
				  : "SELECT top FROM product_words_older",
			 DB_NO_VALUES, &top);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = store_older(conn, top);
	return r < 0 ? r : r > 0;
}

bool word_index_catch_up(struct runtime *runtime, void *app UNUSED)
{
	int r = db_transaction(runtime->db, word_index_catch_up_some, NULL);

	if (r < 0)
		log_write(LOG_WARN, "cannot index the words of products", log_error_code(r));
	return r > 0;
}
