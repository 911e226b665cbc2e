/* What the tests of contract/ share: small documents, loaded. */
#ifndef CONTRACTS_H
#define CONTRACTS_H

#include "contract/contract.h"
#include "unit.h"

static const struct currency usd = {"USD", 2};

/* A document around the members of paths. */
#define DOCUMENT(paths)                                                                            \
	"{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Test\"},\"paths\":{" paths "}}"

/* A path item with one operation; parts are further members of it, each ending in a comma. */
#define OPERATION(method, id, parts)                                                               \
	"\"" method "\":{" parts "\"operationId\":\"" id                                           \
	"\",\"responses\":{\"204\":{\"description\":\"d\"}}}"

/* Loads a document that must be right, written with ' for ". */
static inline struct contract *load_contract(const char *document)
{
	struct contract *contract = NULL;
	char *copy = strdup(document);
	struct text error;

	ck_assert_ptr_nonnull(copy);
	for (char *quote = copy; (quote = strchr(quote, '\'')); quote++)
		*quote = '"';
	text_init(&error, 4096);
	ck_assert_msg(contract_load(copy, strlen(copy), usd, "1.2", &contract, &error) == 0, "%s",
		      text_string(&error));
	text_release(&error);
	free(copy);
	return contract;
}

#endif
