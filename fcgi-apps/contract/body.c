/* Checks the bodies of requests and responses. */
#include <assert.h>
#include <strings.h>

#include "contract/contract_parts.h"

/* The deepest answer is /openapi.json. */
#define RESPONSE_DEPTH_MAX 64

static const struct endpoint *endpoint_of(const struct contract *contract,
					  const struct operation *operation)
{
	return &contract->endpoints[operation->index];
}

/* The media type that matches a Content-Type (RFC 9110 section 8.3.1), or NULL. */
static const struct media *content_find(const struct content *content, const char *content_type)
{
	size_t length = content_type ? strcspn(content_type, "; \t") : 0;

	for (size_t i = 0; i < content->count; i++) {
		const struct media *media = &content->list[i];

		if (strlen(media->type) == length &&
		    strncasecmp(media->type, content_type, length) == 0)
			return media;
	}
	return NULL;
}

int contract_check_content_type(const struct contract *contract, const struct operation *operation,
				const char *content_type)
{
	return content_find(&endpoint_of(contract, operation)->body, content_type)
		       ? 0
		       : -EPROTONOSUPPORT;
}

bool contract_body_is_json(const struct contract *contract, const struct operation *operation,
			   const char *content_type)
{
	const struct media *media =
		content_find(&endpoint_of(contract, operation)->body, content_type);

	return media && media->schema;
}

static bool check_input(const struct schema *schema, struct json *value,
			struct violations *violations)
{
	int r = schema_normalize(schema, value);

	if (r < 0)
		violations->error = r;
	return r == 0 && schema_check(schema, value, "body", "", violations);
}

bool contract_check_body(const struct contract *contract, const struct operation *operation,
			 const char *content_type, struct json *body, struct violations *violations)
{
	const struct media *media =
		content_find(&endpoint_of(contract, operation)->body, content_type);

	if (media && media->schema)
		return check_input(media->schema, body, violations);
	violations_add(violations, "body", "", "is not of a type that is checked here");
	return false;
}

bool contract_check_schema(const struct contract *contract, const char *name, struct json *value,
			   struct violations *violations)
{
	const struct schema *schema = contract_schema(contract, name);

	if (schema)
		return check_input(schema, value, violations);
	violations_add(violations, "body", "", "there is no schema \"%s\"", name);
	return false;
}

uint64_t contract_body_scopes(const struct contract *contract, const struct operation *operation,
			      const char *content_type, const struct json *body)
{
	const struct media *media =
		content_find(&endpoint_of(contract, operation)->body, content_type);

	return media && media->schema ? schema_scopes(media->schema, body) : 0;
}

uint64_t contract_schema_scopes(const struct contract *contract, const char *name,
				const struct json *value)
{
	const struct schema *schema = contract_schema(contract, name);

	assert(schema);
	return schema_scopes(schema, value);
}

/* ---- responses ------------------------------------------------------------------------------ */

static bool check_json_text(const struct schema *schema, const char *body, size_t length,
			    struct violations *violations)
{
	struct json *value CLEANUP(json_free_p) = NULL;
	struct json_error error;
	int r = json_parse(body, length, RESPONSE_DEPTH_MAX, &value, &error);

	if (r == 0)
		return schema_check(schema, value, "response", "", violations);
	if (r == -ENOMEM) {
		violations->error = r;
		violations_add(violations, "response", "", "could not be checked");
	} else {
		violations_add(violations, "response", "",
			       "is not JSON: %s at line %zu, column %zu", error.detail, error.line,
			       error.column);
	}
	return false;
}

static bool check_answer(const struct answer *answer, const char *content_type, const char *body,
			 size_t length, struct violations *violations)
{
	if (answer->content.count == 0) {
		if (length == 0)
			return true;
		violations_add(violations, "response", "", "%d has no body in the document",
			       answer->status);
		return false;
	}
	const struct media *media = content_find(&answer->content, content_type);
	if (!media) {
		violations_add(violations, "response", "",
			       "%d with the Content-Type \"%s\" is not declared", answer->status,
			       content_type ? content_type : "");
		return false;
	}
	return !media->schema || check_json_text(media->schema, body, length, violations);
}

bool contract_check_response(const struct contract *contract, const struct operation *operation,
			     int status, const char *content_type, const char *body,
			     size_t body_length, struct violations *violations)
{
	const struct endpoint *endpoint = endpoint_of(contract, operation);

	for (size_t i = 0; i < endpoint->answer_count; i++) {
		if (endpoint->answers[i].status == status)
			return check_answer(&endpoint->answers[i], content_type, body, body_length,
					    violations);
	}
	violations_add(violations, "response", "", "the status %d is not declared", status);
	return false;
}
