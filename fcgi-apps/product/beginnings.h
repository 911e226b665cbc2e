/*
 * The words of SQLite's index that begin as a typed one does, by its list of words
 * (https://www.sqlite.org/fts5.html#the_fts5vocab_virtual_table_module). FTS5 itself would read all
 * that it has of each of them before the first match, of a million products 75 ms and 18 MB; a
 * query that names the words reads no more than its candidates. Inside db_read; thread-safe (no
 * state).
 */
#ifndef PRODUCT_BEGINNINGS_H
#define PRODUCT_BEGINNINGS_H

#include "base/text.h"
#include "storage/conn.h"

/* Words that are named. Each costs a place in every piece of the index, and a page of memory. */
#define BEGINNINGS_MAX 32

/* Places in products that FTS5 is left to read all of: a few milliseconds, a megabyte. */
#define BEGINNINGS_PLACES 20000

/* Places of the word itself that are gone through to find a longer one. */
#define BEGINNINGS_PASSED 128

/* One owner. */
struct beginnings {
	struct text words; /* in the order of their bytes, with a space between two */
	bool are_more;     /* than these */
	bool are_read;     /* all of them, by FTS5: there are more, but all have few places */
};
void beginnings_release(struct beginnings *beginnings);

/* What a query may look for of a beginning: parts of the two figures above. */
struct beginnings_share {
	size_t words;
	size_t places;
};

/* Those that begin with the word; longer: but not itself. An error of the store, -ENOMEM. */
int beginnings_find(struct db_conn *conn, const char *word, size_t length, bool longer,
		    const struct beginnings_share *share, struct beginnings *ret_beginnings);

/* Whether there are longer ones: 0: no; 1: yes, or the word itself has too many places to know;
 * or an error as above. */
int beginnings_exist(struct db_conn *conn, const char *word, size_t length);

#endif
