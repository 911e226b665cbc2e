/*
 * Recursive descent that builds json-c objects. json-c's own tokener is not used: it accepts more
 * than JSON (single quotes, NaN, comments, duplicate names, clamped integers), and version 0.16
 * does not check every allocation, so it crashes or drops members when memory is short.
 */
#include "base/json_scan.h"
#include "base/json_tree.h"
#include "base/utf8.h"

#define DIGITS_OF(number) #number
#define TEXT_OF(number)   DIGITS_OF(number)

struct parser {
	struct json_scan scan;
	int depth_left;
	size_t values_left;
	struct text names; /* a stack of the names whose values are being read, each with NUL */
	size_t duplicate;  /* offset in names */
	bool has_duplicate;
};

static int parse_value(struct parser *parser, struct json_object **ret_value);

/* Reports a byte that the grammar does not allow here. */
static int unexpected(struct parser *parser, const char *fault)
{
	struct json_scan *scan = &parser->scan;
	return json_scan_fail(scan, scan->position,
			      scan->position == scan->length ? "unexpected end" : fault);
}

static int made(struct json_object *object, struct json_object **ret_value)
{
	if (!object)
		return -ENOMEM;
	*ret_value = object;
	return 0;
}

static int parse_number(struct parser *parser, struct json_object **ret_value)
{
	size_t start = parser->scan.position;
	bool whole;
	int64_t integer;
	int r = json_scan_number(&parser->scan, &whole, &integer);
	if (r < 0)
		return r;
	return made(json_number_object(whole ? &integer : NULL, parser->scan.text + start,
				       parser->scan.position - start),
		    ret_value);
}

/* Pushes the string that begins here on the names. */
static int push_name(struct parser *parser)
{
	struct json_scan *scan = &parser->scan;
	const char *source = scan->text + scan->position + 1;
	bool escaped;
	int r = json_scan_string(scan, &escaped);
	if (r < 0)
		return r;

	size_t length = (size_t)(scan->text + scan->position - 1 - source);
	char *name = text_reserve(&parser->names, length + 1);
	if (!name)
		return text_error(&parser->names);
	if (escaped)
		length = json_scan_decode(source, length, name);
	else
		memcpy(name, source, length);
	name[length] = '\0';
	text_commit(&parser->names, length + 1);
	return 0;
}

static int parse_string(struct parser *parser, struct json_object **ret_value)
{
	size_t mark = parser->names.length;
	int r = push_name(parser);
	if (r < 0)
		return r;
	size_t length = parser->names.length - mark - 1;
	r = made(json_object_new_string_len(parser->names.data + mark, (int)length), ret_value);
	text_truncate(&parser->names, mark);
	return r;
}

/* Reads the separator or the bracket. 1: another element follows; 0: the end. */
static int parse_separator(struct parser *parser, char bracket, const char *fault)
{
	json_scan_space(&parser->scan);
	char byte = json_scan_peek(&parser->scan);
	if (byte != ',' && byte != bracket)
		return unexpected(parser, fault);
	parser->scan.position++;
	return byte == ',';
}

/* Reads the opening bracket. 1: the container is not empty. */
static int parse_opening(struct parser *parser, char bracket)
{
	parser->scan.position++;
	json_scan_space(&parser->scan);
	if (json_scan_peek(&parser->scan) != bracket)
		return 1;
	parser->scan.position++;
	return 0;
}

static int parse_elements(struct parser *parser, struct json_object *array)
{
	int more = parse_opening(parser, ']');

	while (more > 0) {
		struct json_object *value;
		int r = parse_value(parser, &value);
		if (r < 0)
			return r;
		if (json_object_array_add(array, value) < 0) {
			json_object_put(value);
			return -ENOMEM;
		}
		more = parse_separator(parser, ']', "expected ',' or ']'");
	}
	return more;
}

static int parse_member(struct parser *parser, struct json_object *object)
{
	size_t mark = parser->names.length, start = parser->scan.position;
	struct json_object *value;

	if (json_scan_peek(&parser->scan) != '"')
		return unexpected(parser, "expected a member name in double quotes");
	int r = push_name(parser);
	if (r < 0)
		return r;
	if (json_object_object_get_ex(object, parser->names.data + mark, NULL)) {
		parser->has_duplicate = true;
		parser->duplicate = mark;
		return json_scan_fail(&parser->scan, start, "duplicate member");
	}
	json_scan_space(&parser->scan);
	if (json_scan_peek(&parser->scan) != ':')
		return unexpected(parser, "expected ':'");
	parser->scan.position++;
	r = parse_value(parser, &value);
	if (r < 0)
		return r;
	if (json_object_object_add_ex(object, parser->names.data + mark, value,
				      JSON_C_OBJECT_ADD_KEY_IS_NEW) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	text_truncate(&parser->names, mark);
	return 0;
}

static int parse_members(struct parser *parser, struct json_object *object)
{
	int more = parse_opening(parser, '}');

	while (more > 0) {
		json_scan_space(&parser->scan);
		int r = parse_member(parser, object);
		if (r < 0)
			return r;
		more = parse_separator(parser, '}', "expected ',' or '}'");
	}
	return more;
}

static int parse_container(struct parser *parser, struct json_object *container,
			   int (*parse_inside)(struct parser *, struct json_object *),
			   struct json_object **ret_value)
{
	int r;

	if (!container)
		return -ENOMEM;
	if (parser->depth_left > 0) {
		parser->depth_left--;
		r = parse_inside(parser, container);
		parser->depth_left++;
	} else {
		r = unexpected(parser, "nested too deeply");
	}
	if (r < 0) {
		json_object_put(container);
		return r;
	}
	*ret_value = container;
	return 0;
}

static int parse_value(struct parser *parser, struct json_object **ret_value)
{
	json_scan_space(&parser->scan);
	if (parser->values_left == 0)
		return unexpected(parser, "more than " TEXT_OF(JSON_VALUES_MAX) " values");
	parser->values_left--;
	switch (json_scan_peek(&parser->scan)) {
	case '{':
		return parse_container(parser, json_object_new_object(), parse_members, ret_value);
	case '[':
		return parse_container(parser, json_object_new_array(), parse_elements, ret_value);
	case '"':
		return parse_string(parser, ret_value);
	case '-':
	case '0' ... '9':
		return parse_number(parser, ret_value);
	}
	if (json_scan_word(&parser->scan, "true"))
		return made(json_object_new_boolean(true), ret_value);
	if (json_scan_word(&parser->scan, "false"))
		return made(json_object_new_boolean(false), ret_value);
	if (json_scan_word(&parser->scan, "null")) {
		*ret_value = NULL;
		return 0;
	}
	return unexpected(parser, "expected a value");
}

static void describe(const struct parser *parser, struct json_error *reterr_error)
{
	const struct json_scan *scan = &parser->scan;
	struct json_error error = {.offset = scan->position, .line = 1, .column = 1};

	for (size_t i = 0; i < scan->position; i++) {
		error.column++;
		if (scan->text[i] == '\n') {
			error.line++;
			error.column = 1;
		}
	}
	if (parser->has_duplicate) {
		const char *name = parser->names.data + parser->duplicate;
		snprintf(error.detail, sizeof(error.detail), "%s \"%.*s\"", scan->fault,
			 (int)utf8_cut(name, strlen(name), 80), name);
	} else {
		snprintf(error.detail, sizeof(error.detail), "%s", scan->fault);
	}
	*reterr_error = error;
}

static int parse(struct parser *parser, struct json **ret_value, struct json_error *reterr_error)
{
	struct json_scan *scan = &parser->scan;
	struct json_object *value = NULL;

	text_init(&parser->names, TEXT_UNLIMITED);
	int r = scan->length <= INT32_MAX ? parse_value(parser, &value)
					  : json_scan_fail(scan, 0, "too long");
	if (r == 0) {
		json_scan_space(scan);
		if (scan->position < scan->length) {
			json_object_put(value);
			r = json_scan_fail(scan, scan->position, "text after the value");
		}
	}
	if (r == 0)
		*ret_value = json_wrap(value);
	else if (r == -EINVAL)
		describe(parser, reterr_error);
	text_release(&parser->names);
	return r;
}

int json_parse(const char *text, size_t length, int depth_limit, struct json **ret_value,
	       struct json_error *reterr_error)
{
	struct parser parser = {.scan = {text, length, 0, NULL},
				.depth_left = depth_limit,
				.values_left = SIZE_MAX};

	return parse(&parser, ret_value, reterr_error);
}

int json_parse_input(const char *text, size_t length, struct json **ret_value,
		     struct json_error *reterr_error)
{
	struct parser parser = {.scan = {text, length, 0, NULL},
				.depth_left = JSON_DEPTH_MAX,
				.values_left = JSON_VALUES_MAX};

	return parse(&parser, ret_value, reterr_error);
}
