#include "product/product_store.h"

#include "base/uuid.h"
#include "product/stock_store.h"
#include "product/tags_store.h"
#include "product/word_index.h"

/* Twenty tags of fifty characters, escaped. */
#define TAGS_TEXT_MAX 16384

/* A change of one product, in two forms: to be posted, and to return the row. */
struct change {
	const char *sql;
	const char *returning;
	int none; /* the error if no row was changed */
};

#define CHANGE(sql, none)                                                                          \
	{                                                                                          \
		sql, sql " RETURNING " PRODUCT_COLUMNS, none                                       \
	}

/* Without ret_rows the change is posted. */
static int change_row(struct db_conn *conn, const struct change *change,
		      const struct db_value *values, size_t count, struct db_rows **ret_rows)
{
	if (!ret_rows)
		return db_post(conn, change->sql, values, count, 1);
	int r = db_query_row(conn, change->returning, values, count, ret_rows);
	return r == -ENOENT ? change->none : r;
}

#define FIND "SELECT " PRODUCT_COLUMNS " FROM products WHERE id = $1 AND deleted_at IS NULL"

void product_ask(const char *id, struct db_statement *ret_statement)
{
	db_statement_set(ret_statement, FIND, DB_VALUES(db_text(id)));
}

int product_find(struct db_conn *conn, const char *id, struct db_rows **ret_rows)
{
	return db_query_row(conn, FIND, DB_VALUES(db_text(id)), ret_rows);
}

static int lock_product(struct db_conn *conn, const char *id)
{
	return db_lock(conn, "SELECT 1 FROM products WHERE id = $1 FOR UPDATE",
		       DB_VALUES(db_text(id)));
}

int product_find_to_change(struct db_conn *conn, const char *id, struct db_rows **ret_rows)
{
	int r = lock_product(conn, id);

	return r < 0 ? r : product_find(conn, id, ret_rows);
}

int product_find_any_to_change(struct db_conn *conn, const char *id, struct db_rows **ret_rows)
{
	int r = lock_product(conn, id);

	return r < 0 ? r
		     : db_query_row(conn, "SELECT " PRODUCT_COLUMNS " FROM products WHERE id = $1",
				    DB_VALUES(db_text(id)), ret_rows);
}

int product_find_sku(struct db_conn *conn, const char *sku, struct db_rows **ret_rows)
{
	return db_query_row(conn,
			    "SELECT " PRODUCT_COLUMNS
			    " FROM products WHERE sku = $1 AND deleted_at IS NULL",
			    DB_VALUES(db_text(sku)), ret_rows);
}

#define WITH_SKUS(list) " FROM products WHERE deleted_at IS NULL AND sku IN (SELECT " list ")"
#define LOCK_SKUS                                                                                  \
	WITH_SKUS("json_array_elements_text($1::json)") " ORDER BY id COLLATE \"C\" FOR UPDATE"

int product_find_skus(struct db_conn *conn, const struct text *skus, struct db_rows **ret_rows)
{
	static const char sqlite_sql[] =
		"SELECT " PRODUCT_COLUMNS WITH_SKUS("value FROM json_each($1)");
	static const char postgres_sql[] = "SELECT " PRODUCT_COLUMNS LOCK_SKUS;

	return db_query(conn, db_dialect(conn) == DB_POSTGRES ? postgres_sql : sqlite_sql,
			DB_VALUES(db_bytes(text_string(skus), skus->length)), ret_rows);
}

int product_lock_skus(struct db_conn *conn, const struct text *skus)
{
	return db_lock(conn, "SELECT 1" LOCK_SKUS,
		       DB_VALUES(db_bytes(text_string(skus), skus->length)));
}

/* The text members of a product, either from a row or from an input. */
struct texts {
	const char *name;
	const char *description;
	const char *sku;
	const char *category;
	const char *image_url;
	const char *tags;
};

/* Writes all texts in a form that is equal only for equal texts. */
static int append_texts(struct text *out, const struct texts *texts)
{
	const char *const all[] = {texts->name,     texts->description, texts->sku,
				   texts->category, texts->image_url,   texts->tags};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i])
			text_append(out, all[i], strlen(all[i]) + 1);
		else
			text_append_string(out, "\1");
	}
	return text_error(out);
}

static int read_texts(struct db_rows *row, struct text *out)
{
	const struct texts texts = {
		.name = db_column_text(row, PRODUCT_NAME, NULL),
		.description = db_column_text(row, PRODUCT_DESCRIPTION, NULL),
		.sku = db_column_text(row, PRODUCT_SKU, NULL),
		.category = db_column_text(row, PRODUCT_CATEGORY, NULL),
		.image_url = db_column_text(row, PRODUCT_IMAGE_URL, NULL),
		.tags = db_column_text(row, PRODUCT_TAGS, NULL),
	};

	text_init(out, TEXT_UNLIMITED);
	return append_texts(out, &texts);
}

static int64_t read_threshold(struct db_rows *row)
{
	return db_column_is_null(row, PRODUCT_LOW_STOCK_THRESHOLD)
		       ? -1
		       : db_column_int(row, PRODUCT_LOW_STOCK_THRESHOLD);
}

int product_current_read(struct db_rows *row, struct product_current *ret_current)
{
	size_t length = 0;
	const char *text = db_column_text(row, PRODUCT_TAGS, &length);
	struct json_error error;
	struct json *tags;

	if (!text)
		return -EIO;
	int r = json_parse(text, length, JSON_DEPTH_MAX, &tags, &error);
	if (r < 0)
		return r == -ENOMEM ? r : -EIO;
	*ret_current = (struct product_current){
		.version = db_column_int(row, PRODUCT_VERSION),
		.price = db_column_int(row, PRODUCT_PRICE),
		.inventory = db_column_int(row, PRODUCT_INVENTORY),
		.low_stock_threshold = read_threshold(row),
		.reserved = db_column_int(row, PRODUCT_RESERVED),
		.created_at = db_column_int(row, PRODUCT_CREATED_AT),
		.tags = tags,
	};
	r = read_texts(row, &ret_current->texts);
	if (r < 0)
		product_current_release(ret_current);
	return r;
}

void product_current_release(struct product_current *current)
{
	json_free(current->tags);
	current->tags = NULL;
	text_release(&current->texts);
}

static int print_tags(const struct json *tags, struct text *out)
{
	if (tags)
		json_print(tags, out);
	else
		text_append_string(out, "[]");
	return text_error(out);
}

static struct db_value threshold_value(const struct product_input *input)
{
	return input->low_stock_threshold < 0 ? db_null() : db_int(input->low_stock_threshold);
}

/* What is derived from an input: its tags as JSON, and its words if the store has a column for
 * them. */
struct derived {
	struct text tags;
	struct text words;
};

static void derived_release(struct derived *derived)
{
	text_release(&derived->tags);
	text_release(&derived->words);
}

static int derive(struct db_conn *conn, const struct product_input *input, struct derived *derived)
{
	text_init(&derived->tags, TAGS_TEXT_MAX);
	text_init(&derived->words, WORD_INDEX_VECTOR_MAX);
	int r = print_tags(input->tags, &derived->tags);
	if (r < 0 || db_dialect(conn) != DB_POSTGRES)
		return r;
	word_index_vector(&derived->words, input, text_string(&derived->tags));
	return text_error(&derived->words);
}

/* Runs a change whose last value is the words. Only PostgreSQL takes that value. */
static int change_texts(struct db_conn *conn, const struct change changes[2],
			const struct db_value *values, size_t count, struct db_rows **ret_rows)
{
	if (db_dialect(conn) == DB_POSTGRES)
		return change_row(conn, &changes[DB_POSTGRES], values, count, ret_rows);
	return change_row(conn, &changes[DB_SQLITE], values, count - 1, ret_rows);
}

/* For SQLite: rules are checked before the first write, so a row is never half changed, and SQLite
 * need not keep anything to undo the statement (migrations.c). */
#define OR_FAIL " OR FAIL"

#define INSERT(conflict, column, value)                                                            \
	CHANGE("INSERT" conflict                                                                   \
	       " INTO products (id, name, description, price, inventory, sku, category,"           \
	       " tags, image_url, low_stock_threshold, created_at, updated_at" column ")"          \
	       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11" value ")",             \
	       -EIO)

static int insert(struct db_conn *conn, const char *id, const struct product_input *input,
		  int64_t now, struct db_rows **ret_rows)
{
	static const struct change changes[] = {
		[DB_SQLITE] = INSERT(OR_FAIL, "", ""),
		[DB_POSTGRES] = INSERT("", ", search", ", $12::tsvector"),
	};
	struct derived derived CLEANUP(derived_release) = {0};
	int r = derive(conn, input, &derived);

	if (r < 0)
		return r;
	r = change_texts(conn, changes,
			 DB_VALUES(db_text(id), db_text(input->name), db_text(input->description),
				   db_int(input->price), db_int(input->inventory),
				   db_text(input->sku), db_text(input->category),
				   db_bytes(text_string(&derived.tags), derived.tags.length),
				   db_text(input->image_url), threshold_value(input), db_int(now),
				   db_bytes(text_string(&derived.words), derived.words.length)),
			 ret_rows);
	if (r == 0)
		r = product_tags_add(conn, input->tags, now, id);
	if (r == 0 && input->inventory > 0)
		r = product_movement_add(conn, id, input->inventory, "opening", NULL, input->actor,
					 now);
	return r;
}

int product_insert(struct db_conn *conn, const struct product_input *input, int64_t now,
		   struct db_rows **ret_rows)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	char id[UUID_TEXT_SIZE];

	uuid_make(id);
	int r = insert(conn, id, input, now, &rows);
	if (r < 0)
		return r;
	*ret_rows = rows;
	rows = NULL;
	return 0;
}

int product_post_insert(struct db_conn *conn, const char *id, const struct product_input *input,
			int64_t now)
{
	return insert(conn, id, input, now, NULL);
}

static bool same_tags(const struct json *before, const struct json *after)
{
	if (!after)
		return json_length(before) == 0;
	return json_equal(before, after);
}

/* 1: the texts are the same; 0: they differ. */
static int same_texts(const struct product_current *current, const struct product_input *input,
		      const struct text *tags)
{
	struct text after CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	const struct texts texts = {input->name,     input->description, input->sku,
				    input->category, input->image_url,   text_string(tags)};

	int r = append_texts(&after, &texts);
	if (r < 0)
		return r;
	return after.length == current->texts.length &&
	       memcmp(after.data, current->texts.data, after.length) == 0;
}

#define REPLACE(conflict, columns)                                                                 \
	CHANGE("UPDATE" conflict " products SET " columns "updated_at = $3, version = version + 1" \
	       " WHERE id = $1 AND version = $2 AND deleted_at IS NULL",                           \
	       -EAGAIN)
#define NUMBERS "price = $4, inventory = $5, low_stock_threshold = $6, "
#define TEXTS   "name = $7, description = $8, sku = $9, category = $10, tags = $11, image_url = $12, "

static int replace_all(struct db_conn *conn, const char *id, const struct product_current *current,
		       const struct product_input *input, int64_t now, struct db_rows **ret_rows)
{
	static const struct change changes[] = {
		[DB_SQLITE] = REPLACE(OR_FAIL, NUMBERS TEXTS),
		[DB_POSTGRES] = REPLACE("", NUMBERS TEXTS "search = $13::tsvector, "),
	};
	struct derived derived CLEANUP(derived_release) = {0};
	int r = derive(conn, input, &derived);

	if (r < 0)
		return r;
	r = change_texts(conn, changes,
			 DB_VALUES(db_text(id), db_int(current->version), db_int(now),
				   db_int(input->price), db_int(input->inventory),
				   threshold_value(input), db_text(input->name),
				   db_text(input->description), db_text(input->sku),
				   db_text(input->category),
				   db_bytes(text_string(&derived.tags), derived.tags.length),
				   db_text(input->image_url),
				   db_bytes(text_string(&derived.words), derived.words.length)),
			 ret_rows);
	if (r < 0 || same_tags(current->tags, input->tags))
		return r;
	r = product_tags_remove(conn, current->tags, current->created_at, id);
	return r < 0 ? r : product_tags_add(conn, input->tags, current->created_at, id);
}

static int replace_numbers(struct db_conn *conn, const char *id,
			   const struct product_current *current, const struct product_input *input,
			   int64_t now, struct db_rows **ret_rows)
{
	static const struct change numbers = REPLACE("", NUMBERS);
	static const struct change none = REPLACE("", "");
	bool same = input->price == current->price && input->inventory == current->inventory &&
		    input->low_stock_threshold == current->low_stock_threshold;

	if (same)
		return change_row(conn, &none,
				  DB_VALUES(db_text(id), db_int(current->version), db_int(now)),
				  ret_rows);
	return change_row(conn, &numbers,
			  DB_VALUES(db_text(id), db_int(current->version), db_int(now),
				    db_int(input->price), db_int(input->inventory),
				    threshold_value(input)),
			  ret_rows);
}

static int replace(struct db_conn *conn, const char *id, const struct product_current *current,
		   const struct product_input *input, const char *reason, int64_t now,
		   struct db_rows **ret_rows)
{
	struct text tags CLEANUP(text_release) = TEXT_INIT(TAGS_TEXT_MAX);

	if (input->inventory > PRODUCT_STOCK_MAX - current->reserved)
		return -ERANGE;
	int r = print_tags(input->tags, &tags);
	if (r == 0)
		r = same_texts(current, input, &tags);
	if (r == 0)
		r = replace_all(conn, id, current, input, now, ret_rows);
	else if (r > 0)
		r = replace_numbers(conn, id, current, input, now, ret_rows);
	if (r == 0 && input->inventory != current->inventory)
		r = product_movement_add(conn, id, input->inventory - current->inventory, reason,
					 NULL, input->actor, now);
	return r;
}

int product_replace(struct db_conn *conn, const char *id, const struct product_current *current,
		    const struct product_input *input, const char *reason, int64_t now,
		    struct db_rows **ret_rows)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = replace(conn, id, current, input, reason, now, &rows);

	if (r < 0)
		return r;
	*ret_rows = rows;
	rows = NULL;
	return 0;
}

int product_post_replace(struct db_conn *conn, const char *id,
			 const struct product_current *current, const struct product_input *input,
			 const char *reason, int64_t now)
{
	return replace(conn, id, current, input, reason, now, NULL);
}

int product_delete(struct db_conn *conn, const char *id, const struct product_current *current,
		   int64_t now)
{
	int64_t changed = db_run(conn,
				 "UPDATE products SET deleted_at = $3, updated_at = $3,"
				 " version = version + 1"
				 " WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
				 DB_VALUES(db_text(id), db_int(current->version), db_int(now)));

	if (changed < 0)
		return (int)changed;
	if (changed == 0)
		return -EAGAIN;
	return product_tags_remove(conn, current->tags, current->created_at, id);
}

int product_restore(struct db_conn *conn, const char *id, const struct product_current *current,
		    int64_t now, struct db_rows **ret_rows)
{
	static const struct change change =
		CHANGE("UPDATE products SET deleted_at = NULL, updated_at = $3,"
		       " version = version + 1"
		       " WHERE id = $1 AND version = $2 AND deleted_at IS NOT NULL",
		       -EAGAIN);
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = change_row(conn, &change,
			   DB_VALUES(db_text(id), db_int(current->version), db_int(now)), &rows);

	if (r == 0)
		r = product_tags_add(conn, current->tags, current->created_at, id);
	if (r < 0)
		return r;
	*ret_rows = rows;
	rows = NULL;
	return 0;
}
