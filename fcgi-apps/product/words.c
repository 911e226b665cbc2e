#include "product/words.h"

#include <stdlib.h>

#include "base/unicode.h"

/* The tatweel only stretches an Arabic word. */
#define TATWEEL 0x0640

/* A letter of a script without spaces, with its marks. */
#define CLUSTER_MAX 8
struct cluster {
	uint32_t characters[CLUSTER_MAX];
	size_t length;
};

struct builder {
	struct text *out;
	size_t words;                     /* a run of unspaced letters counts as one */
	uint32_t base;                    /* the letter that marks belong to, or 0 */
	uint32_t word[WORDS_LETTERS_MAX]; /* the current word, of a script with spaces */
	size_t length;
	struct cluster before, current; /* the last two letters of an unspaced run */
	size_t row;                     /* number of letters in the run */
	bool row_ended;
};

static void begin_word(struct builder *builder)
{
	if (builder->out->length > 0)
		text_append_char(builder->out, ' ');
}

static void end_word(struct builder *builder)
{
	if (builder->length > 0) {
		begin_word(builder);
		unicode_append_word(builder->out, builder->word, builder->length);
		builder->words++;
	}
	builder->length = 0;
	builder->base = 0;
}

static void append_clusters(struct builder *builder, const struct cluster *first,
			    const struct cluster *second)
{
	uint32_t both[2 * CLUSTER_MAX];

	memcpy(both, first->characters, first->length * sizeof(both[0]));
	memcpy(both + first->length, second->characters, second->length * sizeof(both[0]));
	begin_word(builder);
	unicode_append_word(builder->out, both, first->length + second->length);
}

/* Call when the current letter of the run has all its marks. */
static void end_cluster(struct builder *builder)
{
	if (builder->current.length == 0)
		return;
	if (builder->row++ > 0)
		append_clusters(builder, &builder->before, &builder->current);
	builder->before = builder->current;
	builder->current.length = 0;
}

static void end_row(struct builder *builder)
{
	static const struct cluster none = {.length = 0};

	end_cluster(builder);
	if (builder->row > 0) {
		append_clusters(builder, &builder->before, &none);
		builder->words++;
	}
	builder->row = 0;
	builder->row_ended = false;
}

static void separate(struct builder *builder)
{
	end_word(builder);
	end_cluster(builder);
	builder->row_ended = builder->row > 0;
}

static void add_unspaced(struct builder *builder, uint32_t letter)
{
	end_word(builder);
	if (builder->row_ended)
		end_row(builder);
	end_cluster(builder);
	builder->base = letter;
	builder->current = (struct cluster){.characters = {letter}, .length = 1};
}

static void add_character(struct builder *builder, uint32_t character)
{
	if (builder->current.length > 0 && unicode_class(character) == UNICODE_MARK) {
		if (builder->current.length < CLUSTER_MAX)
			builder->current.characters[builder->current.length++] = character;
		return;
	}
	end_row(builder);
	if (builder->length < WORDS_LETTERS_MAX)
		builder->word[builder->length++] = character;
}

/* Letters that the root collation sorts with others although Unicode does not decompose them. */
static bool add_variant(struct builder *builder, uint32_t letter)
{
	static const struct {
		uint32_t letter;
		char same[3];
	} variants[] = {{0x00E6, "ae"}, {0x00F0, "d"}, {0x00F8, "o"}, {0x0111, "d"},
			{0x0127, "h"},  {0x0142, "l"}, {0x0153, "oe"}};

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		if (variants[i].letter != letter)
			continue;
		for (const char *c = variants[i].same; *c; c++)
			add_character(builder, (unsigned char)*c);
		return true;
	}
	return false;
}

static void add_letter(struct builder *builder, uint32_t letter)
{
	if (unicode_is_unspaced(letter)) {
		add_unspaced(builder, letter);
		return;
	}
	builder->base = letter;
	if (letter != TATWEEL && !add_variant(builder, letter))
		add_character(builder, letter);
}

/* Takes a character that is already folded. */
static void add(struct builder *builder, uint32_t character)
{
	switch (unicode_class(character)) {
	case UNICODE_IGNORED:
		break;
	case UNICODE_SEPARATOR:
		separate(builder);
		break;
	case UNICODE_DIGIT:
		builder->base = character;
		add_character(builder, '0' + unicode_digit(character));
		break;
	case UNICODE_LETTER:
		add_letter(builder, character);
		break;
	case UNICODE_MARK: /* a mark without a letter counts for nothing */
		if (builder->base && !unicode_is_accent(builder->base, character))
			add_character(builder, character);
		break;
	}
}

static bool is_ascii_word(unsigned char byte)
{
	unsigned char lower = byte | 0x20;

	return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z');
}

static void add_ascii(struct builder *builder, const char *text, size_t length)
{
	end_row(builder);
	begin_word(builder);
	builder->words++;
	if (length > WORDS_LETTERS_MAX)
		length = WORDS_LETTERS_MAX;
	char *end = text_reserve(builder->out, length);
	if (!end)
		return;
	for (size_t i = 0; i < length; i++)
		end[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
	text_commit(builder->out, length);
}

/* Selects the characters to fold. A symbol is not a word, even if it decomposes into letters
 * (™). */
static size_t read_characters(const char *text, size_t length, uint32_t *characters)
{
	size_t count = 0;

	for (size_t i = 0; i < length;) {
		uint32_t character;

		i += unicode_decode(text + i, length - i, &character);
		if (unicode_is_fraction(character))
			characters[count++] = ' ';
		if (unicode_class(character) == UNICODE_SEPARATOR)
			character = ' ';
		characters[count++] = character;
	}
	return count;
}

static void add_folded(struct builder *builder, const char *text, size_t length)
{
	/* Each fraction becomes two characters, but has at least two bytes. */
	uint32_t *characters = malloc(length * sizeof(*characters));
	uint32_t *folded = NULL;
	size_t count = 0;
	int r = -ENOMEM;

	if (characters)
		r = unicode_fold(characters, read_characters(text, length, characters), &folded,
				 &count);
	for (size_t i = 0; i < count; i++)
		add(builder, folded[i]);
	if (r < 0 && !builder->out->error)
		builder->out->error = r;
	free(folded);
	free(characters);
}

/* Other ASCII characters separate words, and no Unicode rule reaches across them. */
static void add_text(struct builder *builder, const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t start = i;
		bool ascii = true;

		for (; i < length; i++) {
			unsigned char byte = (unsigned char)text[i];

			if (byte >= 0x80)
				ascii = false;
			else if (!is_ascii_word(byte))
				break;
		}
		if (i > start && ascii)
			add_ascii(builder, text + start, i - start);
		else if (i > start)
			add_folded(builder, text + start, i - start);
		separate(builder);
		i++;
	}
}

void words_of_text(struct text *out, const char *text, size_t length)
{
	struct builder builder = {.out = out};

	add_text(&builder, text, length);
	end_row(&builder);
}

size_t words_of_typed(struct text *out, const char *text, size_t length, bool *ret_begins)
{
	struct builder builder = {.out = out};

	add_text(&builder, text, length);
	*ret_begins = builder.row == 1;
	if (builder.row == 1)
		end_row(&builder);
	return builder.words + (builder.row > 1);
}
