#include "product/bulk_import.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "product/import_line.h"

/* All skus of a chunk, escaped. */
#define SKUS_TEXT_MAX (128u << 10)

struct product_import {
	struct import_rules rules;
	int64_t number; /* of the last line added */
	size_t bytes;
	size_t count;
	struct import_line lines[BULK_CHUNK_LINES];
	size_t good;
	struct import_line *sorted[BULK_CHUNK_LINES]; /* the valid lines */
};

int product_import_create(const struct runtime *runtime,
			  const struct product_import_options *options,
			  struct product_import **ret_import)
{
	struct product_import *import = calloc(1, sizeof(*import));

	if (!import)
		return -ENOMEM;
	import->rules = (struct import_rules){
		.contract = runtime->contract,
		.currency = runtime->currency,
		.merge = options->merge,
		.lacking = options->lacking,
		.actor = options->actor,
	};
	*ret_import = import;
	return 0;
}

static void clear(struct product_import *import)
{
	for (size_t i = 0; i < import->count; i++)
		import_line_release(&import->lines[i]);
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

int product_import_add(struct product_import *import, const struct product_ndjson_line *text)
{
	import->number++;
	if (text->length == 0 && !text->too_long)
		return 0;
	import->bytes += text->length;
	return import_line_read(&import->lines[import->count++], &import->rules, import->number,
				text);
}

static int look_up(struct db_conn *conn, const struct import_rules *rules, struct import_line *line)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;

	import_line_forget(line);
	int r = product_find_sku(conn, line->sku, &rows);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : import_line_remember(line, rules, rows);
}

/* Whether the error concerns a single line only. */
static bool is_refusal(int error)
{
	return error == -EINVAL || error == -EEXIST;
}

/* Ends the savepoint. If the line was refused, undoes it and returns the refusal. */
static int end_savepoint(struct db_conn *conn, int result)
{
	if (result == 0)
		result = db_settle(conn);
	if (result < 0 && !is_refusal(result))
		return result;
	int ended = result < 0 ? db_savepoint_rollback(conn) : db_savepoint_release(conn);
	return ended < 0 ? ended : result;
}

/* Stores one line. */
static int apply(struct db_conn *conn, const struct import_rules *rules, struct import_line *line,
		 int64_t now)
{
	int r = db_savepoint(conn);

	if (r < 0)
		return r;
	r = look_up(conn, rules, line);
	if (r == 0)
		r = import_line_post(line, rules, conn, now);
	r = end_savepoint(conn, r);
	if (r < 0)
		line->status = LINE_REFUSED;
	return r;
}

static int apply_singly(struct db_conn *conn, struct product_import *import, int64_t now)
{
	for (size_t i = 0; i < import->count; i++) {
		struct import_line *line = &import->lines[i];

		if (!line->value)
			continue;
		int r = apply(conn, &import->rules, line, now);
		/* Another request made the product after we looked for it. */
		if (r == -EEXIST)
			r = apply(conn, &import->rules, line, now);
		if (r < 0 && !is_refusal(r))
			return r;
	}
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct import_line *left = *(struct import_line *const *)a;
	const struct import_line *right = *(struct import_line *const *)b;
	int order = strcmp(left->sku, right->sku);

	return order ? order : (left->number > right->number) - (left->number < right->number);
}

/* Sorts pointers to the valid lines by sku; lines with the same sku keep their order. */
static void sort_lines(struct product_import *import)
{
	import->good = 0;
	for (size_t i = 0; i < import->count; i++)
		if (import->lines[i].value)
			import->sorted[import->good++] = &import->lines[i];
	qsort(import->sorted, import->good, sizeof(import->sorted[0]), compare_lines);
	for (size_t i = 0; i < import->good; i++)
		import->sorted[i]->repeats =
			i > 0 && strcmp(import->sorted[i - 1]->sku, import->sorted[i]->sku) == 0;
}

/* The first line with this sku; NULL when there is none. */
static struct import_line *find_line(const struct product_import *import, const char *sku)
{
	size_t first = 0;
	size_t end = import->good;

	while (first < end) {
		size_t middle = (first + end) / 2;

		if (strcmp(import->sorted[middle]->sku, sku) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	if (first == import->good || strcmp(import->sorted[first]->sku, sku) != 0)
		return NULL;
	return import->sorted[first];
}

static int write_skus(const struct product_import *import, struct text *out)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_array_begin(&writer);
	for (size_t i = 0; i < import->good; i++)
		if (!import->sorted[i]->repeats)
			json_write_string(&writer, import->sorted[i]->sku);
	json_array_end(&writer);
	return text_error(out);
}

/* One query for all lines, except those that repeat a sku. */
static int look_up_all(struct db_conn *conn, struct product_import *import)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct text skus CLEANUP(text_release) = TEXT_INIT(SKUS_TEXT_MAX);

	for (size_t i = 0; i < import->good; i++)
		import_line_forget(import->sorted[i]);
	int r = write_skus(import, &skus);
	if (r == 0)
		r = product_find_skus(conn, &skus, &rows);
	while (r == 0 && (r = db_next(rows)) > 0) {
		const char *sku = db_column_text(rows, PRODUCT_SKU, NULL);
		struct import_line *line = sku ? find_line(import, sku) : NULL;

		r = line ? import_line_remember(line, &import->rules, rows) : -EIO;
	}
	return r;
}

/* Posts all lines before waiting: a server gets them in a few messages. */
static int post_all(struct db_conn *conn, struct product_import *import, int64_t now)
{
	int r = 0;

	for (size_t i = 0; i < import->count && r == 0; i++) {
		struct import_line *line = &import->lines[i];

		if (!line->value)
			continue;
		if (line->repeats)
			r = look_up(conn, &import->rules, line);
		if (r == 0)
			r = import_line_post(line, &import->rules, conn, now);
	}
	return r;
}

static int apply_together(struct db_conn *conn, struct product_import *import, int64_t now)
{
	int r = look_up_all(conn, import);

	if (r == 0)
		r = db_savepoint(conn);
	return r < 0 ? r : end_savepoint(conn, post_all(conn, import, now));
}

/* Two imports that make the same products in different orders would deadlock, so imports take
 * turns. The number is "import" in ASCII. */
static int wait_for_turn(struct db_conn *conn)
{
	return db_lock(conn, "SELECT pg_advisory_xact_lock(115918758703732)", DB_NO_VALUES);
}

int product_import_lock(struct db_conn *conn, const struct text *skus)
{
	int r = wait_for_turn(conn);

	return r < 0 ? r : product_lock_skus(conn, skus);
}

int product_import_apply(struct db_conn *conn, void *argument)
{
	struct product_import *import = argument;
	int64_t now = clock_now();
	int r = wait_for_turn(conn);

	if (r < 0)
		return r;
	sort_lines(import);
	r = apply_together(conn, import, now);
	/* Another request just made one of these products, so now it can be updated. */
	if (r == -EEXIST)
		r = apply_together(conn, import, now);
	return is_refusal(r) ? apply_singly(conn, import, now) : r;
}

/* Refused lines are undone with the whole transaction: in a savepoint SQLite would copy every
 * page. */
static int apply_whole(struct db_conn *conn, void *argument)
{
	struct product_import *import = argument;
	int r = wait_for_turn(conn);

	if (r < 0)
		return r;
	sort_lines(import);
	r = look_up_all(conn, import);
	if (r == 0)
		r = post_all(conn, import, clock_now());
	return r < 0 ? r : db_settle(conn);
}

int product_import_store(struct product_import *import, struct db *db)
{
	int r = db_transaction(db, apply_whole, import);

	return is_refusal(r) ? db_transaction(db, product_import_apply, import) : r;
}

void product_import_finish(struct product_import *import, int error, struct text *out)
{
	for (size_t i = 0; i < import->count; i++)
		import_line_write(&import->lines[i], error, out);
	clear(import);
}

void product_import_abort(struct product_import *import, const char *detail, struct text *out)
{
	import_line_write_refusal(import->number + 1, detail, out);
}
