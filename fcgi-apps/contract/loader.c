/* What all parts of loading share. */
#include <stdarg.h>

#include "contract/contract_parts.h"
#include "contract/reference.h"

/* A $ref may lead to a $ref; further than this it goes in circles. */
#define REFERENCES_MAX 8

int loader_refuse(struct text *error, const char *where, const char *format, ...)
{
	char reason[WHERE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	text_reset(error);
	text_printf(error, "%s: %s", where, reason);
	return -EINVAL;
}

const struct json *loader_resolve(struct loader *loader, const struct json *value,
				  const char *where)
{
	static const char *const beside[] = {"$ref", "summary", "description", NULL};

	for (int i = 0; i < REFERENCES_MAX; i++) {
		const char *reference = json_get_string(value, "$ref", NULL);

		if (!reference)
			return value;
		if (loader_members(loader, value, beside, where) < 0)
			return NULL;
		value = reference_resolve(loader->root, reference);
		if (!value) {
			loader_refuse(loader->error, where, "$ref \"%s\" leads nowhere", reference);
			return NULL;
		}
	}
	loader_refuse(loader->error, where, "$ref goes in circles");
	return NULL;
}

static bool is_allowed(const char *name, const char *const *allowed)
{
	if (strncmp(name, "x-", 2) == 0)
		return true;
	for (; *allowed; allowed++) {
		if (strcmp(name, *allowed) == 0)
			return true;
	}
	return false;
}

int loader_members(struct loader *loader, const struct json *object, const char *const *allowed,
		   const char *where)
{
	if (!object || json_type(object) != JSON_OBJECT)
		return loader_refuse(loader->error, where, "must be an object");
	json_each (object, member) {
		if (!is_allowed(member.name, allowed))
			return loader_refuse(loader->error, where, "\"%s\" is not supported",
					     member.name);
	}
	return 0;
}

int loader_flag(struct loader *loader, const struct json *object, const char *name,
		const char *where, bool *ret_flag)
{
	const struct json *value = json_get(object, name);

	if (value && json_type(value) != JSON_BOOL)
		return loader_refuse(loader->error, where, "%s must be true or false", name);
	*ret_flag = value && json_bool(value);
	return 0;
}

void loader_place(char buffer[WHERE_SIZE], const char *where, const char *name)
{
	snprintf(buffer, WHERE_SIZE, "%s/%s", where, name);
}
