/*
 * Bulk import, a chunk of lines at a time: each line is checked on its own, the good ones are
 * upserted by sku in one transaction, and each gets a result line. One owner, one thread at a time.
 */
#ifndef PRODUCT_BULK_IMPORT_H
#define PRODUCT_BULK_IMPORT_H

#include "product/ndjson.h"
#include "product/product.h"
#include "responder/service.h"

/* A chunk is full at this many lines or bytes of them. */
#define BULK_CHUNK_LINES 100
#define BULK_CHUNK_BYTES (256u << 10)

struct product_import;

/* merge: of a product that there is, members that are absent stay as they are; else they get their
 * default. -ENOMEM. */
int product_import_create(const struct runtime *runtime, bool merge,
			  struct product_import **ret_import);
void product_import_free(struct product_import *import);
DEFINE_CLEANUP(struct product_import, product_import_free)

/* Adds a line, counting from 1; empty ones are counted but get no result. -ENOMEM. */
int product_import_add(struct product_import *import, const struct product_ndjson_line *text);

bool product_import_is_full(const struct product_import *import);
bool product_import_is_empty(const struct product_import *import);

/* Inside a transaction that applies several chunks, before the first: locks all products that they
 * change, those of these skus, a JSON array. */
int product_import_lock(struct db_conn *conn, const struct text *skus);

/* Stores the chunk's good lines, in a transaction. A line that the store refuses spoils no other.
 * The store's errors. */
int product_import_store(struct product_import *import, struct db *db);

/* The same as a db_function, inside a transaction that does more; argument is the import. */
int product_import_apply(struct db_conn *conn, void *argument);

/* After either: appends the result lines (application/x-ndjson) and starts the next chunk. error is
 * what it returned; negative: none of the chunk's lines was stored. */
void product_import_finish(struct product_import *import, int error, struct text *out);

/* Appends a result for a body that ended before its time. */
void product_import_abort(struct product_import *import, const char *detail, struct text *out);

#endif
