/*
 * Full-text search: what a client typed as a query of the store's index, and the candidates it
 * finds. Words are those of words.h, in both stores. A piece of the query between two white spaces
 * matches a product that has its words side by side in one field: sku, name, category and tags, or
 * description. A product must match all pieces.
 *
 * From PRODUCT_SEARCH_BEGINNING letters on, the last word also matches longer words that begin with
 * it, unless PRODUCT_SEARCH_CANDIDATES products have it as it stands. On SQLite the number of such
 * words is bounded (beginnings.h). A typed word that may be an English plural also finds its
 * singular.
 *
 * Only the newest PRODUCT_SEARCH_CANDIDATES matches are candidates. The index yields them in that
 * order, so a word that every product has costs as much as one that a thousand products have.
 * bm25() and similar functions are not used, because they read every match to weigh a word.
 */
#ifndef PRODUCT_PRODUCT_SEARCH_H
#define PRODUCT_PRODUCT_SEARCH_H

#include "base/text.h"
#include "storage/conn.h"

#define PRODUCT_SEARCH_WORDS_MAX  16
#define PRODUCT_SEARCH_BEGINNING  3
#define PRODUCT_SEARCH_CANDIDATES 1000

/* How many matches are examined for filters of price and stock, which no index of words has. */
#define PRODUCT_SEARCH_LOOKED_AT 20000

/* One owner. */
struct product_search {
	struct text match;  /* the index query; "" finds nothing */
	struct text score;  /* PostgreSQL: an array of the queries that make up the score;
			     * SQLite: the kinds of the query's phrases (storage/sqlite_fts.c) */
	bool has_beginning; /* the last word may be the beginning of a longer one */
	bool is_cut;        /* more words have this beginning than are searched */
	bool is_common;     /* PostgreSQL: the newest products have enough matches */
};

/*
 * Makes the query for q. With beginning, the last word may be the beginning of a longer one.
 * SQLite's query is narrowed to products that have the words of category and tag (if not NULL)
 * among theirs, a superset of the exact matches. conn is used to look up words by their beginning
 * (NULL: FTS5 finds them, however many). -EINVAL: more than PRODUCT_SEARCH_WORDS_MAX words; an
 * error of the store; -ENOMEM.
 */
int product_search_init(struct db_conn *conn, enum db_dialect dialect, const char *q,
			const char *category, const char *tag, bool beginning,
			struct product_search *ret_search);
void product_search_release(struct product_search *search);

/* Parameter $1 of all these statements: the index query. */
struct db_value product_search_match(enum db_dialect dialect, const struct product_search *search);

/* Counts the candidates, at most PRODUCT_SEARCH_CANDIDATES; $2 is the highest seq to search. */
const char *product_search_count(enum db_dialect dialect);

/*
 * PostgreSQL: a row with 1 if the newest PRODUCT_SEARCH_LOOKED_AT products include all candidates,
 * so that walking them is better; with 0 otherwise, and then all matches come from the index of
 * words. The planner has no statistics of beginnings or of words together: it once took a beginning
 * that no word has for so common that it read a million products in vain.
 */
const char *product_search_common(void);

/*
 * The score of a match, as SQL with the search's score as $3. Each typed piece scores 8 where sku
 * has its words, 4 where name has them, 2 where category or tags have them. A whole word scores
 * twice where a beginning would do.
 */
const char *product_search_score(enum db_dialect dialect);

#endif
