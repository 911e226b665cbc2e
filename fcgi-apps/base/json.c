#include "base/json_tree.h"

struct json {
	char unused;
};
struct json json_null;

enum json_type json_type(const struct json *value)
{
	switch (json_object_get_type(json_unwrap(value))) {
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_int:
	case json_type_double:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_null:
		break;
	}
	return JSON_NULL;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",     [JSON_BOOL] = "boolean", [JSON_NUMBER] = "number",
		[JSON_STRING] = "string", [JSON_ARRAY] = "array",  [JSON_OBJECT] = "object",
	};
	return names[type];
}

bool json_bool(const struct json *value)
{
	return json_object_get_boolean(json_unwrap(value));
}

const char *json_number_text(const struct json *value)
{
	return json_object_get_userdata(json_unwrap(value));
}

bool json_is_integer(const struct json *value)
{
	int64_t scale;

	if (json_type(value) != JSON_NUMBER)
		return false;
	if (json_object_is_type(json_unwrap(value), json_type_int))
		return true;
	const char *text = json_number_text(value);
	return decimal_scale(text, strlen(text), &scale) == 0 && scale <= 0;
}

int64_t json_int(const struct json *value)
{
	struct decimal decimal;
	int64_t number;

	if (json_object_is_type(json_unwrap(value), json_type_int))
		return json_object_get_int64(json_unwrap(value));
	if (json_decimal(value, &decimal) == 0 && decimal_to_int(decimal, &number) == 0)
		return number;
	return json_number_text(value)[0] == '-' ? INT64_MIN : INT64_MAX;
}

int json_decimal(const struct json *value, struct decimal *ret_value)
{
	const char *text = json_number_text(value);
	return decimal_parse(text, strlen(text), ret_value);
}

const char *json_string(const struct json *value, size_t *ret_length)
{
	struct json_object *string = json_unwrap(value);

	if (ret_length)
		*ret_length = (size_t)json_object_get_string_len(string);
	return json_object_get_string(string);
}

size_t json_length(const struct json *value)
{
	struct json_object *object = json_unwrap(value);

	switch (json_object_get_type(object)) {
	case json_type_array:
		return json_object_array_length(object);
	case json_type_object:
		return (size_t)json_object_object_length(object);
	default:
		return 0;
	}
}

const struct json *json_at(const struct json *array, size_t index)
{
	return json_wrap(json_object_array_get_idx(json_unwrap(array), index));
}

const struct json *json_get(const struct json *object, const char *name)
{
	struct json_object *found;

	if (!json_object_object_get_ex(json_unwrap(object), name, &found))
		return NULL;
	return json_wrap(found);
}

const char *json_get_string(const struct json *object, const char *name, const char *fallback)
{
	const struct json *value = json_get(object, name);
	return value && json_type(value) == JSON_STRING ? json_string(value, NULL) : fallback;
}

static struct json_member member_at(struct lh_entry *entry)
{
	if (!entry)
		return (struct json_member){0};
	return (struct json_member){
		.name = lh_entry_k(entry),
		.value = json_wrap(lh_entry_v(entry)),
		.next = lh_entry_next(entry),
	};
}

struct json_member json_first(const struct json *object)
{
	struct lh_table *table = json_object_get_object(json_unwrap(object));
	return member_at(table ? lh_table_head(table) : NULL);
}

struct json_member json_next(struct json_member member)
{
	return member_at(member.next);
}

static bool numbers_equal(const struct json *a, const struct json *b)
{
	struct decimal a_value, b_value;

	if (json_decimal(a, &a_value) == 0 && json_decimal(b, &b_value) == 0)
		return decimal_compare(a_value, b_value) == 0;
	return strcmp(json_number_text(a), json_number_text(b)) == 0;
}

static bool strings_equal(const struct json *a, const struct json *b)
{
	return strcmp(json_string(a, NULL), json_string(b, NULL)) == 0;
}

static bool arrays_equal(const struct json *a, const struct json *b)
{
	size_t length = json_length(a);

	if (length != json_length(b))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!json_equal(json_at(a, i), json_at(b, i)))
			return false;
	}
	return true;
}

static bool objects_equal(const struct json *a, const struct json *b)
{
	if (json_length(a) != json_length(b))
		return false;
	json_each (a, member) {
		const struct json *other = json_get(b, member.name);
		if (!other || !json_equal(member.value, other))
			return false;
	}
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	enum json_type type = json_type(a);

	if (type != json_type(b))
		return false;
	switch (type) {
	case JSON_BOOL:
		return json_bool(a) == json_bool(b);
	case JSON_NUMBER:
		return numbers_equal(a, b);
	case JSON_STRING:
		return strings_equal(a, b);
	case JSON_ARRAY:
		return arrays_equal(a, b);
	case JSON_OBJECT:
		return objects_equal(a, b);
	case JSON_NULL:
		break;
	}
	return true;
}

void json_free(struct json *value)
{
	if (value)
		json_object_put(json_unwrap(value));
}
