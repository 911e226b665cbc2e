/* The service's document and the shared components made one. */
#include "contract/contract_parts.h"
#include "contract/reference.h"

/* Deeper than any document that somebody would read. */
#define DOCUMENT_DEPTH_MAX 64

static int parse(const char *name, const char *text, size_t length, struct json **ret_value,
		 struct text *ret_error)
{
	struct json_error error;
	int result = json_parse(text, length, DOCUMENT_DEPTH_MAX, ret_value, &error);

	if (result != -EINVAL)
		return result;
	return loader_refuse(ret_error, name, "%s at line %zu, column %zu", error.detail,
			     error.line, error.column);
}

/* The object's member of that name, made when it is missing; NULL when out of memory. The cast is
 * right: the object is the caller's own. */
static struct json *own_object(struct json *object, const char *name)
{
	if (!json_get(object, name) && json_set(object, name, json_new_object()) < 0)
		return NULL;
	return (struct json *)json_get(object, name);
}

/* Copies the members that target does not have. */
static int merge_missing(struct json *target, const struct json *source)
{
	json_each (source, member) {
		if (!json_get(target, member.name) &&
		    json_set(target, member.name, json_copy(member.value)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int merge_components(struct json *document, const struct json *shared,
			    struct text *ret_error)
{
	struct json *paths = own_object(document, "paths");
	struct json *components = own_object(document, "components");

	if (!paths || !components)
		return -ENOMEM;
	if (json_type(paths) != JSON_OBJECT || json_type(components) != JSON_OBJECT)
		return loader_refuse(ret_error, "#", "paths and components must be objects");
	if (merge_missing(paths, json_get(shared, "paths")) < 0)
		return -ENOMEM;
	json_each (json_get(shared, "components"), section) {
		struct json *own = own_object(components, section.name);

		if (!own)
			return -ENOMEM;
		if (json_type(own) != JSON_OBJECT)
			return loader_refuse(ret_error, "#/components", "%s must be an object",
					     section.name);
		if (merge_missing(own, section.value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int set_amount(struct json *schema, const char *name, int64_t amount,
		      struct currency currency)
{
	char text[MONEY_TEXT_SIZE];

	money_format(amount, currency, text);
	return json_set(schema, name, json_new_number(text));
}

/* Price and Amount have the currency's decimals. */
static int fit_currency(struct json *shared, struct currency currency)
{
	struct json *price = (struct json *)reference_resolve(shared, "#/components/schemas/Price");
	struct json *amount =
		(struct json *)reference_resolve(shared, "#/components/schemas/Amount");

	if (set_amount(price, "maximum", MONEY_PRICE_MAX, currency) < 0 ||
	    json_set(price, "x-decimals", json_new_int(currency.digits)) < 0 ||
	    json_set(amount, "x-decimals", json_new_int(currency.digits)) < 0)
		return -ENOMEM;
	return 0;
}

static bool is_openapi_31(const struct json *document)
{
	const char *version = json_get_string(document, "openapi", "");

	return strncmp(version, "3.1.", 4) == 0 && version[4] &&
	       strspn(version + 4, "0123456789") == strlen(version + 4);
}

static int fill_version(struct json *document, const char *version, struct text *ret_error)
{
	struct json *info = (struct json *)json_get(document, "info");

	if (!info || json_type(info) != JSON_OBJECT)
		return loader_refuse(ret_error, "#", "info must be an object");
	if (json_get(info, "version"))
		return 0;
	return json_set(info, "version", json_new_string(version));
}

/* "." is the folder the document is served from: right under any prefix. */
static int fill_servers(struct json *document)
{
	struct json *servers CLEANUP(json_free_p) = NULL;
	struct json *server, *whole;

	if (json_get(document, "servers"))
		return 0;
	servers = json_new_array();
	server = json_new_object();
	if (!servers || !server || json_set(server, "url", json_new_string(".")) < 0) {
		json_free(server);
		return -ENOMEM;
	}
	if (json_push(servers, server) < 0)
		return -ENOMEM;
	whole = servers;
	servers = NULL;
	return json_set(document, "servers", whole);
}

int document_make(const char *text, size_t length, const char *shared_text, size_t shared_length,
		  struct currency currency, const char *version, struct json **ret_document,
		  struct text *ret_error)
{
	struct json *document CLEANUP(json_free_p) = NULL;
	struct json *shared CLEANUP(json_free_p) = NULL;
	int result;

	result = parse("the document", text, length, &document, ret_error);
	if (result < 0)
		return result;
	result = parse("the shared components", shared_text, shared_length, &shared, ret_error);
	if (result < 0)
		return result;
	if (!is_openapi_31(document))
		return loader_refuse(ret_error, "#/openapi", "must be 3.1.x");
	result = fit_currency(shared, currency);
	if (result == 0)
		result = merge_components(document, shared, ret_error);
	if (result == 0)
		result = fill_version(document, version, ret_error);
	if (result == 0)
		result = fill_servers(document);
	if (result < 0)
		return result;
	*ret_document = document;
	document = NULL;
	return 0;
}
