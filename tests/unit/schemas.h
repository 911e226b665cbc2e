/* The schemas of contracts/schema.json, by name. */
#ifndef TESTS_UNIT_SCHEMAS_H
#define TESTS_UNIT_SCHEMAS_H

#include "contract/contract_parts.h"
#include "unit.h"

extern const struct contract test_schema_contract;

static inline const struct schema *find(const char *name)
{
	const struct schema *schema = contract_schema(&test_schema_contract, name);

	ck_assert_msg(schema != NULL, "no schema %s", name);
	return schema;
}

#endif
