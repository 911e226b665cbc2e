#include "base/json_duplicate.h"

#include "base/json_scan.h"
#include "base/json_tree.h"
#include "base/utf8.h"

/* The names seen in the objects that are open, innermost last, as a json-c array of objects: its
 * hash is seeded, so that nobody can choose names which collide. */
struct search {
	const char *text;
	size_t length;
	struct json_object *open;
};

static bool is_name(const struct search *search, size_t end)
{
	while (end < search->length && strchr(" \t\n\r", search->text[end]))
		end++;
	return end < search->length && search->text[end] == ':';
}

static struct json_object *decode(const char *string, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();
	if (!tokener)
		return NULL;
	struct json_object *decoded = json_tokener_parse_ex(tokener, string, (int)length);
	json_tokener_free(tokener);
	return decoded;
}

/* 1 when the innermost open object had this name, 0 when not; it has it now. */
static int note_name(struct search *search, size_t start, size_t end, struct json_error *error)
{
	size_t depth = json_object_array_length(search->open);
	struct json_object *seen = json_object_array_get_idx(search->open, depth - 1);
	struct json_object *decoded = decode(search->text + start, end - start);
	int result = 0;

	if (!decoded)
		return -ENOMEM;
	const char *name = json_object_get_string(decoded);
	if (json_object_object_get_ex(seen, name, NULL)) {
		size_t length = utf8_cut(name, strlen(name), 80);
		error->offset = start;
		snprintf(error->detail, sizeof(error->detail), "duplicate member \"%.*s\"",
			 (int)length, name);
		result = 1;
	} else if (json_object_object_add(seen, name, NULL) < 0) {
		result = -ENOMEM;
	}
	json_object_put(decoded);
	return result;
}

static int open_object(struct search *search)
{
	struct json_object *seen = json_object_new_object();

	if (!seen)
		return -ENOMEM;
	if (json_object_array_add(search->open, seen) < 0) {
		json_object_put(seen);
		return -ENOMEM;
	}
	return 0;
}

static int walk(struct search *search, struct json_error *error)
{
	int result = 0;

	for (size_t position = 0; position < search->length && result == 0;) {
		size_t start = position;
		switch (search->text[position++]) {
		case '{':
			result = open_object(search);
			break;
		case '}':
			json_object_array_del_idx(search->open,
						  json_object_array_length(search->open) - 1, 1);
			break;
		case '"':
			position = json_scan_string_end(search->text, start);
			if (is_name(search, position))
				result = note_name(search, start, position, error);
			break;
		}
	}
	return result;
}

int json_find_duplicate(const char *text, size_t length, struct json_error *ret_error)
{
	struct search search = {text, length, json_object_new_array()};

	if (!search.open)
		return -ENOMEM;
	int result = walk(&search, ret_error);
	json_object_put(search.open);
	return result;
}
