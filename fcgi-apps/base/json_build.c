#include "base/json_tree.h"

static struct json *new_value(struct json_object *object)
{
	return object ? json_wrap(object) : NULL;
}

struct json *json_new_object(void)
{
	return new_value(json_object_new_object());
}

struct json *json_new_array(void)
{
	return new_value(json_object_new_array());
}

struct json *json_new_string(const char *string)
{
	return new_value(json_object_new_string(string));
}

struct json_object *json_number_object(const int64_t *integer, const char *text, size_t length)
{
	char *copy = strndup(text, length);
	if (!copy)
		return NULL;
	struct json_object *number =
		integer ? json_object_new_int64(*integer) : json_object_new_double(0);
	if (!number) {
		free(copy);
		return NULL;
	}
	json_object_set_serializer(number, json_object_userdata_to_json_string, copy,
				   json_object_free_userdata);
	return number;
}

struct json *json_copy(const struct json *value)
{
	struct json_object *copy = NULL;

	if (value == &json_null)
		return &json_null;
	if (json_object_deep_copy(json_unwrap(value), &copy, NULL) < 0)
		return NULL;
	return new_value(copy);
}

int json_set(struct json *object, const char *name, struct json *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(json_unwrap(object), name, json_unwrap(value)) < 0) {
		json_free(value);
		return -ENOMEM;
	}
	return 0;
}

int json_push(struct json *array, struct json *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_array_add(json_unwrap(array), json_unwrap(value)) < 0) {
		json_free(value);
		return -ENOMEM;
	}
	return 0;
}

int json_change_string(struct json *string, const char *text, size_t length)
{
	return json_object_set_string_len(json_unwrap(string), text, (int)length) ? 0 : -ENOMEM;
}

void json_remove(struct json *object, const char *name)
{
	json_object_object_del(json_unwrap(object), name);
}
