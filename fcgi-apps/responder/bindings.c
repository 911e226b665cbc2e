#include "responder/bindings.h"

#include "responder/server.h"

static const struct binding *find(const struct binding *list, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].operation_id, id) == 0)
			return &list[i];
	}
	return NULL;
}

int bindings_make(const struct contract *contract, const struct binding *own, size_t own_count,
		  const struct binding ***ret_bindings, struct text *ret_error)
{
	size_t count = contract_operation_count(contract);
	const struct binding **bindings = calloc(count, sizeof(*bindings));
	if (!bindings)
		return -ENOMEM;

	int rc = 0;
	for (size_t i = 0; i < count; i++) {
		const char *id = contract_operation(contract, i)->id;
		bindings[i] = find(own, own_count, id);
		if (!bindings[i])
			bindings[i] = find(meta_bindings, meta_binding_count, id);
		if (!bindings[i]) {
			text_printf(ret_error, "operation %s has no handler; ", id);
			rc = -EINVAL;
		}
	}
	for (size_t i = 0; i < own_count; i++) {
		if (!contract_find(contract, own[i].operation_id)) {
			text_printf(ret_error, "handler %s has no operation; ",
				    own[i].operation_id);
			rc = -EINVAL;
		}
	}
	if (rc < 0)
		free(bindings);
	else
		*ret_bindings = bindings;
	return rc;
}
