#include "base/digits.h"
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

int json_keep_int_text(struct json_object *integer)
{
	int64_t value = json_object_get_int64(integer);
	char buffer[DIGITS_SIZE + 1];
	char *end = buffer + sizeof(buffer) - 1;

	*end = '\0';
	char *start = digits_before(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
	if (value < 0)
		*--start = '-';
	char *text = strdup(start);
	if (!text)
		return -ENOMEM;
	json_object_set_serializer(integer, json_object_userdata_to_json_string, text,
				   json_object_free_userdata);
	return 0;
}

struct json *json_new_int(int64_t number)
{
	struct json_object *integer = json_object_new_int64(number);

	if (integer && json_keep_int_text(integer) < 0) {
		json_object_put(integer);
		integer = NULL;
	}
	return new_value(integer);
}

struct json *json_new_number(const char *source_text)
{
	int64_t scale;

	if (decimal_scale(source_text, strlen(source_text), &scale) < 0)
		return NULL;
	/* The double is never read: every reader here goes by the text. */
	return new_value(json_object_new_double_s(0, source_text));
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

void json_remove(struct json *object, const char *name)
{
	json_object_object_del(json_unwrap(object), name);
}
