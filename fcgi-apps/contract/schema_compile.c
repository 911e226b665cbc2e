#include "contract/schema.h"

#include <stdarg.h>

#include "contract/schema_compiler.h"

#define DEPTH_MAX 64

struct schema_set {
	const struct json *root;
	struct schema **list;
	size_t count;
	size_t capacity;
	size_t walked; /* the first ones are known to have no cycles */
};

int schema_refuse(struct compiler *compiler, const char *where, const char *format, ...)
{
	char reason[SCHEMA_WHERE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	text_printf(compiler->error, "%s: %s", where, reason);
	return -EINVAL;
}

/* ---- places --------------------------------------------------------------------------------- */

static void schema_free(struct schema *schema)
{
	pattern_free(schema->pattern);
	names_release(&schema->member_names);
	free(schema->members);
	free(schema->all_of.list);
	free(schema->any_of.list);
	free(schema->one_of.list);
	free(schema);
}

static struct schema *find_place(const struct schema_set *set, const struct json *definition)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->list[i]->definition == definition)
			return set->list[i];
	}
	return NULL;
}

/* A schema that takes everything, owned by the set, before it is compiled: so recursion ends. */
static struct schema *add_place(struct schema_set *set, const struct json *definition)
{
	struct schema *schema;

	if (set->count == set->capacity) {
		size_t capacity = set->capacity ? set->capacity * 2 : 64;
		struct schema **list = reallocarray(set->list, capacity, sizeof(*list));

		if (!list)
			return NULL;
		set->list = list;
		set->capacity = capacity;
	}
	schema = calloc(1, sizeof(*schema));
	if (!schema)
		return NULL;
	schema->definition = definition;
	schema->types = SCHEMA_ANY;
	schema->decimals = SIZE_MAX;
	schema->characters.highest = SIZE_MAX;
	schema->member_range.highest = SIZE_MAX;
	schema->elements.highest = SIZE_MAX;
	set->list[set->count++] = schema;
	return schema;
}

int schema_compile_at(struct compiler *compiler, const struct json *definition, const char *where,
		      struct schema **ret_schema)
{
	struct schema *known = find_place(compiler->set, definition);
	struct schema *schema;
	int result = 0;

	if (known) {
		*ret_schema = known;
		return 0;
	}
	if (json_type(definition) != JSON_OBJECT && json_type(definition) != JSON_BOOL)
		return schema_refuse(compiler, where, "a schema must be an object, true or false");
	if (compiler->depth == DEPTH_MAX)
		return schema_refuse(compiler, where, "schemas are nested too deeply");
	schema = add_place(compiler->set, definition);
	if (!schema)
		return -ENOMEM;
	compiler->depth++;
	if (json_type(definition) == JSON_OBJECT)
		result = schema_compile_keywords(compiler, schema, where);
	else if (!json_bool(definition))
		schema->types = 0;
	compiler->depth--;
	if (result == 0)
		*ret_schema = schema;
	return result;
}

/* ---- cycles --------------------------------------------------------------------------------- */

static bool has_cycle(struct schema *schema);

static bool list_has_cycle(const struct schema_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (has_cycle(list->list[i]))
			return true;
	}
	return false;
}

/* Whether checking would come back to the same schema with the same value, for ever. */
static bool has_cycle(struct schema *schema)
{
	if (schema->walk != SCHEMA_UNSEEN)
		return schema->walk == SCHEMA_OPEN;
	schema->walk = SCHEMA_OPEN;
	if ((schema->reference && has_cycle(schema->reference)) ||
	    list_has_cycle(&schema->all_of) || list_has_cycle(&schema->any_of) ||
	    list_has_cycle(&schema->one_of))
		return true;
	schema->walk = SCHEMA_DONE;
	return false;
}

/* ---- public --------------------------------------------------------------------------------- */

int schema_set_create(const struct json *root, struct schema_set **ret_set)
{
	struct schema_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->root = root;
	*ret_set = set;
	return 0;
}

void schema_set_free(struct schema_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		schema_free(set->list[i]);
	free(set->list);
	free(set);
}

int schema_compile(struct schema_set *set, const struct json *definition, const char *where,
		   const struct schema **ret_schema, struct text *ret_error)
{
	struct compiler compiler = {.root = set->root, .set = set, .error = ret_error};
	struct schema *schema;
	int result = schema_compile_at(&compiler, definition, where, &schema);

	if (result < 0)
		return result;
	for (; set->walked < set->count; set->walked++) {
		if (has_cycle(set->list[set->walked]))
			return schema_refuse(&compiler, where, "a $ref leads back to itself");
	}
	*ret_schema = schema;
	return 0;
}
