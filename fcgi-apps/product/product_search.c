#include "product/product_search.h"

#include "base/utf8.h"

#define QUOTE(text)      QUOTE_TEXT(text)
#define QUOTE_TEXT(text) #text

#define NEWEST " LIMIT " QUOTE(PRODUCT_SEARCH_CANDIDATES)

#define SQLITE_HITS(score)                                                                         \
	"SELECT rowid AS hit, " score " AS score FROM product_search"                              \
	" WHERE product_search MATCH $1 AND rowid <= $2 ORDER BY rowid DESC" NEWEST

#define POSTGRES_HITS(score)                                                                       \
	"SELECT seq AS hit, " score " AS score FROM products"                                      \
	" WHERE deleted_at IS NULL AND search @@ product_query($1) AND seq <= $2"                  \
	" ORDER BY seq DESC" NEWEST

/* The same figure: the index remembers in which column (its weight) a word stands, each time. */
#define POSTGRES_SCORE                                                                             \
	"(SELECT coalesce(sum(CASE weight WHEN 'A' THEN 8 WHEN 'B' THEN 4 WHEN 'C' THEN 2"         \
	" ELSE 0 END), 0) FROM unnest(search) AS entry, unnest(entry.weights) AS weight"           \
	" WHERE entry.lexeme = ANY ((SELECT"                                                       \
	" tsvector_to_array(to_tsvector('simple', product_words($1))))::text[]))"

const char *product_search_hits(enum db_dialect dialect, bool ranked)
{
	if (dialect == DB_POSTGRES)
		return ranked ? POSTGRES_HITS(POSTGRES_SCORE) : POSTGRES_HITS("0");
	return ranked ? SQLITE_HITS("weighted_hits(product_search, 8, 4, 2, 2)") : SQLITE_HITS("0");
}

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/*
 * Where Unicode has neither letters nor numbers, of what people type: punctuation of Latin, in
 * general and of CJK, symbols, full-width forms, specials, pictographs. The bytes of UTF-8 are in
 * the order of the code points.
 */
static const struct {
	const char *first;
	const char *last;
} signs[] = {
	{"\xc2\x80", "\u00a9"},       {"\u00ab", "\u00b1"},         {"\u00b4", "\u00b4"},
	{"\u00b6", "\u00b8"},         {"\u00bb", "\u00bb"},         {"\u00bf", "\u00bf"},
	{"\u2000", "\u206f"},         {"\u2190", "\u245f"},         {"\u249c", "\u24e9"},
	{"\u2500", "\u2775"},         {"\u2794", "\u2bff"},         {"\u3000", "\u3004"},
	{"\u3008", "\u3020"},         {"\uff01", "\uff0f"},         {"\uff1a", "\uff20"},
	{"\uff3b", "\uff40"},         {"\uff5b", "\uff65"},         {"\ufff0", "\uffff"},
	{"\U0001f000", "\U0001f0ff"}, {"\U0001f10d", "\U0001faff"},
};

static bool is_sign(const char *character, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (strlen(signs[i].first) == size &&
		    memcmp(character, signs[i].first, size) >= 0 &&
		    memcmp(character, signs[i].last, size) <= 0)
			return true;
	}
	return false;
}

/*
 * Whether the index may find a letter or digit here: all of ASCII's, nearly anything beyond. FTS5
 * leaves a string without any out of the query, and what is left would match alone.
 */
static bool has_token(const char *word, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned char byte = (unsigned char)word[i];
		unsigned char lower = byte | 0x20;
		size_t size = utf8_character(word + i, length - i);

		if ((byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z'))
			return true;
		if (size > 1 && !is_sign(word + i, size))
			return true;
		i += size ? size : 1;
	}
	return false;
}

/* A string of FTS5 (its documentation, section 3.1): quotes inside are doubled. */
static void quote(const char *word, size_t length, struct text *out)
{
	text_append_char(out, '"');
	for (size_t i = 0; i < length; i++) {
		if (word[i] == '"')
			text_append_char(out, '"');
		text_append_char(out, word[i]);
	}
	text_append_char(out, '"');
}

static void append_column(const char *column, const char *value, struct text *out)
{
	if (!value || !has_token(value, strlen(value)))
		return;
	text_printf(out, " %s : ", column);
	quote(value, strlen(value), out);
}

/* Appends the words, quoted, with spaces between (which means AND). Returns how many. */
static size_t append_words(const char *q, struct text *out)
{
	size_t words = 0;

	while (*q) {
		size_t length = 0;

		while (q[length] && !is_space(q[length]))
			length++;
		if (has_token(q, length)) {
			if (words++ > 0)
				text_append_char(out, ' ');
			quote(q, length, out);
		}
		q += length;
		while (is_space(*q))
			q++;
	}
	return words;
}

int product_search_match(enum db_dialect dialect, const char *q, const char *category,
			 const char *tag, struct text *out)
{
	size_t start = out->length;
	size_t words = append_words(q, out);

	if (words > PRODUCT_SEARCH_WORDS_MAX)
		return -EINVAL;
	if (dialect == DB_POSTGRES) {
		text_truncate(out, start);
		text_append_string(out, q);
		return text_error(out);
	}
	if (words == 0) {
		text_append_string(out, "\"\"");
	} else {
		append_column("category", category, out);
		append_column("tags", tag, out);
	}
	return text_error(out);
}

static int any_changes(struct db_conn *conn)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn, "SELECT 1 FROM product_search_changes LIMIT 1", DB_NO_VALUES, &rows);

	return r < 0 ? r : db_next(rows);
}

int product_search_update(struct db_conn *conn, void *unused UNUSED)
{
	static const char *const steps[] = {
		"INSERT INTO product_search"
		" (product_search, rowid, sku, name, category, tags, description)"
		" SELECT 'delete', seq, sku, name, category, tags, description"
		" FROM product_search_changes WHERE was_indexed = 1",
		"INSERT INTO product_search (rowid, sku, name, category, tags, description)"
		" SELECT seq, sku, name, category, tags, description FROM products"
		" WHERE seq IN (SELECT seq FROM product_search_changes) AND deleted_at IS NULL",
		"DELETE FROM product_search_changes",
	};

	if (db_dialect(conn) != DB_SQLITE)
		return 0; /* a generated column does it */

	int r = any_changes(conn);

	for (size_t i = 0; r > 0 && i < ARRAY_SIZE(steps); i++) {
		int64_t changed = db_run(conn, steps[i], DB_NO_VALUES);

		if (changed < 0)
			r = (int)changed;
	}
	return r < 0 ? r : 0;
}
