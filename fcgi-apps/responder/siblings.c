#include "responder/siblings.h"

#include "base/config.h"

#define ACCOUNT "system:serviceaccount:"

static int read_cluster(struct siblings *siblings)
{
	siblings->namespace = config_text("SERVICE_NAMESPACE", NULL);
	if (!siblings->namespace)
		config_reject("SERVICE_NAMESPACE", "", "the namespace of the services' accounts");
	return issuer_of_accounts(&siblings->cluster);
}

/* Whether one of the document's first operations, that many, is for that sibling. */
static bool is_known(const struct contract *contract, size_t operations, const char *name)
{
	for (size_t i = 0; i < operations; i++) {
		if (siblings_may_call(contract_operation(contract, i), name))
			return true;
	}
	return false;
}

static void list_known(const struct contract *contract, struct text *out)
{
	for (size_t i = 0; i < contract_operation_count(contract); i++) {
		const char *const *name = contract_operation(contract, i)->callers;

		for (; *name; name++) {
			if (is_known(contract, i + 1, *name) && !is_known(contract, i, *name))
				text_printf(out, " %s", *name);
		}
	}
}

/* Nobody could show the secret of any other name. */
static void check_names(const struct contract *contract, const struct secrets *secrets,
			const char *path)
{
	for (size_t i = 0; i < secrets->count; i++) {
		const char *name = secrets->list[i].name;
		char expected[256];
		struct text text;

		if (is_known(contract, contract_operation_count(contract), name))
			continue;
		text_init_fixed(&text, expected, sizeof(expected));
		text_printf(&text,
			    "no line for \"%s\", only for services that call this one:", name);
		list_known(contract, &text);
		config_reject("SERVICE_KEYS", path, expected);
	}
}

int siblings_read(const struct contract *contract, struct siblings *ret_siblings)
{
	struct siblings siblings = {0};
	const char *path = config_text("SERVICE_KEYS", NULL);
	bool vouched = config_text("SERVICE_ISSUER", NULL);

	if (path ? secrets_read(path, true, SECRETS_MAX, &siblings.secrets) < 0 : !vouched)
		config_reject("SERVICE_KEYS", path,
			      "a file of lines such as \"order <secret>\", each secret of 32 to "
			      "128 visible characters");
	check_names(contract, &siblings.secrets, path);
	int r = vouched ? read_cluster(&siblings) : 0;
	if (r == 0 && config_failed())
		r = -EINVAL;
	if (r == 0)
		*ret_siblings = siblings;
	return r;
}

void siblings_release(struct siblings *siblings)
{
	issuer_free(siblings->cluster);
}

bool siblings_may_call(const struct operation *operation, const char *name)
{
	if (!(operation->access.callers & ACCESS_SERVICE))
		return false;
	for (size_t i = 0; operation->callers[i]; i++) {
		if (strcmp(operation->callers[i], name) == 0)
			return true;
	}
	return false;
}

/* "system:serviceaccount:<namespace>:<name>" of our own namespace; else NULL. */
static const char *account_name(const char *subject, const char *namespace)
{
	size_t length = strlen(namespace);

	if (strncmp(subject, ACCOUNT, strlen(ACCOUNT)) != 0)
		return NULL;
	subject += strlen(ACCOUNT);
	if (strncmp(subject, namespace, length) != 0 || subject[length] != ':')
		return NULL;
	return subject + length + 1;
}

enum token_fault siblings_identify(const struct siblings *siblings, const char *token,
				   struct principal *ret_service)
{
	struct principal account = {0};
	const char *name = secrets_find(&siblings->secrets, token);

	if (!name && !siblings->cluster)
		return TOKEN_SIGNATURE;
	if (!name) {
		enum token_fault fault = issuer_check(siblings->cluster, token, &account);
		if (fault)
			return fault;
		name = account_name(account.subject, siblings->namespace);
	}
	if (!name)
		return TOKEN_SUBJECT;
	*ret_service = (struct principal){.kind = PRINCIPAL_SERVICE};
	snprintf(ret_service->subject, sizeof(ret_service->subject), "%s", name);
	return TOKEN_FINE;
}
