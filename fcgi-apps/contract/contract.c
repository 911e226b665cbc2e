#include "contract/contract.h"

#include <assert.h>

#include "base/json_writer.h"
#include "contract/contract_parts.h"

void contract_start(const struct contract *contract, struct currency currency, const char *version)
{
	struct contract_settings *settings = contract->settings;
	struct schema_number *maximum = &settings->price.maximum;
	size_t length = money_format(MONEY_PRICE_MAX, currency, settings->price_maximum);

	decimal_parse(settings->price_maximum, length, &maximum->value);
	maximum->text = settings->price_maximum;
	settings->price.decimals = currency.digits;
	settings->amount.decimals = currency.digits;
	settings->version = version;
}

size_t contract_operation_count(const struct contract *contract)
{
	return contract->endpoint_count;
}

const struct operation *contract_operation(const struct contract *contract, size_t index)
{
	return &contract->endpoints[index].operation;
}

const char *const *contract_scopes(const struct contract *contract)
{
	return contract->scopes;
}

uint64_t contract_scope(const struct contract *contract, const char *name)
{
	size_t number = 0;

	while (contract->scopes[number] && strcmp(contract->scopes[number], name) != 0)
		number++;
	assert(contract->scopes[number]);
	return UINT64_C(1) << number;
}

const struct operation *contract_find(const struct contract *contract, const char *operation_id)
{
	for (size_t i = 0; i < contract->endpoint_count; i++) {
		if (strcmp(contract->endpoints[i].operation.id, operation_id) == 0)
			return &contract->endpoints[i].operation;
	}
	return NULL;
}

static int compare_name(const void *name, const void *schema)
{
	return strcmp(name, ((const struct named_schema *)schema)->name);
}

const struct schema *contract_schema(const struct contract *contract, const char *name)
{
	const struct named_schema *found = bsearch(name, contract->schemas, contract->schema_count,
						   sizeof(contract->schemas[0]), compare_name);

	return found ? found->schema : NULL;
}

void contract_write_document(const struct contract *contract, bool internal, const char *server,
			     struct text *out)
{
	const struct contract_settings *settings = contract->settings;

	for (const struct piece *piece = contract->documents[internal];; piece++) {
		/* A new writer each time: the value goes into a text that already has its
		 * commas. */
		struct json_writer writer;

		text_append(out, piece->text, piece->length);
		json_writer_init(&writer, out);
		switch (piece->gap) {
		case GAP_VERSION:
			json_write_string(&writer, settings->version);
			break;
		case GAP_SERVER:
			json_write_string(&writer, server);
			break;
		case GAP_DECIMALS:
			json_write_int(&writer, (int64_t)settings->price.decimals);
			break;
		case GAP_PRICE_MAXIMUM:
			text_append_string(out, settings->price_maximum);
			break;
		case GAP_END:
			return;
		}
	}
}
