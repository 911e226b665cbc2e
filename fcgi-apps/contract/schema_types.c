#include "contract/schema.h"

#include "contract/schema_node.h"

unsigned schema_types(const struct schema *schema)
{
	unsigned types = schema->types;

	if (schema->reference)
		types &= schema_types(schema->reference);
	for (size_t i = 0; i < schema->all_of.count; i++)
		types &= schema_types(schema->all_of.list[i]);
	return types;
}

unsigned schema_element_types(const struct schema *schema)
{
	unsigned types = schema->items ? schema_types(schema->items) : SCHEMA_ANY;

	if (schema->reference)
		types &= schema_element_types(schema->reference);
	for (size_t i = 0; i < schema->all_of.count; i++)
		types &= schema_element_types(schema->all_of.list[i]);
	return types;
}
