/* Bringing texts and ids into the form that is stored and compared. */
#include "contract/schema.h"

#include "contract/schema_node.h"

static const struct schema_format *normal_format(const struct schema *schema);

static const struct schema_format *format_in(const struct schema_list *list)
{
	const struct schema_format *format = NULL;

	for (size_t i = 0; i < list->count && !format; i++)
		format = normal_format(list->list[i]);
	return format;
}

/* The one that says what a string's normal form is, or NULL. */
static const struct schema_format *normal_format(const struct schema *schema)
{
	const struct schema_format *format = schema->format;

	if (format && format->normalize)
		return format;
	format = schema->reference ? normal_format(schema->reference) : NULL;
	if (!format)
		format = format_in(&schema->all_of);
	if (!format)
		format = format_in(&schema->any_of);
	return format ? format : format_in(&schema->one_of);
}

int schema_normalize_string(const struct schema *schema, const char *text, size_t length,
			    struct text *out)
{
	const struct schema_format *format = normal_format(schema);

	if (!format || !format->normalize(text, length, out))
		return 0;
	return text_error(out) ? text_error(out) : 1;
}

static int normalize_string(const struct schema *schema, struct json *string)
{
	struct text normal CLEANUP(text_release) = {0};
	size_t length;
	const char *text = json_string(string, &length);
	int result;

	text_init(&normal, SIZE_MAX);
	result = schema_normalize_string(schema, text, length, &normal);
	return result <= 0 ? result
			   : json_change_string(string, text_string(&normal), normal.length);
}

static int normalize_elements(const struct schema *schema, const struct json *array)
{
	int result = 0;

	for (size_t i = 0; schema->items && i < json_length(array) && result == 0; i++)
		result = schema_normalize(schema->items, (struct json *)json_at(array, i));
	return result;
}

static int normalize_members(const struct schema *schema, const struct json *object)
{
	int result = 0;

	json_each (object, member) {
		size_t index = names_find(&schema->member_names, member.name);
		const struct schema *known =
			index == NAMES_NONE ? schema->additional : schema->members[index].schema;

		if (known && result == 0)
			result = schema_normalize(known, (struct json *)member.value);
	}
	return result;
}

static int normalize_each(const struct schema_list *list, struct json *value)
{
	int result = 0;

	for (size_t i = 0; i < list->count && result == 0; i++)
		result = schema_normalize(list->list[i], value);
	return result;
}

int schema_normalize(const struct schema *schema, struct json *value)
{
	enum json_type type = json_type(value);
	int result = 0;

	if (type == JSON_STRING)
		return normalize_string(schema, value);
	if (type == JSON_ARRAY)
		result = normalize_elements(schema, value);
	else if (type == JSON_OBJECT)
		result = normalize_members(schema, value);
	if (result == 0 && schema->reference)
		result = schema_normalize(schema->reference, value);
	if (result == 0)
		result = normalize_each(&schema->all_of, value);
	if (result == 0)
		result = normalize_each(&schema->any_of, value);
	return result == 0 ? normalize_each(&schema->one_of, value) : result;
}
