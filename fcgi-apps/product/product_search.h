/*
 * Full-text search: what a client typed as a query of the store's index, and the candidates it
 * finds. Only the newest PRODUCT_SEARCH_CANDIDATES matches are candidates: the index hands them out
 * in that order, so a word that every product has costs what a word in a thousand products costs.
 * bm25() and its kin are not used, as they read every match to weigh a word.
 */
#ifndef PRODUCT_PRODUCT_SEARCH_H
#define PRODUCT_PRODUCT_SEARCH_H

#include "base/text.h"
#include "storage/db.h"

#define PRODUCT_SEARCH_WORDS_MAX  16
#define PRODUCT_SEARCH_CANDIDATES 1000

/*
 * Appends the index query for products that have all words of q, and those of category and tag (or
 * NULL) in these columns: a superset of the exact matches, narrowed by the index. SQLite's words
 * are quoted and PostgreSQL's go through product_query(), so nothing that was typed is understood
 * as query syntax. Without a letter or digit in q the query matches nothing. -EINVAL: more than
 * PRODUCT_SEARCH_WORDS_MAX words; -ENOMEM.
 */
int product_search_match(enum db_dialect dialect, const char *q, const char *category,
			 const char *tag, struct text *out);

/*
 * The candidates as SQL: "SELECT … AS hit, … AS score", $1 the index query, $2 the highest seq that
 * takes part. score is a whole number, higher for words in sku, then name, then category and tags,
 * then description; 0 throughout when not ranked, which is cheaper.
 */
const char *product_search_hits(enum db_dialect dialect, bool ranked);

/* A db_function for before_commit: brings SQLite's index up to date with the group's changes. */
int product_search_update(struct db_conn *conn, void *unused);

#endif
