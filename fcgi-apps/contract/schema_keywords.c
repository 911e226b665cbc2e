#include "contract/reference.h"
#include "contract/schema_compiler.h"

/* Every pair is compared. */
#define UNIQUE_ITEMS_MAX 1000

/* One keyword on its way into a schema. */
struct keyword {
	const char *name;
	int (*compile)(struct compiler *compiler, struct schema *schema,
		       const struct keyword *keyword, const struct json *value, const char *where);
	size_t offset; /* of the field it fills */
};

static void *field(struct schema *schema, const struct keyword *keyword)
{
	return (char *)schema + keyword->offset;
}

static int compile_annotation(struct compiler *compiler UNUSED, struct schema *schema UNUSED,
			      const struct keyword *keyword UNUSED, const struct json *value UNUSED,
			      const char *where UNUSED)
{
	return 0;
}

static unsigned type_bits(const char *name)
{
	static const struct {
		const char *name;
		unsigned bits;
	} types[] = {
		{"null", SCHEMA_NULL},       {"boolean", SCHEMA_BOOLEAN},
		{"integer", SCHEMA_INTEGER}, {"number", SCHEMA_INTEGER | SCHEMA_FRACTION},
		{"string", SCHEMA_STRING},   {"array", SCHEMA_ARRAY},
		{"object", SCHEMA_OBJECT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, name) == 0)
			return types[i].bits;
	}
	return 0;
}

static int compile_type(struct compiler *compiler, struct schema *schema,
			const struct keyword *keyword UNUSED, const struct json *value,
			const char *where)
{
	bool list = json_type(value) == JSON_ARRAY;
	size_t count = list ? json_length(value) : 1;

	schema->types = 0;
	for (size_t i = 0; i < count; i++) {
		const struct json *name = list ? json_at(value, i) : value;
		unsigned bits =
			json_type(name) == JSON_STRING ? type_bits(json_string(name, NULL)) : 0;

		if (!bits)
			return schema_refuse(compiler, where, "type must name JSON Schema types");
		schema->types |= bits;
	}
	return count ? 0 : schema_refuse(compiler, where, "type must not be empty");
}

static int compile_enum(struct compiler *compiler, struct schema *schema,
			const struct keyword *keyword UNUSED, const struct json *value,
			const char *where)
{
	if (json_type(value) != JSON_ARRAY || json_length(value) == 0)
		return schema_refuse(compiler, where, "enum must be a list that is not empty");
	schema->enumeration = value;
	return 0;
}

static int compile_const(struct compiler *compiler UNUSED, struct schema *schema,
			 const struct keyword *keyword UNUSED, const struct json *value,
			 const char *where UNUSED)
{
	schema->constant = value;
	return 0;
}

static int compile_number(struct compiler *compiler, struct schema *schema,
			  const struct keyword *keyword, const struct json *value,
			  const char *where)
{
	struct schema_number *number = field(schema, keyword);

	if (json_type(value) != JSON_NUMBER || json_decimal(value, &number->value) < 0)
		return schema_refuse(compiler, where, "%s must be a number of at most 18 digits",
				     keyword->name);
	number->text = json_number_text(value);
	schema->compares = true;
	return 0;
}

static int compile_count(struct compiler *compiler, struct schema *schema,
			 const struct keyword *keyword, const struct json *value, const char *where)
{
	size_t *count = field(schema, keyword);

	if (json_type(value) != JSON_NUMBER || !json_is_integer(value) || json_int(value) < 0)
		return schema_refuse(compiler, where, "%s must be a whole number, 0 or more",
				     keyword->name);
	*count = (size_t)json_int(value);
	return 0;
}

static int compile_decimals(struct compiler *compiler, struct schema *schema,
			    const struct keyword *keyword, const struct json *value,
			    const char *where)
{
	schema->compares = true;
	return compile_count(compiler, schema, keyword, value, where);
}

/* One value that is excluded is all that documents need, and leaves the type as it is for whoever
 * makes a client of them. */
static int compile_not(struct compiler *compiler, struct schema *schema,
		       const struct keyword *keyword UNUSED, const struct json *value,
		       const char *where)
{
	schema->excluded = json_type(value) == JSON_OBJECT ? json_get(value, "const") : NULL;
	if (!schema->excluded || json_length(value) != 1)
		return schema_refuse(compiler, where, "not must hold a const, and nothing else");
	return 0;
}

static int compile_pattern(struct compiler *compiler, struct schema *schema,
			   const struct keyword *keyword UNUSED, const struct json *value,
			   const char *where)
{
	char reason[128];
	int result;

	if (json_type(value) != JSON_STRING)
		return schema_refuse(compiler, where, "pattern must be a string");
	schema->pattern_source = json_string(value, NULL);
	result = pattern_compile(schema->pattern_source, &schema->pattern, reason, sizeof(reason));
	if (result == -EINVAL)
		return schema_refuse(compiler, where, "pattern %s: %s", schema->pattern_source,
				     reason);
	return result;
}

static int compile_format(struct compiler *compiler, struct schema *schema,
			  const struct keyword *keyword UNUSED, const struct json *value,
			  const char *where)
{
	const char *name = json_type(value) == JSON_STRING ? json_string(value, NULL) : "";

	schema->format = schema_format_find(name);
	if (!schema->format)
		return schema_refuse(compiler, where,
				     "format \"%s\" is not checked; date-time, id, int32, int64, "
				     "text-block, text-line, uri and uuid are",
				     name);
	return 0;
}

static int compile_unique(struct compiler *compiler, struct schema *schema,
			  const struct keyword *keyword UNUSED, const struct json *value,
			  const char *where)
{
	if (json_type(value) != JSON_BOOL)
		return schema_refuse(compiler, where, "uniqueItems must be true or false");
	schema->unique = json_bool(value);
	return 0;
}

static int compile_child(struct compiler *compiler, struct schema *schema,
			 const struct keyword *keyword, const struct json *value, const char *where)
{
	char place[SCHEMA_WHERE_SIZE];

	snprintf(place, sizeof(place), "%s/%s", where, keyword->name);
	return schema_compile_at(compiler, value, place, field(schema, keyword));
}

static int compile_list(struct compiler *compiler, struct schema *schema,
			const struct keyword *keyword, const struct json *value, const char *where)
{
	struct schema_list *list = field(schema, keyword);
	size_t count = json_type(value) == JSON_ARRAY ? json_length(value) : 0;

	if (count == 0)
		return schema_refuse(compiler, where, "%s must be a list that is not empty",
				     keyword->name);
	list->list = calloc(count, sizeof(struct schema *));
	if (!list->list)
		return -ENOMEM;
	for (; list->count < count; list->count++) {
		char place[SCHEMA_WHERE_SIZE];
		int result;

		snprintf(place, sizeof(place), "%s/%s/%zu", where, keyword->name, list->count);
		result = schema_compile_at(compiler, json_at(value, list->count), place,
					   &list->list[list->count]);
		if (result < 0)
			return result;
	}
	return 0;
}

static int compile_reference(struct compiler *compiler, struct schema *schema,
			     const struct keyword *keyword UNUSED, const struct json *value,
			     const char *where)
{
	const char *reference = json_type(value) == JSON_STRING ? json_string(value, NULL) : "";
	const struct json *target = reference_resolve(compiler->root, reference);

	if (!target)
		return schema_refuse(compiler, where, "$ref \"%s\" leads nowhere", reference);
	return schema_compile_at(compiler, target, reference, &schema->reference);
}

static int add_required(struct compiler *compiler, struct schema *schema,
			const struct json *required, const char *where)
{
	for (size_t i = 0; i < json_length(required); i++) {
		const struct json *value = json_at(required, i);
		const char *name =
			json_type(value) == JSON_STRING ? json_string(value, NULL) : NULL;
		size_t index;

		if (!name)
			return schema_refuse(compiler, where, "required must hold strings");
		index = names_find(&schema->member_names, name);
		if (index == NAMES_NONE) {
			index = schema->member_count++;
			schema->members[index].name = name;
			names_add(&schema->member_names, name, index);
		}
		if (schema->members[index].required)
			return schema_refuse(compiler, where, "required names \"%s\" twice", name);
		schema->members[index].required = true;
		schema->required_count++;
	}
	return 0;
}

/* `properties` and `required` fill one table, whichever comes first. */
static int compile_members(struct compiler *compiler, struct schema *schema,
			   const struct keyword *keyword UNUSED, const struct json *value UNUSED,
			   const char *where)
{
	const struct json *properties = json_get(schema->definition, "properties");
	const struct json *required = json_get(schema->definition, "required");
	size_t capacity = 0;

	if (schema->members)
		return 0;
	if (properties && json_type(properties) != JSON_OBJECT)
		return schema_refuse(compiler, where, "properties must be an object");
	if (required && json_type(required) != JSON_ARRAY)
		return schema_refuse(compiler, where, "required must be a list");
	capacity += properties ? json_length(properties) : 0;
	capacity += required ? json_length(required) : 0;
	/* One more, so that an empty table is told from one that was not made yet. */
	schema->members = calloc(capacity + 1, sizeof(*schema->members));
	if (!schema->members || names_init(&schema->member_names, capacity) < 0)
		return -ENOMEM;
	json_each (properties, member) {
		size_t index = schema->member_count++;
		char place[SCHEMA_WHERE_SIZE];
		int result;

		snprintf(place, sizeof(place), "%s/properties/%s", where, member.name);
		schema->members[index].name = member.name;
		names_add(&schema->member_names, member.name, index);
		result = schema_compile_at(compiler, member.value, place,
					   &schema->members[index].schema);
		if (result < 0)
			return result;
	}
	return required ? add_required(compiler, schema, required, where) : 0;
}

#define FIELD(member) offsetof(struct schema, member)

static const struct keyword keywords[] = {
	{"$ref", compile_reference, 0},
	{"additionalProperties", compile_child, FIELD(additional)},
	{"allOf", compile_list, FIELD(all_of)},
	{"anyOf", compile_list, FIELD(any_of)},
	{"const", compile_const, 0},
	{"default", compile_annotation, 0},
	{"deprecated", compile_annotation, 0},
	{"description", compile_annotation, 0},
	{"enum", compile_enum, 0},
	{"examples", compile_annotation, 0},
	{"exclusiveMaximum", compile_number, FIELD(below)},
	{"exclusiveMinimum", compile_number, FIELD(above)},
	{"format", compile_format, 0},
	{"items", compile_child, FIELD(items)},
	{"maxItems", compile_count, FIELD(elements.highest)},
	{"maxLength", compile_count, FIELD(characters.highest)},
	{"maxProperties", compile_count, FIELD(member_range.highest)},
	{"maximum", compile_number, FIELD(maximum)},
	{"minItems", compile_count, FIELD(elements.lowest)},
	{"minLength", compile_count, FIELD(characters.lowest)},
	{"minProperties", compile_count, FIELD(member_range.lowest)},
	{"minimum", compile_number, FIELD(minimum)},
	{"not", compile_not, 0},
	{"oneOf", compile_list, FIELD(one_of)},
	{"pattern", compile_pattern, 0},
	{"properties", compile_members, 0},
	{"readOnly", compile_annotation, 0},
	{"required", compile_members, 0},
	{"title", compile_annotation, 0},
	{"type", compile_type, 0},
	{"uniqueItems", compile_unique, 0},
	{"writeOnly", compile_annotation, 0},
	{"x-decimals", compile_decimals, FIELD(decimals)},
};

static const struct keyword *find_keyword(const char *name)
{
	static const struct keyword extension = {"x-", compile_annotation, 0};

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		if (strcmp(keywords[i].name, name) == 0)
			return &keywords[i];
	}
	return strncmp(name, "x-", 2) == 0 ? &extension : NULL;
}

/* int32 and int64 promise to whoever stores a number how large it gets: its bounds keep that. */
static int check_integer_format(struct compiler *compiler, const struct schema *schema,
				const char *where)
{
	const struct schema_format *format = schema->format;

	if (!format || !format->magnitude)
		return 0;
	if ((schema->types & ~SCHEMA_NULL) == SCHEMA_INTEGER && schema->minimum.text &&
	    schema->maximum.text &&
	    decimal_compare(schema->minimum.value, (struct decimal){-format->magnitude, 0}) >= 0 &&
	    decimal_compare(schema->maximum.value, (struct decimal){format->magnitude, 0}) <= 0)
		return 0;
	return schema_refuse(compiler, where,
			     "%s is for integers, with a minimum and a maximum that fit it",
			     format->name);
}

int schema_compile_keywords(struct compiler *compiler, struct schema *schema, const char *where)
{
	json_each (schema->definition, member) {
		const struct keyword *keyword = find_keyword(member.name);
		int result;

		if (!keyword)
			return schema_refuse(compiler, where, "the keyword \"%s\" is not supported",
					     member.name);
		result = keyword->compile(compiler, schema, keyword, member.value, where);
		if (result < 0)
			return result;
	}
	if (schema->unique && schema->elements.highest == SIZE_MAX)
		schema->elements.highest = UNIQUE_ITEMS_MAX;
	if (schema->unique && schema->elements.highest > UNIQUE_ITEMS_MAX)
		return schema_refuse(compiler, where, "uniqueItems takes a maxItems of at most %d",
				     UNIQUE_ITEMS_MAX);
	return check_integer_format(compiler, schema, where);
}
