#include "product/old_texts.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/unicode.h"
#include "contract/schema_text.h"
#include "product/tags_store.h"

/* The longest text of the schema ProductInput, in bytes, before it is cut. */
#define TEXT_MAX (64u << 10)
#define TAGS_MAX (64u << 10)

#define SKU_TAIL 12 /* the random end of an id */

struct kind {
	size_t longest; /* characters, as in the schema ProductInput */
	bool is_block;
};

static const struct kind sku_kind = {.longest = 64};
static const struct kind name_kind = {.longest = 200};
static const struct kind category_kind = {.longest = 100};
static const struct kind tag_kind = {.longest = 50};
static const struct kind description_kind = {.longest = 5000, .is_block = true};

/* Cuts a text in Normalization Form C. It stays in that form, but what is to be trimmed may now be
 * at its end. */
static void cut(struct text *text, size_t longest)
{
	size_t at = 0;
	size_t shown;
	uint32_t c;

	for (size_t i = 0; i < longest && at < text->length; i++)
		at += unicode_decode(text->data + at, text->length - at, &c);
	if (at == text->length)
		return;
	unicode_trim_unseen(text->data, at, &shown); /* the first character is never trimmed */
	text_truncate(text, shown);
}

static void renew(struct text *out, const char *text, size_t length, const struct kind *kind)
{
	text_init(out, TEXT_MAX);
	schema_text_renew(text, length, kind->is_block, out);
	if (!text_error(out))
		cut(out, kind->longest);
}

struct texts {
	struct text sku;
	struct text name;
	struct text category;
	struct text description;
	struct text tags; /* a JSON array */
	struct json *old_list;
	struct json *list;
	bool differ;
};

static void texts_release(struct texts *texts)
{
	text_release(&texts->sku);
	text_release(&texts->name);
	text_release(&texts->category);
	text_release(&texts->description);
	text_release(&texts->tags);
	json_free(texts->old_list);
	json_free(texts->list);
}

static int read_text(struct texts *texts, struct text *out, struct db_rows *row,
		     enum old_texts_column column, const struct kind *kind)
{
	size_t length = 0;
	const char *text = db_column_text(row, column, &length);

	if (!text)
		return 0;
	renew(out, text, length, kind);
	if (out->length != length || memcmp(text_string(out), text, length) != 0)
		texts->differ = true;
	return text_error(out);
}

static bool has(const struct json *list, const struct text *tag)
{
	for (size_t i = 0; i < json_length(list); i++) {
		if (strcmp(json_string(json_at(list, i), NULL), text_string(tag)) == 0)
			return true;
	}
	return false;
}

static int add_tag(struct json *list, const struct json *tag)
{
	struct text text CLEANUP(text_release) = {0};
	size_t length;

	if (json_type(tag) != JSON_STRING)
		return -EINVAL;
	const char *old = json_string(tag, &length);
	renew(&text, old, length, &tag_kind);
	if (text_error(&text) < 0 || text.length == 0 || has(list, &text))
		return text_error(&text);
	return json_push(list, json_new_string(text_string(&text)));
}

static int read_tags(struct texts *texts, struct db_rows *row)
{
	size_t length = 0;
	const char *text = db_column_text(row, OLD_TEXTS_TAGS, &length);
	struct json_error error;
	int r = text ? json_parse(text, length, JSON_DEPTH_MAX, &texts->old_list, &error) : -EIO;

	if (r == 0 && json_type(texts->old_list) != JSON_ARRAY)
		r = -EINVAL;
	if (r < 0)
		return r;
	texts->list = json_new_array();
	r = texts->list ? 0 : -ENOMEM;
	for (size_t i = 0; i < json_length(texts->old_list) && r == 0; i++)
		r = add_tag(texts->list, json_at(texts->old_list, i));
	if (r < 0)
		return r;
	if (!json_equal(texts->old_list, texts->list))
		texts->differ = true;
	text_init(&texts->tags, TAGS_MAX);
	json_print(texts->list, &texts->tags);
	return text_error(&texts->tags);
}

static int read_texts(struct texts *texts, struct db_rows *row)
{
	int r = read_text(texts, &texts->sku, row, OLD_TEXTS_SKU, &sku_kind);

	if (r == 0)
		r = read_text(texts, &texts->name, row, OLD_TEXTS_NAME, &name_kind);
	if (r == 0)
		r = read_text(texts, &texts->category, row, OLD_TEXTS_CATEGORY, &category_kind);
	if (r == 0)
		r = read_text(texts, &texts->description, row, OLD_TEXTS_DESCRIPTION,
			      &description_kind);
	return r == 0 ? read_tags(texts, row) : r;
}

/* 1: another product has the sku; 0: none has. */
static int is_anothers(struct db_conn *conn, const struct text *sku, int64_t seq)
{
	return db_exists(conn,
			 "SELECT 1 FROM products"
			 " WHERE sku = $1 AND seq <> $2 AND deleted_at IS NULL",
			 DB_VALUES(db_text(text_string(sku)), db_int(seq)));
}

/* A sku that another product has must not cost this product its place, or search its words. */
static int make_unique(struct db_conn *conn, struct text *sku, const char *id, int64_t seq)
{
	int r = sku->length > 0 ? is_anothers(conn, sku, seq) : 0;

	if (r <= 0)
		return r;
	cut(sku, sku_kind.longest - 1 - SKU_TAIL);
	text_append_char(sku, '-');
	text_append_string(sku, id + strlen(id) - SKU_TAIL);
	r = is_anothers(conn, sku, seq);
	if (r > 0)
		text_reset(sku);
	log_write(LOG_WARN, "a product's sku was another's but for its spelling, and has changed",
		  log_text("product.id", id), log_text("product.sku", text_string(sku)));
	return r < 0 ? r : text_error(sku);
}

static int change_tags(struct db_conn *conn, const struct texts *texts, struct db_rows *row)
{
	const char *id = db_column_text(row, OLD_TEXTS_ID, NULL);
	int64_t created_at = db_column_int(row, OLD_TEXTS_CREATED_AT);
	int r = product_tags_remove(conn, texts->old_list, created_at, id);

	return r < 0 ? r : product_tags_add(conn, texts->list, created_at, id);
}

static struct db_value text_or_null(const struct text *text)
{
	return text->length > 0 ? db_text(text_string(text)) : db_null();
}

static int store(struct db_conn *conn, const struct texts *texts, struct db_rows *row)
{
	const char *id = db_column_text(row, OLD_TEXTS_ID, NULL);
	bool is_deleted = !db_column_is_null(row, OLD_TEXTS_DELETED_AT);
	const char *name = texts->name.length > 0 ? text_string(&texts->name) : id;
	int r = db_post(conn,
			"UPDATE products SET sku = $2, name = $3, category = $4, tags = $5,"
			" description = $6, version = version + 1, updated_at = $7"
			" WHERE id = $1",
			DB_VALUES(db_text(id), text_or_null(&texts->sku), db_text(name),
				  text_or_null(&texts->category),
				  db_text(text_string(&texts->tags)),
				  db_text(text_string(&texts->description)), db_int(clock_now())),
			1);

	return r < 0 || is_deleted ? r : change_tags(conn, texts, row);
}

static int change(struct db_conn *conn, struct texts *texts, struct db_rows *row)
{
	int r = 0;

	if (db_column_is_null(row, OLD_TEXTS_DELETED_AT))
		r = make_unique(conn, &texts->sku, db_column_text(row, OLD_TEXTS_ID, NULL),
				db_column_int(row, OLD_TEXTS_SEQ));
	if (r == 0)
		r = store(conn, texts, row);
	return r < 0 ? r : db_settle(conn);
}

static bool is_damage(int error)
{
	return error == -EINVAL || error == -EMSGSIZE || error == -EEXIST;
}

/* If the store refuses the change, undoes that change alone. */
static int try_change(struct db_conn *conn, struct texts *texts, struct db_rows *row)
{
	int r = db_savepoint(conn);

	if (r < 0)
		return r;
	r = change(conn, texts, row);
	if (r < 0 && !is_damage(r))
		return r;
	int ended = r < 0 ? db_savepoint_rollback(conn) : db_savepoint_release(conn);
	return ended < 0 ? ended : r;
}

int old_texts_renew(struct db_conn *conn, struct db_rows *row)
{
	struct texts texts CLEANUP(texts_release) = {0};
	int r = read_texts(&texts, row);

	if (r == 0 && texts.differ)
		r = try_change(conn, &texts, row);
	if (is_damage(r)) {
		log_write(LOG_WARN, "a product is damaged: its texts stay as they are",
			  log_text("product.id", db_column_text(row, OLD_TEXTS_ID, NULL)),
			  log_error_code(r));
		return 0;
	}
	return r < 0 ? r : texts.differ;
}
