/* The document as clients get it: without what they can't use. */
#include "contract/contract_parts.h"
#include "contract/reference.h"

/* "#/components/schemas/Product" out of a longer reference; 0 when it points elsewhere. */
static size_t component_length(const char *reference)
{
	const char *end;

	if (strncmp(reference, "#/components/", 13) != 0)
		return 0;
	end = strchr(reference + 13, '/');
	return end ? (size_t)(strchrnul(end + 1, '/') - reference) : 0;
}

static int mark_used(const struct json *root, const struct json *value, struct json *used);

/* Adds the component that is referred to, and what it uses itself, to the set. */
static int mark_reference(const struct json *root, const char *reference, struct json *used)
{
	size_t length = component_length(reference);
	char *component CLEANUP(free_p) = NULL;

	if (length == 0)
		return 0;
	component = strndup(reference, length);
	if (!component)
		return -ENOMEM;
	if (json_get(used, component))
		return 0;
	if (json_set(used, component, json_new_int(1)) < 0)
		return -ENOMEM;
	return mark_used(root, reference_resolve(root, component), used);
}

static int mark_used(const struct json *root, const struct json *value, struct json *used)
{
	int result = 0;

	if (!value)
		return 0;
	if (json_type(value) == JSON_ARRAY) {
		for (size_t i = 0; i < json_length(value) && result == 0; i++)
			result = mark_used(root, json_at(value, i), used);
		return result;
	}
	if (json_type(value) != JSON_OBJECT)
		return 0;
	json_each (value, member) {
		if (strcmp(member.name, "$ref") == 0 && json_type(member.value) == JSON_STRING)
			result = mark_reference(root, json_string(member.value, NULL), used);
		else
			result = mark_used(root, member.value, used);
		if (result < 0)
			return result;
	}
	return 0;
}

/* A copy of the object with the members that keep() says. NULL when out of memory. */
static struct json *filter(const struct json *object,
			   bool (*keep)(struct json_member member, void *context), void *context)
{
	struct json *copy CLEANUP(json_free_p) = json_new_object();
	struct json *result;

	if (!copy)
		return NULL;
	json_each (object, member) {
		if (keep(member, context) &&
		    json_set(copy, member.name, json_copy(member.value)) < 0)
			return NULL;
	}
	result = copy;
	copy = NULL;
	return result;
}

static bool is_public(struct json_member member, void *context UNUSED)
{
	const struct json *internal = json_get(member.value, "x-internal");

	return !internal || !json_bool(internal);
}

static bool has_operation(const struct json *path_item)
{
	for (size_t i = 0; i < ARRAY_SIZE(operation_members); i++) {
		if (json_get(path_item, operation_members[i]))
			return true;
	}
	return false;
}

static struct json *public_paths(const struct json *paths)
{
	struct json *kept CLEANUP(json_free_p) = json_new_object();
	struct json *result;

	if (!kept)
		return NULL;
	json_each (paths, path) {
		struct json *item = filter(path.value, is_public, NULL);

		if (!item)
			return NULL;
		if (!has_operation(item))
			json_free(item);
		else if (json_set(kept, path.name, item) < 0)
			return NULL;
	}
	result = kept;
	kept = NULL;
	return result;
}

struct section {
	const char *name;
	const struct json *used;
};

static bool is_used(struct json_member member, void *context)
{
	const struct section *section = context;
	char reference[VIOLATION_POINTER_SIZE] = "#/components";

	pointer_append(reference, section->name);
	pointer_append(reference, member.name);
	return json_get(section->used, reference) != NULL;
}

/* The components that paths use; shared ones are merged in whether a service needs them or not. */
static struct json *used_components(const struct json *document, const struct json *paths)
{
	struct json *used CLEANUP(json_free_p) = json_new_object();
	struct json *kept CLEANUP(json_free_p) = json_new_object();
	struct json *result;

	if (!used || !kept || mark_used(document, paths, used) < 0)
		return NULL;
	json_each (json_get(document, "components"), member) {
		struct section section = {.name = member.name, .used = used};
		struct json *filtered = filter(member.value, is_used, &section);

		if (!filtered)
			return NULL;
		if (json_length(filtered) == 0)
			json_free(filtered);
		else if (json_set(kept, member.name, filtered) < 0)
			return NULL;
	}
	result = kept;
	kept = NULL;
	return result;
}

static bool uses_tag(const struct json *paths, const char *tag)
{
	json_each (paths, path) {
		json_each (path.value, operation) {
			const struct json *tags = json_get(operation.value, "tags");

			for (size_t i = 0; tags && i < json_length(tags); i++) {
				if (strcmp(json_string(json_at(tags, i), NULL), tag) == 0)
					return true;
			}
		}
	}
	return false;
}

static struct json *used_tags(const struct json *tags, const struct json *paths)
{
	struct json *kept = json_new_array();

	for (size_t i = 0; kept && i < json_length(tags); i++) {
		const struct json *tag = json_at(tags, i);

		if (uses_tag(paths, json_get_string(tag, "name", "")) &&
		    json_push(kept, json_copy(tag)) < 0) {
			json_free(kept);
			return NULL;
		}
	}
	return kept;
}

/* Puts the parts that depend on the listener into the copy. */
static int replace_parts(struct json *copy, const struct json *document, bool internal)
{
	const struct json *paths = json_get(document, "paths");
	const struct json *tags = json_get(document, "tags");
	struct json *kept_paths = internal ? json_copy(paths) : public_paths(paths);

	if (json_set(copy, "paths", kept_paths) < 0 ||
	    json_set(copy, "components", used_components(document, kept_paths)) < 0)
		return -ENOMEM;
	return tags ? json_set(copy, "tags", used_tags(tags, kept_paths)) : 0;
}

int document_serve(const struct json *document, bool internal, struct text *out)
{
	struct json *copy CLEANUP(json_free_p) = json_copy(document);

	if (!copy || replace_parts(copy, document, internal) < 0)
		return -ENOMEM;
	json_print(copy, out);
	return text_error(out);
}
