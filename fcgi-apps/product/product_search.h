/*
 * Full-text search: what a client typed as a query of the store's index, and the candidates it
 * finds. Words are those of words.h, in both stores. What is typed between two white spaces is
 * found where a product has its words side by side in one of sku, name, category and tags,
 * description; all of these must be found.
 *
 * The last word is also the beginning of one, from PRODUCT_SEARCH_BEGINNING letters on, unless
 * PRODUCT_SEARCH_CANDIDATES products have it as it is. How many words are looked for is bounded on
 * SQLite (beginnings.h). A typed word that may be an English plural also finds its singular.
 *
 * Only the newest PRODUCT_SEARCH_CANDIDATES matches are candidates: the index hands them out in
 * that order, so a word that every product has costs what a word in a thousand products costs.
 * bm25() and its kin are not used, as they read every match to weigh a word.
 */
#ifndef PRODUCT_PRODUCT_SEARCH_H
#define PRODUCT_PRODUCT_SEARCH_H

#include "base/text.h"
#include "storage/conn.h"

#define PRODUCT_SEARCH_WORDS_MAX  16
#define PRODUCT_SEARCH_BEGINNING  3
#define PRODUCT_SEARCH_CANDIDATES 1000

/* Filters of price and stock, which no index of words knows, look at so many matches. */
#define PRODUCT_SEARCH_LOOKED_AT 20000

/* One owner. */
struct product_search {
	struct text match;  /* the index query; "" where nothing can be found */
	struct text score;  /* PostgreSQL: an array of the queries that the score is made of;
			     * SQLite: the kinds of the query's phrases (storage/sqlite_fts.c) */
	bool has_beginning; /* the last word may be the beginning of one */
	bool is_cut;        /* more words begin so than are looked for */
	bool is_common;     /* PostgreSQL: the newest products have enough matches */
};

/*
 * Makes the query for q. With beginning, the last word may be one. SQLite's is narrowed to products
 * that have the words of category and of tag (or NULL) among theirs: a superset of the exact
 * matches; conn is where it looks up the words that begin so (NULL: FTS5 finds them, however many).
 * -EINVAL: more than PRODUCT_SEARCH_WORDS_MAX words; an error of the store; -ENOMEM.
 */
int product_search_init(struct db_conn *conn, enum db_dialect dialect, const char *q,
			const char *category, const char *tag, bool beginning,
			struct product_search *ret_search);
void product_search_release(struct product_search *search);

/* The parameter $1 of all these statements: the index query. */
struct db_value product_search_match(enum db_dialect dialect, const struct product_search *search);

/* How many of the first candidates there are, at most PRODUCT_SEARCH_CANDIDATES; $2 is the highest
 * seq that takes part. */
const char *product_search_count(enum db_dialect dialect);

/*
 * PostgreSQL: whether the newest PRODUCT_SEARCH_LOOKED_AT products have all candidates, and so are
 * better walked over; a row with 1 or 0. Otherwise the matches come from the index of words, all of
 * them. Its planner has no figure of a beginning, nor of words together: it took one that nothing
 * begins with for so common that it read a million products in vain.
 */
const char *product_search_common(void);

/*
 * The score of a match, as SQL that takes $3, the search's score: for each thing typed 8 where sku
 * has its words, 4 where name has them, 2 where category or tags have them; as much again for whole
 * words where a beginning would do.
 */
const char *product_search_score(enum db_dialect dialect);

#endif
