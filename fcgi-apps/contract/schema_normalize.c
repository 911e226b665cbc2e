/* Normalises texts and ids into the form that is stored and compared. */
#include "contract/schema.h"

#include "contract/schema_node.h"

int schema_normalize_string(const struct schema *schema, const char *text, size_t length,
			    struct text *out)
{
	const struct schema_format *format = schema->normal;

	if (!format || !format->normalize(text, length, out))
		return 0;
	return text_error(out) ? text_error(out) : 1;
}

static int normalize_string(const struct schema *schema, struct json *string)
{
	struct text normal CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	size_t length;
	const char *text = json_string(string, &length);

	int r = schema_normalize_string(schema, text, length, &normal);
	return r <= 0 ? r : json_change_string(string, text_string(&normal), normal.length);
}

static int normalize_elements(const struct schema *items, const struct json *array)
{
	int r = 0;

	for (size_t i = 0; items && i < json_length(array) && r == 0; i++)
		r = schema_normalize(items, (struct json *)json_at(array, i));
	return r;
}

static int normalize_members(const struct schema_object *known, const struct json *object)
{
	size_t position = 0;
	int r = 0;

	json_each (object, member) {
		const struct schema_member *found =
			schema_find_member(known, member.name, &position);

		if (found && found->schema && r == 0)
			r = schema_normalize(found->schema, (struct json *)member.value);
	}
	return r;
}

static int normalize_each(const struct schema_list *list, struct json *value)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++)
		r = schema_normalize(list->list[i], value);
	return r;
}

int schema_normalize(const struct schema *schema, struct json *value)
{
	enum json_type type = json_type(value);
	int r = 0;

	if (type == JSON_STRING)
		return normalize_string(schema, value);
	if (type == JSON_ARRAY && schema->array)
		r = normalize_elements(schema->array->items, value);
	else if (type == JSON_OBJECT && schema->object)
		r = normalize_members(schema->object, value);
	if (r == 0)
		r = normalize_each(&schema->all_of, value);
	return r == 0 ? normalize_each(&schema->one_of, value) : r;
}
