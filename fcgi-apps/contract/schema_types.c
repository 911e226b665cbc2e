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

bool schema_takes_any_string(const struct schema *schema)
{
	for (size_t i = 0; i < schema->all_of.count; i++) {
		if (!schema_takes_any_string(schema->all_of.list[i]))
			return false;
	}
	return (schema->types & SCHEMA_STRING) && !schema->enumeration && !schema->constant &&
	       schema->characters.lowest == 0 && schema->characters.highest == SIZE_MAX &&
	       !schema->pattern && !schema->format && schema->any_of.count == 0 &&
	       schema->one_of.count == 0 &&
	       (!schema->reference || schema_takes_any_string(schema->reference));
}
