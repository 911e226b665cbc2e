/* What the tests of the product store share: a store with the service's schema, quick products. */
#ifndef TESTS_UNIT_PRODUCTS_H
#define TESTS_UNIT_PRODUCTS_H

#include "base/clock.h"
#include "base/uuid.h"
#include "product/migrations.h"
#include "product/product_store.h"
#include "product/stock_store.h"
#include "product/word_index.h"
#include "store.h"

static struct db *products_db;

static void products_open(void)
{
	store_prepare();
	struct db_options options = store_options();
	options.migrations = product_migrations;
	options.migration_count = PRODUCT_MIGRATION_COUNT;
	options.before_commit = word_index_update;
	products_db = store_open_with(&options);
}

static void products_close(void)
{
	db_close(products_db);
	store_remove();
}

struct products_made {
	struct product_input input;
	const char *tags; /* JSON text, or NULL */
	char id[UUID_TEXT_SIZE];
};

static int products_insert(struct db_conn *conn, void *argument)
{
	struct products_made *made = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct json *tags CLEANUP(json_free_p) = NULL;
	struct json_error error;
	if (made->tags)
		ck_assert_int_eq(
			json_parse(made->tags, strlen(made->tags), JSON_DEPTH_MAX, &tags, &error),
			0);
	made->input.tags = tags;
	int r = product_insert(conn, &made->input, clock_now(), &rows);
	made->input.tags = NULL;
	if (r < 0)
		return r;
	snprintf(made->id, sizeof(made->id), "%s", db_column_text(rows, PRODUCT_ID, NULL));
	return 0;
}

static UNUSED int products_try(struct product_input input, const char *tags,
			       char ret_id[UUID_TEXT_SIZE])
{
	struct products_made made = {.input = input, .tags = tags};
	if (!input.description)
		made.input.description = "";
	if (input.low_stock_threshold == 0)
		made.input.low_stock_threshold = -1;
	int r = db_transaction(products_db, products_insert, &made);
	if (r == 0 && ret_id)
		memcpy(ret_id, made.id, UUID_TEXT_SIZE);
	return r;
}

static UNUSED void products_add(struct product_input input, const char *tags,
				char ret_id[UUID_TEXT_SIZE])
{
	ck_assert_int_eq(products_try(input, tags, ret_id), 0);
}

/* Both rules of the ledger, for every product: see product/migrations.h. */
static UNUSED void products_check_ledger(void)
{
	ck_assert_int_eq(store_number(products_db,
				      "SELECT count(*) FROM products WHERE inventory <> (SELECT"
				      " coalesce(sum(delta), 0) FROM stock_movements"
				      " WHERE product_id = products.id)"),
			 0);
	ck_assert_int_eq(
		store_number(products_db,
			     "SELECT count(*) FROM products WHERE inventory + reserved + shipped <>"
			     " (SELECT coalesce(sum(delta), 0) FROM stock_movements"
			     " WHERE product_id = products.id AND reference IS NULL)"),
		0);
}

#endif
