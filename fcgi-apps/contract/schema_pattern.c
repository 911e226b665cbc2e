#include "contract/schema_pattern.h"

#include <regex.h>

#include "base/text.h"

#define PATTERN_LENGTH_MAX 1024
#define REPEAT_MAX         1000 /* libc copies the repeated part that often */

/* One character beyond ASCII, and such bytes inside a class: libc sees bytes in the C locale. */
#define WIDE_CHARACTER "[\xc2-\xf4][\x80-\xbf]+"
#define WIDE_BYTES     "\x80-\xff"

struct pattern {
	regex_t regex;
};

struct translation {
	const char *position;
	struct text out;
	bool atom;     /* something stands before that a quantifier may repeat */
	size_t groups; /* that are open */
	const char *reason;
};

static bool is_visible(char byte)
{
	return byte >= ' ' && byte <= '~';
}

static int refuse(struct translation *translation, const char *reason)
{
	translation->reason = reason;
	return -EINVAL;
}

static int translate_escape(struct translation *translation)
{
	char byte = translation->position[1];

	if (!byte || !strchr("^$\\.*+?()[]{}|/", byte))
		return refuse(translation, "\\ may only stand before a syntax character");
	/* POSIX leaves a backslash before these undefined; bare they are themselves. */
	if (!strchr("]}/", byte))
		text_append_char(&translation->out, '\\');
	text_append_char(&translation->out, byte);
	translation->position += 2;
	translation->atom = true;
	return 0;
}

static int translate_class(struct translation *translation)
{
	const char *start = translation->position + 1, *end;
	bool negated = *start == '^';
	size_t length;

	start += negated;
	if (*start == ']')
		return refuse(translation, "a class must not begin with ]");
	for (end = start; *end != ']'; end++) {
		if (!*end)
			return refuse(translation, "a class is not closed");
		if (*end == '\\')
			return refuse(translation, "no \\ inside a class");
		if (!is_visible(*end))
			return refuse(translation, "only visible ASCII inside a class");
		if (*end == '[' && end[1] && strchr(":.=", end[1]))
			return refuse(translation, "no POSIX names inside a class");
	}
	length = (size_t)(end - start);
	translation->position = end + 1;
	translation->atom = true;
	if (!negated) {
		text_append_char(&translation->out, '[');
		text_append(&translation->out, start, length);
		text_append_char(&translation->out, ']');
		return 0;
	}
	/* A '-' is only itself at an end of the class, so it goes to the front. */
	text_append_string(&translation->out, "([^");
	if (start[length - 1] == '-') {
		length--;
		if (length == 0 || *start != '-')
			text_append_char(&translation->out, '-');
	}
	text_append(&translation->out, start, length);
	text_append_string(&translation->out, WIDE_BYTES "]|" WIDE_CHARACTER ")");
	return 0;
}

/* Reads digits; -1 when there are none or the number is too large. */
static int read_count(const char **position)
{
	int count = -1;

	for (; **position >= '0' && **position <= '9'; (*position)++) {
		count = (count < 0 ? 0 : count) * 10 + (**position - '0');
		if (count > REPEAT_MAX)
			return -1;
	}
	return count;
}

static int translate_quantifier(struct translation *translation)
{
	const char *end = translation->position + 1;

	if (!translation->atom)
		return refuse(translation, "a quantifier has nothing to repeat");
	if (*translation->position == '{') {
		int lowest = read_count(&end);
		bool bad = lowest < 0;

		if (!bad && *end == ',') {
			end++;
			bad = *end != '}' && read_count(&end) < lowest;
		}
		if (bad || *end != '}')
			return refuse(translation, "a {quantifier} must be {n}, {n,} or {n,m}, at "
						   "most 1000");
		end++;
	}
	text_append(&translation->out, translation->position,
		    (size_t)(end - translation->position));
	translation->position = end;
	translation->atom = false; /* so that *? and ++ are refused */
	return 0;
}

static int translate_group(struct translation *translation)
{
	const char *position = translation->position + 1;

	if (*position == '?') {
		if (position[1] != ':')
			return refuse(translation, "the only (? group is (?:");
		position += 2;
	}
	text_append_char(&translation->out, '(');
	translation->position = position;
	translation->atom = false;
	translation->groups++;
	return 0;
}

/* POSIX takes one too many for itself. */
static int translate_group_end(struct translation *translation)
{
	if (translation->groups == 0)
		return refuse(translation, "a ) without its (");
	text_append_char(&translation->out, ')');
	translation->position++;
	translation->atom = true;
	translation->groups--;
	return 0;
}

static int translate_one(struct translation *translation)
{
	char byte = *translation->position;

	switch (byte) {
	case '\\':
		return translate_escape(translation);
	case '[':
		return translate_class(translation);
	case '*':
	case '+':
	case '?':
	case '{':
		return translate_quantifier(translation);
	case '(':
		return translate_group(translation);
	case ')':
		return translate_group_end(translation);
	case '.':
		return refuse(translation, "'.' differs between dialects; name the characters");
	case ']':
	case '}':
		return refuse(translation, "] and } need a \\");
	default:
		break;
	}
	if (!is_visible(byte))
		return refuse(translation, "only visible ASCII");
	text_append_char(&translation->out, byte);
	translation->atom = !strchr("|^$", byte);
	translation->position++;
	return 0;
}

static int compile_translated(const char *translated, struct pattern **ret_pattern, char *reason,
			      size_t size)
{
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	int error;

	if (!pattern)
		return -ENOMEM;
	error = regcomp(&pattern->regex, translated, REG_EXTENDED | REG_NOSUB);
	if (error) {
		regerror(error, &pattern->regex, reason, size);
		free(pattern);
		return error == REG_ESPACE ? -ENOMEM : -EINVAL;
	}
	*ret_pattern = pattern;
	return 0;
}

int pattern_compile(const char *source, struct pattern **ret_pattern, char *reason, size_t size)
{
	struct translation translation = {.position = source};
	int result = 0;

	/* A negated class grows by less than 24 bytes. */
	text_init(&translation.out, PATTERN_LENGTH_MAX * 24);
	if (strlen(source) > PATTERN_LENGTH_MAX)
		result = refuse(&translation, "longer than 1024 bytes");
	while (result == 0 && *translation.position)
		result = translate_one(&translation);
	if (result == 0)
		result = text_error(&translation.out);
	if (result == 0)
		result = compile_translated(text_string(&translation.out), ret_pattern, reason,
					    size);
	else if (result == -EINVAL)
		snprintf(reason, size, "%s", translation.reason);
	text_release(&translation.out);
	return result;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	regfree(&pattern->regex);
	free(pattern);
}

int pattern_matches(const struct pattern *pattern, const char *text, size_t length)
{
	regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)length};
	int error = regexec(&pattern->regex, text, 0, &range, REG_STARTEND);

	return error == 0 ? 1 : error == REG_NOMATCH ? 0 : -ENOMEM;
}
