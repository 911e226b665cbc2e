#include <limits.h>

#include "base/json_duplicate.h"
#include "base/json_scan.h"
#include "base/json_tree.h"

/* Fills in line and column of error->offset; returns -EINVAL. */
static int locate(const char *text, struct json_error *error)
{
	error->line = 1;
	error->column = 1;
	for (size_t i = 0; i < error->offset; i++) {
		error->column++;
		if (text[i] == '\n') {
			error->line++;
			error->column = 1;
		}
	}
	return -EINVAL;
}

static int refuse(const char *text, size_t offset, const char *detail, struct json_error *ret_error)
{
	*ret_error = (struct json_error){.offset = offset};
	snprintf(ret_error->detail, sizeof(ret_error->detail), "%s", detail);
	return locate(text, ret_error);
}

/* Counts the tree's values at every depth and completes its integers. -ENOMEM. */
static int64_t complete(struct json_object *object)
{
	int64_t values = 1;

	switch (json_object_get_type(object)) {
	case json_type_int:
		return json_keep_int_text(object) < 0 ? -ENOMEM : values;
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(object); i++) {
			int64_t inner = complete(json_object_array_get_idx(object, i));
			if (inner < 0)
				return inner;
			values += inner;
		}
		return values;
	case json_type_object:
		for (struct lh_entry *entry = lh_table_head(json_object_get_object(object)); entry;
		     entry = lh_entry_next(entry)) {
			int64_t inner = complete(lh_entry_v(entry));
			if (inner < 0)
				return inner;
			values += inner;
		}
		return values;
	default:
		return values;
	}
}

static struct json_object *parse_all(struct json_tokener *tokener, const char *text, size_t length)
{
	struct json_object *tree = json_tokener_parse_ex(tokener, text, (int)length);

	/* A number at the top may go on for all json-c knows: a NUL tells the end. */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		tree = json_tokener_parse_ex(tokener, "", 1);
	return tree;
}

/* *ret_tree is NULL for JSON null. */
static int parse_tree(const char *text, size_t length, int depth_limit,
		      struct json_object **ret_tree, struct json_error *ret_error)
{
	/* json-c counts a scalar inside the innermost container as a level, too. */
	struct json_tokener *tokener = json_tokener_new_ex(depth_limit + 1);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);

	struct json_object *tree = parse_all(tokener, text, length);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	size_t end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);

	if (error == json_tokener_success) {
		*ret_tree = tree;
		return 0;
	}
	json_object_put(tree);
	if (error == json_tokener_continue || error == json_tokener_error_parse_eof)
		return refuse(text, length, "unexpected end", ret_error);
	return refuse(text, end, json_tokener_error_desc(error), ret_error);
}

int json_parse(const char *text, size_t length, int depth_limit, struct json **ret_value,
	       struct json_error *ret_error)
{
	struct json_scan scan = {.text = text, .length = length, .depth_limit = depth_limit};
	struct json_object *tree = NULL;

	if (length > INT_MAX)
		return refuse(text, 0, "too long", ret_error);
	if (json_scan(&scan) < 0)
		return refuse(text, scan.position, scan.fault, ret_error);
	int result = parse_tree(text, length, depth_limit, &tree, ret_error);
	if (result < 0)
		return result;

	int64_t values = complete(tree);
	if (values == (int64_t)scan.values) {
		*ret_value = json_wrap(tree);
		return 0;
	}
	/* json-c lets the last of several equal names win, and drops a value when memory is short.
	 */
	json_object_put(tree);
	if (values < 0)
		return -ENOMEM;
	result = json_find_duplicate(text, length, ret_error);
	return result > 0 ? locate(text, ret_error) : -ENOMEM;
}
