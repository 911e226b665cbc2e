#include "contract/schema.h"

#include "contract/schema_node.h"

static uint64_t scopes_of_all(const struct schema_list *schemas, const struct json *value)
{
	uint64_t scopes = 0;

	for (size_t i = 0; i < schemas->count; i++)
		scopes |= schema_scopes(schemas->list[i], value);
	return scopes;
}

uint64_t schema_scopes(const struct schema *schema, const struct json *value)
{
	const struct schema_object *object = schema->object;
	uint64_t scopes = scopes_of_all(&schema->all_of, value);

	scopes |= scopes_of_all(&schema->one_of, value);
	for (size_t i = 0; object && i < object->member_count; i++) {
		if (object->members[i].scopes && json_get(value, object->members[i].name))
			scopes |= object->members[i].scopes;
	}
	return scopes;
}
