/*
 * Finds the words of SQLite's index that begin like a typed one, using the index's list of words
 * (https://www.sqlite.org/fts5.html#the_fts5vocab_virtual_table_module). For a beginning, FTS5
 * itself would read every occurrence of every such word before the first match: 75 ms and 18 MB
 * with a million products. A query that names the words reads only its candidates. Inside db_read;
 * thread-safe (no state).
 */
#ifndef PRODUCT_BEGINNINGS_H
#define PRODUCT_BEGINNINGS_H

#include "base/text.h"
#include "storage/conn.h"

/* How many words a query names. Each costs a look-up in every segment of the index, and a page of
 * memory. */
#define BEGINNINGS_MAX 32

/* How many occurrences FTS5 may read by itself: a few milliseconds, a megabyte. */
#define BEGINNINGS_PLACES 20000

/* How many occurrences of the word itself are skipped to find a longer one. */
#define BEGINNINGS_PASSED 128

/* One owner. */
struct beginnings {
	struct text words; /* sorted by bytes, separated by spaces */
	bool are_more;     /* more words than these begin like it */
	bool are_read;     /* FTS5 reads them all: there are more, but with few occurrences */
};
void beginnings_release(struct beginnings *beginnings);

/* The share of the two limits above that one beginning may use. */
struct beginnings_share {
	size_t words;
	size_t places;
};

/* Finds words that begin with the word; if longer, without the word itself. An error of the store,
 * -ENOMEM. */
int beginnings_find(struct db_conn *conn, const char *word, size_t length, bool longer,
		    const struct beginnings_share *share, struct beginnings *ret_beginnings);

/* Whether there are longer words. 0: no; 1: yes, or the word occurs too often to find out; or an
 * error as above. */
int beginnings_exist(struct db_conn *conn, const char *word, size_t length);

#endif
