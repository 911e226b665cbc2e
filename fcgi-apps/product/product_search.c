#include "product/product_search.h"

#include "base/unicode.h"
#include "product/beginnings.h"
#include "product/product.h"
#include "product/words.h"

/* 200 characters, each of which forms a pair of letters, four times for phrases on PostgreSQL. */
#define MATCH_MAX (256u << 10)
#define WORDS_MAX (8u << 10)

/* One form in which a product may contain the typed word or words. */
struct way {
	const char *words; /* borrowed, separated by spaces */
	size_t length;
	bool begins; /* the last word may go on */
};

#define WAYS_MAX 4
struct typed {
	struct way ways[WAYS_MAX];
	size_t count;
	bool counts_twice;              /* the first way is a whole word, which scores twice */
	char with_y[WORDS_LETTERS_MAX]; /* the singular of a word that ends in "ies" */
};

static bool ends_with(const struct way *way, const char *end)
{
	size_t length = strlen(end);

	return way->length > length && memcmp(way->words + way->length - length, end, length) == 0;
}

static bool is_ascii_letters(const struct way *way)
{
	for (size_t i = 0; i < way->length; i++) {
		if (way->words[i] < 'a' || way->words[i] > 'z')
			return false;
	}
	return true;
}

static void add_way(struct typed *typed, const char *words, size_t length)
{
	typed->ways[typed->count++] = (struct way){.words = words, .length = length};
}

/* lamps: lamp. boxes: box, and boxe as in sizes, size. batteries: battery, and batterie as in
 * hoodies, hoodie. glass, gas: themselves. */
static void add_singulars(struct typed *typed)
{
	static const char *const hissing[] = {"sses", "xes", "zes", "ches", "shes"};
	const struct way *whole = &typed->ways[0];

	if (whole->length < 4 || whole->length > WORDS_LETTERS_MAX || !is_ascii_letters(whole) ||
	    !ends_with(whole, "s") || ends_with(whole, "ss"))
		return;
	add_way(typed, whole->words, whole->length - 1);
	for (size_t i = 0; i < ARRAY_SIZE(hissing); i++) {
		if (ends_with(whole, hissing[i]))
			add_way(typed, whole->words, whole->length - 2);
	}
	if (ends_with(whole, "ies")) {
		memcpy(typed->with_y, whole->words, whole->length - 3);
		typed->with_y[whole->length - 3] = 'y';
		add_way(typed, typed->with_y, whole->length - 2);
	}
}

/* Whether the last word has enough letters; its marks count as letters here. */
static bool is_long_enough(const struct way *way)
{
	size_t letters = 0;

	for (size_t i = way->length; i > 0 && way->words[i - 1] != ' '; i--)
		letters += ((unsigned char)way->words[i - 1] & 0xC0) != 0x80;
	return letters >= PRODUCT_SEARCH_BEGINNING;
}

/* ---- SQLite: a query of FTS5 (its documentation, section 3) ---- */

/* The kinds of phrases, for weighted_words() (storage/sqlite_fts.c). */
#define ALONE       '1'
#define FIRST_TWICE 'w'
#define FIRST       'B'
#define JOINED      'b'

static void add_error(struct text *out, const struct text *part)
{
	if (text_error(part) < 0 && !out->error)
		out->error = text_error(part);
}

static void add_phrase(struct product_search *search, char kind, const struct way *way)
{
	struct text *out = &search->match;

	if (out->length > 0 && out->data[out->length - 1] != '(')
		text_append_string(out, " OR ");
	text_append_char(out, '"');
	text_append(out, way->words, way->length);
	text_append_string(out, way->begins ? "\" *" : "\"");
	text_append_char(&search->score, kind);
}

static size_t last_word(const struct way *way)
{
	size_t start = way->length;

	while (start > 0 && way->words[start - 1] != ' ')
		start--;
	return start;
}

/* One phrase per word: the way with its last word replaced by that word. */
static void add_phrases(struct product_search *search, char kind, const struct way *way,
			const struct text *words)
{
	struct text phrase CLEANUP(text_release) = TEXT_INIT(WORDS_MAX);
	const char *word = text_string(words);

	text_append(&phrase, way->words, last_word(way));
	while (*word) {
		size_t length = strcspn(word, " ");
		size_t before = phrase.length;

		text_append(&phrase, word, length);
		add_phrase(search, kind, &(struct way){text_string(&phrase), phrase.length, false});
		text_truncate(&phrase, before);
		kind = JOINED;
		word += length;
		word += *word == ' ';
	}
	add_error(&search->match, &phrase);
}

/* All phrases of a way count once. */
static int add_beginning(struct db_conn *conn, const struct beginnings_share *share, bool longer,
			 const struct way *way, struct product_search *search)
{
	struct beginnings found CLEANUP(beginnings_release) = {.are_read = !conn};
	char kind = longer ? JOINED : FIRST;
	size_t start = last_word(way);
	int r = 0;

	if (conn)
		r = beginnings_find(conn, way->words + start, way->length - start, longer, share,
				    &found);
	if (r < 0)
		return r;
	/* No word begins like this: the phrase stays, and finds nothing. */
	if (found.are_read || (!longer && found.words.length == 0)) {
		add_phrase(search, kind, way);
		return 0;
	}
	add_phrases(search, kind, way, &found.words);
	search->is_cut |= found.are_more;
	return 0;
}

static int add_fts(struct db_conn *conn, const struct beginnings_share *share,
		   const struct typed *typed, struct product_search *search)
{
	int r = 0;

	text_append_string(&search->match, search->match.length > 0 ? " AND (" : "(");
	for (size_t i = 0; i < typed->count && r == 0; i++) {
		const struct way *way = &typed->ways[i];

		if (way->begins)
			r = add_beginning(conn, share, typed->counts_twice, way, search);
		else
			add_phrase(search, i == 0 && typed->counts_twice ? FIRST_TWICE : ALONE,
				   way);
	}
	text_append_char(&search->match, ')');
	return r;
}

/* Category and tags share a column. */
static void add_label(const char *label, struct text *out)
{
	struct text words CLEANUP(text_release) = TEXT_INIT(WORDS_MAX);

	if (!label || out->length == 0)
		return;
	words_of_text(&words, label, strlen(label));
	add_error(out, &words);
	if (words.length > 0)
		text_printf(out, " AND labels : \"%s\"", text_string(&words));
}

/* ---- PostgreSQL: a tsquery (section 8.11 of its documentation) ---- */

/* Adjacent words within one field. The field matters because word positions run on from one field
 * to the next. */
static void add_row(const struct way *way, char weight, struct text *out)
{
	for (size_t i = 0; i < way->length;) {
		const char *word = way->words + i;
		const char *space = memchr(word, ' ', way->length - i);
		size_t length = space ? (size_t)(space - word) : way->length - i;

		if (i > 0)
			text_append_string(out, "<->");
		text_append(out, word, length);
		if (weight || (!space && way->begins))
			text_append_char(out, ':');
		if (!space && way->begins)
			text_append_char(out, '*');
		if (weight)
			text_append_char(out, weight);
		i += length + 1;
	}
}

static void add_tsquery(const struct typed *typed, struct text *out)
{
	text_append_string(out, out->length > 0 ? "&(" : "(");
	for (size_t i = 0; i < typed->count; i++) {
		const struct way *way = &typed->ways[i];

		if (i > 0)
			text_append_char(out, '|');
		if (!memchr(way->words, ' ', way->length)) {
			add_row(way, '\0', out);
			continue;
		}
		for (const char *weight = "ABCD"; *weight; weight++) {
			text_append_string(out, *weight == 'A' ? "(" : "|(");
			add_row(way, *weight, out);
			text_append_char(out, ')');
		}
	}
	text_append_char(out, ')');
}

static void add_scored(const struct way *way, struct text *out)
{
	for (const char *weight = "ABC"; *weight; weight++) {
		text_append_string(out, out->length > 0 ? ",\"" : "{\"");
		add_row(way, *weight, out);
		text_append_char(out, '"');
	}
}

static void add_score(const struct typed *typed, struct text *out)
{
	for (size_t i = 0; i < typed->count; i++)
		add_scored(&typed->ways[i], out);
	if (typed->counts_twice && !typed->ways[typed->count - 1].begins)
		add_scored(&typed->ways[0], out);
}

/* ---- both ---- */

/* A part of q between white space that has words. */
struct piece {
	size_t start; /* in pieces.words */
	size_t length;
	bool begins;
};

struct pieces {
	struct text words;
	struct piece list[PRODUCT_SEARCH_WORDS_MAX];
	size_t count;
	size_t word_count;
};

static void pieces_release(struct pieces *pieces)
{
	text_release(&pieces->words);
}

/* The bytes up to the next white space. */
static size_t piece_length(const char *q, size_t length)
{
	size_t end = 0;

	while (end < length) {
		uint32_t character;
		size_t size = unicode_decode(q + end, length - end, &character);

		if (unicode_is_white_space(character))
			break;
		end += size;
	}
	return end;
}

static int add_piece(struct pieces *pieces, const char *q, size_t length)
{
	struct piece piece = {.start = pieces->words.length};
	size_t count = words_of_typed(&pieces->words, q, length, &piece.begins);

	if (count == 0)
		return 0;
	pieces->word_count += count;
	if (pieces->word_count > PRODUCT_SEARCH_WORDS_MAX)
		return -EINVAL;
	piece.start += piece.start > 0; /* skips the space before it */
	piece.length = pieces->words.length - piece.start;
	pieces->list[pieces->count++] = piece;
	return text_error(&pieces->words);
}

static int split(const char *q, struct pieces *pieces)
{
	size_t left;
	int r = 0;

	q = unicode_trim(q, strlen(q), &left);
	while (left > 0 && r == 0) {
		size_t length = piece_length(q, left);

		r = add_piece(pieces, q, length);
		q = unicode_trim(q + length, left - length, &left);
	}
	return r;
}

/* The share of the limits that one beginning may use. */
static struct beginnings_share share_of(const struct pieces *pieces, const struct piece *piece)
{
	size_t beginnings = 1; /* the last piece may be one */
	size_t words = 1;

	for (size_t i = 0; i + 1 < pieces->count; i++)
		beginnings += pieces->list[i].begins;
	for (size_t i = 0; i < piece->length; i++)
		words += text_string(&pieces->words)[piece->start + i] == ' ';
	words = BEGINNINGS_MAX / (beginnings * words);
	return (struct beginnings_share){.words = words > 0 ? words : 1,
					 .places = BEGINNINGS_PLACES / beginnings};
}

/* Notes whether the last word may be the beginning of a longer one. */
static int note_beginning(struct db_conn *conn, const struct way *way,
			  struct product_search *search)
{
	size_t start = last_word(way);
	int r = 1;

	if (conn)
		r = beginnings_exist(conn, way->words + start, way->length - start);
	search->has_beginning = r == 1;
	return r < 0 ? r : 0;
}

static int add_piece_to(struct db_conn *conn, enum db_dialect dialect, const struct pieces *pieces,
			const struct piece *piece, bool beginning, struct product_search *search)
{
	bool last = piece == &pieces->list[pieces->count - 1];
	struct way whole = {text_string(&pieces->words) + piece->start, piece->length,
			    piece->begins};
	struct typed typed = {.ways = {whole}, .count = 1};
	struct beginnings_share share = share_of(pieces, piece);
	int r = 0;

	add_singulars(&typed);
	typed.counts_twice = last && !piece->begins && is_long_enough(&whole);
	if (typed.counts_twice)
		r = note_beginning(dialect == DB_SQLITE ? conn : NULL, &whole, search);
	if (search->has_beginning && beginning) {
		whole.begins = true;
		typed.ways[typed.count++] = whole;
	}
	if (r < 0 || dialect == DB_SQLITE)
		return r < 0 ? r : add_fts(conn, &share, &typed, search);
	add_tsquery(&typed, &search->match);
	add_score(&typed, &search->score);
	return 0;
}

static int add_pieces(struct db_conn *conn, enum db_dialect dialect, const struct pieces *pieces,
		      bool beginning, struct product_search *search)
{
	int r = 0;

	for (size_t i = 0; i < pieces->count && r == 0; i++)
		r = add_piece_to(conn, dialect, pieces, &pieces->list[i], beginning, search);
	return r;
}

static int search_error(const struct product_search *search)
{
	int r = text_error(&search->match);

	return r < 0 ? r : text_error(&search->score);
}

int product_search_init(struct db_conn *conn, enum db_dialect dialect, const char *q,
			const char *category, const char *tag, bool beginning,
			struct product_search *ret_search)
{
	struct pieces pieces CLEANUP(pieces_release) = {.words = TEXT_INIT(WORDS_MAX)};
	struct product_search search = {.match = TEXT_INIT(MATCH_MAX),
					.score = TEXT_INIT(MATCH_MAX)};

	int r = split(q, &pieces);
	if (r == 0)
		r = add_pieces(conn, dialect, &pieces, beginning, &search);
	if (dialect == DB_SQLITE) {
		add_label(category, &search.match);
		add_label(tag, &search.match);
	} else {
		text_append_string(&search.score, pieces.count > 0 ? "}" : "{}");
	}
	if (r == 0)
		r = search_error(&search);
	if (r < 0) {
		product_search_release(&search);
		return r;
	}
	*ret_search = search;
	return 0;
}

void product_search_release(struct product_search *search)
{
	text_release(&search->match);
	text_release(&search->score);
}

struct db_value product_search_match(enum db_dialect dialect, const struct product_search *search)
{
	if (search->match.length == 0) /* matches nothing: an empty FTS5 query, or null */
		return dialect == DB_SQLITE ? db_text("\"\"") : db_null();
	return db_bytes(text_string(&search->match), search->match.length);
}

const char *product_search_count(enum db_dialect dialect)
{
	return dialect == DB_SQLITE
		       ? "SELECT count(*) FROM (SELECT 1 FROM product_search WHERE product_search"
			 " MATCH $1 AND rowid <= $2 LIMIT " QUOTE(
				 PRODUCT_SEARCH_CANDIDATES) ") AS hits"
		       : "WITH matches AS MATERIALIZED (SELECT 1 FROM products"
			 "  WHERE deleted_at IS NULL AND search @@ $1::tsquery AND seq + 0 <= $2)"
			 " SELECT count(*) FROM (SELECT 1 FROM matches"
			 "  LIMIT " QUOTE(PRODUCT_SEARCH_CANDIDATES) ") AS hits";
}

#define AMONG_NEWEST(count)                                                                        \
	" FROM (SELECT search FROM products WHERE deleted_at IS NULL AND seq <= $2"                \
	" ORDER BY seq DESC LIMIT " QUOTE(count) ") AS newest WHERE search @@ $1::tsquery"
#define AMONG_LOOKED_AT AMONG_NEWEST(PRODUCT_SEARCH_LOOKED_AT)
#define ALL_CANDIDATES  QUOTE(PRODUCT_SEARCH_CANDIDATES)

/* A few of the newest products tell whether looking further is worthwhile. */
#define AMONG_FIRST AMONG_NEWEST(200)
#define FIRST_HAVE  "10"

const char *product_search_common(void)
{
	return "SELECT CASE WHEN (SELECT count(*)" AMONG_FIRST ") < " FIRST_HAVE " THEN 0"
	       " ELSE (SELECT CAST(count(*) = " ALL_CANDIDATES " AS integer)"
	       "  FROM (SELECT 1" AMONG_LOOKED_AT " LIMIT " ALL_CANDIDATES ") AS hits) END";
}

const char *product_search_score(enum db_dialect dialect)
{
	return dialect == DB_SQLITE
		       ? "weighted_words(product_search, $3, 8, 4, 2)"
		       : "(SELECT coalesce(sum(8 >> ((number - 1) % 3)::int), 0)"
			 " FROM unnest($3::tsquery[]) WITH ORDINALITY AS part (query, number)"
			 " WHERE search @@ part.query)";
}
