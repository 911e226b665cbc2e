/* The three services' contracts, as they are served, for the targets that need one. */
#ifndef FUZZ_CONTRACTS_H
#define FUZZ_CONTRACTS_H

#include "base/log.h"
#include "cart/service.h"
#include "contract/contract.h"
#include "fuzz.h"
#include "order/service.h"
#include "product/service.h"

/* By a byte of the input; started once. */
static inline const struct contract *fuzz_contract(unsigned char byte)
{
	static const struct service *const services[] = {&product_service, &cart_service,
							 &order_service};
	static bool started[ARRAY_SIZE(services)];
	size_t index = byte % ARRAY_SIZE(services);
	const struct contract *contract = services[index]->contract;
	if (!started[index]) {
		log_start("fuzz", LOG_ERROR);
		contract_start(contract, (struct currency){"USD", 2}, "1");
		started[index] = true;
	}
	return contract;
}

static inline const struct operation *fuzz_operation(const struct contract *contract,
						     unsigned char byte)
{
	return contract_operation(contract, byte % contract_operation_count(contract));
}

/* What a client would be told of the violations is JSON, whatever the client sent. */
static inline void fuzz_check_report(const struct violations *violations)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(1u << 20);
	struct json_writer writer;
	struct json_error error;
	struct json *value CLEANUP(json_free_p) = NULL;
	json_writer_init(&writer, &text);
	json_object_begin(&writer);
	violations_write(violations, &writer);
	json_object_end(&writer);
	fuzz_check(violations->error == 0 && violations->count <= violations->total);
	fuzz_check(text_error(&text) == 0);
	fuzz_check(json_parse(text.data, text.length, JSON_DEPTH_MAX, &value, &error) == 0);
}

#endif
