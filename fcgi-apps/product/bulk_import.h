/*
 * Bulk import, one chunk of lines at a time: each line is checked on its own, the valid ones are
 * upserted by sku in one transaction, and each line gets a result. One owner, one thread at a time.
 */
#ifndef PRODUCT_BULK_IMPORT_H
#define PRODUCT_BULK_IMPORT_H

#include "product/ndjson.h"
#include "product/product.h"
#include "responder/service.h"

/* A chunk is full when it has this many lines, or this many bytes. */
#define BULK_CHUNK_LINES 100
#define BULK_CHUNK_BYTES (256u << 10)

struct product_import;

/* What is known of an import before its first line. */
struct product_import_options {
	bool merge;        /* members missing from a line keep the existing product's values;
			      otherwise they get their defaults */
	uint64_t lacking;  /* scopes that the sender does not have; lines that take one of them are
			      refused */
	const char *actor; /* who sends it, for the ledger, or NULL; kept, not copied */
};

/* -ENOMEM. */
int product_import_create(const struct runtime *runtime,
			  const struct product_import_options *options,
			  struct product_import **ret_import);
void product_import_free(struct product_import *import);
DEFINE_CLEANUP(struct product_import, product_import_free)

/* Adds a line, counting from 1. Empty lines are counted but get no result. -ENOMEM. */
int product_import_add(struct product_import *import, const struct product_ndjson_line *text);

bool product_import_is_full(const struct product_import *import);
bool product_import_is_empty(const struct product_import *import);

/* Inside a transaction that applies several chunks, before the first one: locks all products with
 * these skus, a JSON array. */
int product_import_lock(struct db_conn *conn, const struct text *skus);

/* Stores the chunk's valid lines in a transaction. A line that the store refuses does not affect
 * the others. The store's errors. */
int product_import_store(struct product_import *import, struct db *db);

/* The same as a db_function, inside a larger transaction; argument is the import. */
int product_import_apply(struct db_conn *conn, void *argument);

/* After either: appends the result lines (application/x-ndjson) and starts the next chunk. error is
 * what the function returned; negative: none of the chunk's lines was stored. */
void product_import_finish(struct product_import *import, int error, struct text *out);

/* Appends a result that says why the body was not read to its end. */
void product_import_abort(struct product_import *import, const char *detail, struct text *out);

#endif
