#include "product/beginnings.h"

#include "product/product.h"

#define WORD_MAX  1024
#define WORDS_MAX (BEGINNINGS_MAX * WORD_MAX)

/* Sort before and after everything that can continue a word: words are letters, marks and
 * digits. */
#define FIRST "\x01"
#define LAST  "\xf4\x8f\xbf\xbf"

#define PLACES " FROM product_search_places WHERE term >= $1 AND term <= $2"

void beginnings_release(struct beginnings *beginnings)
{
	text_release(&beginnings->words);
}

/* The terms from one word to another, inclusive. */
struct range {
	struct text from;
	struct text to;
};

static void range_release(struct range *range)
{
	text_release(&range->from);
	text_release(&range->to);
}

static void range_init(struct range *range, const char *word, size_t length, bool longer)
{
	text_init(&range->from, WORD_MAX);
	text_init(&range->to, WORD_MAX);
	text_append(&range->from, word, length);
	text_append(&range->to, word, length);
	text_append_string(&range->to, LAST);
	if (longer)
		text_append_string(&range->from, FIRST);
}

static int range_error(const struct range *range)
{
	return text_error(&range->from) < 0 ? text_error(&range->from) : text_error(&range->to);
}

static struct db_value value_of(const struct text *text)
{
	return db_bytes(text_string(text), text->length);
}

/* Appends the range's first word and removes it from the range. 1, or 0 if the range is empty. */
static int take_word(struct db_conn *conn, struct range *range, struct text *words)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	size_t length = 0;
	int r = range_error(range);

	if (r == 0)
		r = db_query_row(conn, "SELECT term" PLACES " LIMIT 1",
				 DB_VALUES(value_of(&range->from), value_of(&range->to)), &rows);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	const char *word = db_column_text(rows, 0, &length);
	if (words->length > 0)
		text_append_char(words, ' ');
	text_append(words, word, length);
	text_reset(&range->from);
	text_append(&range->from, word, length);
	text_append_string(&range->from, FIRST);
	return 1;
}

/* 1: words with this beginning have fewer places than that; 0: as many or more. */
static int has_few_places(struct db_conn *conn, const char *word, size_t length, size_t places)
{
	struct range range CLEANUP(range_release) = {0};
	int64_t count = 0;

	range_init(&range, word, length, false);
	int r = range_error(&range);
	if (r == 0)
		r = db_query_int(conn, "SELECT count(*) FROM (SELECT 1" PLACES " LIMIT $3)",
				 DB_VALUES(value_of(&range.from), value_of(&range.to),
					   db_int((int64_t)places)),
				 &count);
	return r < 0 ? r : count < (int64_t)places;
}

int beginnings_find(struct db_conn *conn, const char *word, size_t length, bool longer,
		    const struct beginnings_share *share, struct beginnings *ret_beginnings)
{
	struct beginnings found = {.words = TEXT_INIT(WORDS_MAX)};
	struct range range CLEANUP(range_release) = {0};
	struct text next CLEANUP(text_release) = TEXT_INIT(WORD_MAX);
	int r = 1;

	range_init(&range, word, length, longer);
	for (size_t i = 0; i < share->words && r == 1; i++)
		r = take_word(conn, &range, &found.words);
	if (r == 1)
		r = take_word(conn, &range, &next);
	if (r == 1) {
		found.are_more = true;
		r = has_few_places(conn, word, length, share->places);
		found.are_read = r == 1;
	}
	if (r >= 0)
		r = text_error(&found.words);
	if (r < 0) {
		beginnings_release(&found);
		return r;
	}
	*ret_beginnings = found;
	return 0;
}

int beginnings_exist(struct db_conn *conn, const char *word, size_t length)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct range range CLEANUP(range_release) = {0};
	int places = 0;

	range_init(&range, word, length, false);
	int r = range_error(&range);
	if (r == 0)
		r = db_query(conn, "SELECT term" PLACES " LIMIT " QUOTE(BEGINNINGS_PASSED),
			     DB_VALUES(value_of(&range.from), value_of(&range.to)), &rows);
	while (r >= 0 && (r = db_next(rows)) == 1) {
		size_t found;

		db_column_text(rows, 0, &found);
		if (found > length)
			return 1;
		places++;
	}
	return r < 0 ? r : places == BEGINNINGS_PASSED;
}
