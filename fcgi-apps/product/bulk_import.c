#include "product/bulk_import.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/uuid.h"
#include "product/product_store.h"

/* For all of a chunk's, escaped. */
#define SKUS_TEXT_MAX (128u << 10)

enum line_status { LINE_CREATED, LINE_UPDATED, LINE_REFUSED };

struct import_line {
	int64_t number;
	struct json *value; /* NULL: refused before it came to the store */
	struct product_input input;
	struct violations *violations; /* why it was refused */
	enum line_status status;
	char id[UUID_TEXT_SIZE];
};

struct product_import {
	struct runtime *runtime;
	int64_t number; /* of the last line added */
	size_t bytes;
	size_t count;
	struct import_line lines[BULK_CHUNK_LINES];
};

int product_import_create(struct runtime *runtime, struct product_import **ret_import)
{
	struct product_import *import = calloc(1, sizeof(*import));

	if (!import)
		return -ENOMEM;
	import->runtime = runtime;
	*ret_import = import;
	return 0;
}

static void clear_violations(struct import_line *line)
{
	if (line->violations)
		violations_release(line->violations);
	free(line->violations);
	line->violations = NULL;
}

static void clear(struct product_import *import)
{
	for (size_t i = 0; i < import->count; i++) {
		json_free(import->lines[i].value);
		clear_violations(&import->lines[i]);
	}
	import->count = 0;
	import->bytes = 0;
}

void product_import_free(struct product_import *import)
{
	if (!import)
		return;
	clear(import);
	free(import);
}

bool product_import_is_full(const struct product_import *import)
{
	return import->count == BULK_CHUNK_LINES || import->bytes >= BULK_CHUNK_BYTES;
}

bool product_import_is_empty(const struct product_import *import)
{
	return import->count == 0;
}

/* Parses and checks. 1: line->input is filled; 0: violations say why not. */
static int check(struct product_import *import, struct import_line *line,
		 const struct product_ndjson_line *text, struct violations *violations)
{
	struct json_error error;
	int r;

	if (text->too_long) {
		violations_add(violations, "body", "", "is longer than %u bytes", NDJSON_LINE_MAX);
		return 0;
	}
	r = json_parse(text->text, text->length, JSON_DEPTH_MAX, &line->value, &error);
	if (r == -EINVAL) {
		violations_add(violations, "body", "", "is not JSON: %s (column %zu)", error.detail,
			       error.column);
		return 0;
	}
	if (r < 0)
		return r;
	if (!contract_check_schema(import->runtime->contract, "ProductImport", line->value,
				   violations))
		return 0;
	r = product_input_read(line->value, import->runtime->currency, &line->input);
	if (r < 0) {
		violations_add(violations, "body", "/price", "is not a price");
		return 0;
	}
	return 1;
}

int product_import_add(struct product_import *import, const struct product_ndjson_line *text)
{
	struct import_line *line = &import->lines[import->count];
	int r;

	import->number++;
	if (text->length == 0 && !text->too_long)
		return 0;
	*line = (struct import_line){.number = import->number, .status = LINE_REFUSED};
	line->violations = calloc(1, sizeof(*line->violations));
	if (!line->violations)
		return -ENOMEM;
	import->count++;
	import->bytes += text->length;
	r = check(import, line, text, line->violations);
	if (r > 0) {
		clear_violations(line);
		return 0;
	}
	json_free(line->value);
	line->value = NULL;
	return r;
}

static int upsert(struct db_conn *conn, struct import_line *line, int64_t now)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_rows *found CLEANUP(db_rows_close_p) = NULL;
	struct product_current current CLEANUP(product_current_release) = {0};
	enum line_status status = LINE_CREATED;
	int r = product_find_sku(conn, line->input.sku, &found);

	if (r == -ENOENT) {
		r = product_insert(conn, &line->input, now, &rows);
	} else if (r == 0) {
		status = LINE_UPDATED;
		snprintf(line->id, sizeof(line->id), "%s", db_column_text(found, PRODUCT_ID, NULL));
		r = product_current_read(found, &current);
		if (r == 0)
			r = product_replace(conn, line->id, &current, &line->input, "import", now,
					    &rows);
	}
	if (r < 0)
		return r;
	snprintf(line->id, sizeof(line->id), "%s", db_column_text(rows, PRODUCT_ID, NULL));
	line->status = status;
	return 0;
}

/* Whether an error is about this line only. */
static bool is_refusal(int error)
{
	return error == -EINVAL || error == -EEXIST;
}

/* Stores one line and undoes it, and only it, when it is refused: then that error. */
static int apply(struct db_conn *conn, struct import_line *line, int64_t now)
{
	int undone;
	int r = db_savepoint(conn);

	if (r < 0)
		return r;
	line->status = LINE_REFUSED;
	r = upsert(conn, line, now);
	if (r < 0 && !is_refusal(r))
		return r;
	undone = r < 0 ? db_savepoint_rollback(conn) : db_savepoint_release(conn);
	return undone < 0 ? undone : r;
}

/*
 * Where others write at the same time, all products that are there are locked before the first is
 * changed, in the order in which orders take stock: else hot products make an import start over
 * until it gives up, or deadlock with orders.
 */
static int lock_products(struct db_conn *conn, const struct product_import *import)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct text skus CLEANUP(text_release);
	struct json_writer writer;
	int r;

	text_init(&skus, SKUS_TEXT_MAX);
	if (db_dialect(conn) != DB_POSTGRES)
		return 0;
	json_writer_init(&writer, &skus);
	json_array_begin(&writer);
	for (size_t i = 0; i < import->count; i++)
		if (import->lines[i].value)
			json_write_string(&writer, import->lines[i].input.sku);
	json_array_end(&writer);
	r = text_error(&skus);
	if (r == 0)
		r = db_query(conn,
			     "SELECT id FROM products WHERE deleted_at IS NULL AND sku IN"
			     " (SELECT json_array_elements_text($1::json))"
			     " ORDER BY id COLLATE \"C\" FOR UPDATE",
			     DB_VALUES(db_bytes(text_string(&skus), skus.length)), &rows);
	while (r == 0 && (r = db_next(rows)) > 0)
		r = 0;
	return r;
}

int product_import_apply(struct db_conn *conn, void *argument)
{
	struct product_import *import = argument;
	int64_t now = clock_now();
	int locked = lock_products(conn, import);

	if (locked < 0)
		return locked;
	for (size_t i = 0; i < import->count; i++) {
		struct import_line *line = &import->lines[i];
		int r;

		if (!line->value)
			continue;
		r = apply(conn, line, now);
		/* Another import just made this sku: now it is there to be updated. */
		if (r == -EEXIST)
			r = apply(conn, line, now);
		if (r < 0 && !is_refusal(r))
			return r;
	}
	return 0;
}

static void write_refusal(struct json_writer *writer, const char *detail)
{
	struct violations violations CLEANUP(violations_release) = {0};

	violations_add(&violations, "body", "", "%s", detail);
	violations_write(&violations, writer);
}

static void write_result(const struct import_line *line, int error, struct text *out)
{
	static const char *const names[] = {"created", "updated", "error"};
	enum line_status status = error < 0 ? LINE_REFUSED : line->status;
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_object_begin(&writer);
	json_member_int(&writer, "line", line->number);
	json_member_string(&writer, "status", names[status]);
	if (status != LINE_REFUSED)
		json_member_string(&writer, "id", line->id);
	if (line->value)
		json_member_string(&writer, "sku", line->input.sku);
	if (line->violations)
		violations_write(line->violations, &writer);
	else if (status == LINE_REFUSED)
		write_refusal(&writer, error < 0 ? "was not stored: the store is unavailable, "
						   "send the line again"
						 : "was refused by the store");
	json_object_end(&writer);
	text_append_char(out, '\n');
}

void product_import_finish(struct product_import *import, int error, struct text *out)
{
	for (size_t i = 0; i < import->count; i++)
		write_result(&import->lines[i], error, out);
	clear(import);
}

void product_import_abort(struct product_import *import, const char *detail, struct text *out)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_object_begin(&writer);
	json_member_int(&writer, "line", import->number + 1);
	json_member_string(&writer, "status", "error");
	write_refusal(&writer, detail);
	json_object_end(&writer);
	text_append_char(out, '\n');
}
