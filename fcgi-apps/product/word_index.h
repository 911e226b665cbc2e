/*
 * The words of stored products (words.h) in the store's index. On PostgreSQL they are a column of
 * the product, written with it. On SQLite they are a table of FTS5: triggers note changes, and
 * word_index_update() follows them. Products that were stored before there were such words get
 * theirs from word_index_catch_up(), newest first. On PostgreSQL it also serves products that
 * replicas of an older version wrote without words, so it must run until those have ended. It also
 * normalises those products' texts (old_texts.h).
 */
#ifndef PRODUCT_WORD_INDEX_H
#define PRODUCT_WORD_INDEX_H

#include "product/product.h"
#include "responder/service.h"
#include "storage/conn.h"

/* Size of such a vector: the words of all texts, twice where they are pairs, with their places. */
#define WORD_INDEX_VECTOR_MAX (1u << 20)

/* Appends PostgreSQL's tsvector of a product's words, each with its field (A sku, B name, C
 * category and tags, D description) and place. tags is a JSON array as text. Errors are in
 * text_error(out). */
void word_index_vector(struct text *out, const struct product_input *input, const char *tags);

/* A db_function for before_commit: brings SQLite's index up to date with the group's changes. */
int word_index_update(struct db_conn *conn, void *unused);

/* A struct task's run: gives WORD_INDEX_BATCH products their words. True: there may be more. */
#define WORD_INDEX_BATCH 100
bool word_index_catch_up(struct runtime *runtime, void *app);

/* The same inside db_transaction. 1: there may be more; 0: every product has its words. */
int word_index_catch_up_some(struct db_conn *conn, void *unused);

#endif
