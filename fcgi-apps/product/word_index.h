/*
 * The words of the stored products (words.h), as the store indexes them. On PostgreSQL they are a
 * column of the product, written with it. On SQLite they are a table of FTS5, which triggers make
 * word_index_update() follow. Products of before there were such words get theirs by
 * word_index_catch_up(), the newest first; on PostgreSQL also those that were written without, as a
 * replica of an older version does: it must be running until they have ended. It also brings those
 * products' texts into their normal form (old_texts.h).
 */
#ifndef PRODUCT_WORD_INDEX_H
#define PRODUCT_WORD_INDEX_H

#include "product/product.h"
#include "responder/service.h"
#include "storage/conn.h"

/* Bytes of such a vector: the words of all texts, twice where they are pairs, with their places. */
#define WORD_INDEX_VECTOR_MAX (1u << 20)

/* Appends PostgreSQL's tsvector of a product's words, each with its field (A sku, B name, C
 * category and tags, D description) and place. tags is a JSON array as text. text_error(out) tells.
 */
void word_index_vector(struct text *out, const struct product_input *input, const char *tags);

/* A db_function for before_commit: brings SQLite's index up to date with the group's changes. */
int word_index_update(struct db_conn *conn, void *unused);

/* A task: gives WORD_INDEX_BATCH products their words. True: there may be more. */
#define WORD_INDEX_BATCH 100
bool word_index_catch_up(struct runtime *runtime, void *app);

/* The same inside db_transaction. 1: there may be more; 0: all have them. */
int word_index_catch_up_some(struct db_conn *conn, void *unused);

#endif
