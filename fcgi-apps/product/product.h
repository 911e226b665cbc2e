/*
 * A product: what a client may write (struct product_input, from a body that fits the contract's
 * schema ProductInput), and how a stored row is written as JSON. Thread-safe (no state).
 */
#ifndef PRODUCT_PRODUCT_H
#define PRODUCT_PRODUCT_H

#include "base/json.h"
#include "base/json_writer.h"
#include "base/money.h"
#include "storage/conn.h"

/*
 * The limit for inventory and reserved together, so that inventory stays below it whatever orders
 * give back; it is the schema's maximum. It is the largest integer that every JSON reader keeps
 * (RFC 8259 section 6): large enough that stock changing during an update does not reach it.
 */
#define PRODUCT_STOCK_MAX INT64_C(9007199254740991)

/* A number as text, for SQL that the compiler concatenates. */
#define QUOTE(text)      QUOTE_TEXT(text)
#define QUOTE_TEXT(text) #text

/* The writable members. Texts and tags are borrowed from the JSON value that was read. */
struct product_input {
	const char *name;
	const char *description;
	const char *sku;         /* or NULL */
	const char *category;    /* or NULL */
	const char *image_url;   /* or NULL */
	const struct json *tags; /* array of strings, or NULL for none */
	int64_t price;           /* minor units */
	int64_t inventory;
	int64_t low_stock_threshold; /* -1: none */
	const char *actor;           /* who writes it, for the ledger; NULL: nobody was asked */
};

/*
 * Reads a value that passed the schema ProductInput; missing members get their defaults. -EINVAL or
 * -ERANGE if the price does not fit the currency.
 */
int product_input_read(const struct json *object, struct currency currency,
		       struct product_input *ret_input);

/* The columns of every query for products, in the order of enum product_column. */
#define PRODUCT_COLUMNS                                                                            \
	"id, name, description, price, inventory, sku, category, tags, image_url,"                 \
	" low_stock_threshold, reserved, version, created_at, updated_at, deleted_at"

enum product_column {
	PRODUCT_ID,
	PRODUCT_NAME,
	PRODUCT_DESCRIPTION,
	PRODUCT_PRICE,
	PRODUCT_INVENTORY,
	PRODUCT_SKU,
	PRODUCT_CATEGORY,
	PRODUCT_TAGS,
	PRODUCT_IMAGE_URL,
	PRODUCT_LOW_STOCK_THRESHOLD,
	PRODUCT_RESERVED,
	PRODUCT_VERSION,
	PRODUCT_CREATED_AT,
	PRODUCT_UPDATED_AT,
	PRODUCT_DELETED_AT,
	PRODUCT_COLUMN_COUNT, /* further columns of a query start here */
};

/* Writes the current row as schema Product. */
void product_write(struct json_writer *writer, struct db_rows *row, struct currency currency);

/* Writes the current row's writable members in the form of schema ProductInput; inventory only
 * with_stock. */
void product_write_input(struct json_writer *writer, struct db_rows *row, struct currency currency,
			 bool with_stock);

/* The row's writable members as a value, which the caller frees. -ENOMEM, -EIO if the row is
 * damaged. */
int product_input_document(struct db_rows *row, struct currency currency,
			   struct json **ret_document);

#endif
