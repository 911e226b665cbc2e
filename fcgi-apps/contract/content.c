/* Bodies: media types and their schemas, of requests and of responses. */
#include <strings.h>

#include "contract/contract_parts.h"

/* nginx holds as much of a body back, on the disk. */
#define BODY_BYTES_MAX (32 << 20)

/* Length of "type/subtype" in a Content-Type (RFC 9110 section 8.3.1). */
static size_t type_length(const char *content_type)
{
	return strcspn(content_type, "; \t");
}

static bool is_json_type(const char *type)
{
	size_t length = strlen(type);

	return strcasecmp(type, "application/json") == 0 ||
	       (length > 5 && strcasecmp(type + length - 5, "+json") == 0);
}

static int load_media(struct loader *loader, struct json_member member, const char *where,
		      struct media *media)
{
	static const char *const allowed[] = {"schema", "example", "examples", NULL};
	const struct json *definition = json_get(member.value, "schema");
	size_t length = type_length(member.name);
	const struct schema *schema = NULL;
	char place[WHERE_SIZE];
	int result;

	if (loader_members(loader, member.value, allowed, where) < 0)
		return -EINVAL;
	if (length != strlen(member.name) || length >= sizeof(media->type) ||
	    !strchr(member.name, '/') || strchr(member.name, '*'))
		return loader_refuse(loader->error, where,
				     "a media type must be type/subtype, without parameters");
	memcpy(media->type, member.name, length + 1);
	if (!definition && is_json_type(member.name))
		return loader_refuse(loader->error, where, "needs a schema");
	if (!definition)
		return 0;
	loader_place(place, where, "schema");
	result = schema_compile(loader->contract->schemas, definition, place, &schema,
				loader->error);
	if (result == 0 && is_json_type(member.name))
		media->schema = schema;
	return result;
}

int content_load(struct loader *loader, const struct json *content, const char *where,
		 struct content *ret_content)
{
	if (json_type(content) != JSON_OBJECT || json_length(content) == 0 ||
	    json_length(content) > MEDIA_MAX)
		return loader_refuse(loader->error, where, "must have 1 to %d media types",
				     MEDIA_MAX);
	json_each (content, member) {
		char place[WHERE_SIZE];
		int result;

		loader_place(place, where, member.name);
		if (content_find(ret_content, member.name))
			return loader_refuse(loader->error, place, "is there twice");
		result = load_media(loader, member, place, &ret_content->list[ret_content->count]);
		if (result < 0)
			return result;
		ret_content->count++;
	}
	return 0;
}

static int load_max_bytes(struct loader *loader, const struct json *definition, const char *where,
			  size_t *ret_max_bytes)
{
	const struct json *limit = json_get(definition, "x-max-bytes");

	if (!limit || !json_is_integer(limit) || json_int(limit) < 1 ||
	    json_int(limit) > BODY_BYTES_MAX)
		return loader_refuse(loader->error, where,
				     "needs x-max-bytes, a whole number from 1 to %d",
				     BODY_BYTES_MAX);
	*ret_max_bytes = (size_t)json_int(limit);
	return 0;
}

int request_body_load(struct loader *loader, const struct json *definition, const char *where,
		      struct content *ret_content, struct operation *ret_operation)
{
	static const char *const allowed[] = {"description", "content", "required", NULL};
	char place[WHERE_SIZE];
	int result;

	definition = loader_resolve(loader, definition, where);
	if (!definition || loader_members(loader, definition, allowed, where) < 0 ||
	    loader_flag(loader, definition, "required", where, &ret_operation->body_required) < 0)
		return -EINVAL;
	if (!json_get(definition, "content"))
		return loader_refuse(loader->error, where, "needs content");
	loader_place(place, where, "content");
	result = content_load(loader, json_get(definition, "content"), place, ret_content);
	if (result == 0)
		result = load_max_bytes(loader, definition, where, &ret_operation->max_bytes);
	ret_operation->has_body = result == 0;
	return result;
}

int header_verify(struct loader *loader, const struct json *definition, const char *where)
{
	static const char *const allowed[] = {"description", "required", "deprecated", "schema",
					      "example",     "examples", NULL};
	const struct schema *schema;
	char place[WHERE_SIZE];

	definition = loader_resolve(loader, definition, where);
	if (!definition || loader_members(loader, definition, allowed, where) < 0)
		return -EINVAL;
	if (!json_get(definition, "schema"))
		return loader_refuse(loader->error, where, "needs a schema");
	loader_place(place, where, "schema");
	return schema_compile(loader->contract->schemas, json_get(definition, "schema"), place,
			      &schema, loader->error);
}

static int verify_headers(struct loader *loader, const struct json *headers, const char *where)
{
	char place[WHERE_SIZE];

	if (json_type(headers) != JSON_OBJECT)
		return loader_refuse(loader->error, where, "must be an object");
	json_each (headers, header) {
		int result;

		loader_place(place, where, header.name);
		result = header_verify(loader, header.value, place);
		if (result < 0)
			return result;
	}
	return 0;
}

int response_load(struct loader *loader, const struct json *definition, const char *where,
		  struct content *ret_content)
{
	static const char *const allowed[] = {"description", "headers", "content", NULL};
	const struct json *headers, *content;
	char place[WHERE_SIZE];
	int result = 0;

	definition = loader_resolve(loader, definition, where);
	if (!definition || loader_members(loader, definition, allowed, where) < 0)
		return -EINVAL;
	if (!json_get_string(definition, "description", NULL))
		return loader_refuse(loader->error, where, "needs a description");
	headers = json_get(definition, "headers");
	loader_place(place, where, "headers");
	if (headers)
		result = verify_headers(loader, headers, place);
	content = json_get(definition, "content");
	loader_place(place, where, "content");
	if (result == 0 && content)
		result = content_load(loader, content, place, ret_content);
	return result;
}

const struct media *content_find(const struct content *content, const char *content_type)
{
	size_t length = content_type ? type_length(content_type) : 0;

	for (size_t i = 0; i < content->count; i++) {
		const struct media *media = &content->list[i];

		if (strlen(media->type) == length &&
		    strncasecmp(media->type, content_type, length) == 0)
			return media;
	}
	return NULL;
}
