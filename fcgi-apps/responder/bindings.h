/* The table from operations to handlers. */
#ifndef RESPONDER_BINDINGS_H
#define RESPONDER_BINDINGS_H

#include "base/base.h"
#include "base/text.h"
#include "contract/contract.h"
#include "responder/service.h"

/*
 * One binding for each operation, in the order of the contract; free() it. The document and the
 * program must agree both ways: -EINVAL, with every operation without a handler and every handler
 * without an operation named in *ret_error; -ENOMEM.
 */
int bindings_make(const struct contract *contract, const struct binding *own, size_t own_count,
		  const struct binding ***ret_bindings, struct text *ret_error);

#endif
