/* What the tests of contract/ share: contracts made of the files in contracts/. */
#ifndef CONTRACTS_H
#define CONTRACTS_H

#include "contract/contract.h"
#include "unit.h"

extern const struct contract test_body_contract, test_inherited_contract, test_merged_contract,
	test_own_contract, test_parameters_contract, test_route_contract, test_security_contract,
	test_shared_contract;

static inline void start_contract(const struct contract *contract)
{
	contract_start(contract, (struct currency){"USD", 2}, "1.2");
}

#endif
