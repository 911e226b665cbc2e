#include "contract/schema.h"

#include "contract/schema_node.h"
#include "contract/schema_report.h"

static bool check_subject(const struct schema *schema, const struct subject *subject,
			  const struct place *place, const struct check *check);

static struct subject subject_of(const struct json *value)
{
	struct subject subject = {.json = value};

	switch (json_type(value)) {
	case JSON_NULL:
		subject.type = SCHEMA_NULL;
		break;
	case JSON_BOOL:
		subject.type = SCHEMA_BOOLEAN;
		break;
	case JSON_NUMBER:
		subject.type = json_is_integer(value) ? SCHEMA_INTEGER : SCHEMA_FRACTION;
		break;
	case JSON_STRING:
		subject.type = SCHEMA_STRING;
		subject.text = json_string(value, &subject.length);
		break;
	case JSON_ARRAY:
		subject.type = SCHEMA_ARRAY;
		break;
	case JSON_OBJECT:
		subject.type = SCHEMA_OBJECT;
		break;
	}
	return subject;
}

/* ---- scalars -------------------------------------------------------------------------------- */

static bool subject_equals(const struct subject *subject, const struct json *value)
{
	struct decimal number;
	const char *text;
	size_t length;

	if (subject->type == SCHEMA_STRING) {
		if (json_type(value) != JSON_STRING)
			return false;
		text = json_string(value, &length);
		return length == subject->length && memcmp(text, subject->text, length) == 0;
	}
	if (subject->json)
		return json_equal(subject->json, value);
	if (subject->type == SCHEMA_BOOLEAN)
		return json_type(value) == JSON_BOOL && json_bool(value) == subject->truth;
	return json_type(value) == JSON_NUMBER && json_decimal(value, &number) == 0 &&
	       decimal_compare(number, subject->number) == 0;
}

static bool is_enumerated(const struct json *enumeration, const struct subject *subject)
{
	for (size_t i = 0; i < json_length(enumeration); i++) {
		if (subject_equals(subject, json_at(enumeration, i)))
			return true;
	}
	return false;
}

static bool check_decimals(size_t decimals, struct decimal number, const struct place *place,
			   const struct check *check)
{
	if (number.scale <= 0 || (size_t)number.scale <= decimals)
		return true;
	if (decimals == 0)
		return schema_report(check, place, "must be a whole number");
	return schema_report(check, place, "must have at most %zu decimal%s", decimals,
			     schema_plural(decimals));
}

static bool check_number(const struct schema *schema, const struct subject *subject,
			 const struct place *place, const struct check *check)
{
	struct decimal number = subject->number;
	bool fits = true;

	if (subject->json && json_decimal(subject->json, &number) < 0)
		return schema_report(check, place, "must have at most 18 significant digits");
	if (schema->minimum.text && decimal_compare(number, schema->minimum.value) < 0)
		fits = schema_report(check, place, "must be at least %s", schema->minimum.text);
	if (schema->maximum.text && decimal_compare(number, schema->maximum.value) > 0)
		fits = schema_report(check, place, "must be at most %s", schema->maximum.text);
	if (schema->above.text && decimal_compare(number, schema->above.value) <= 0)
		fits = schema_report(check, place, "must be greater than %s", schema->above.text);
	if (schema->below.text && decimal_compare(number, schema->below.value) >= 0)
		fits = schema_report(check, place, "must be less than %s", schema->below.text);
	return check_decimals(schema->decimals, number, place, check) && fits;
}

/* json_int() saturates: what seems to be at an end may be beyond it. */
static bool fits_int64(const struct json *value)
{
	const char *text = json_number_text(value);
	int64_t integer = json_int(value);

	if (integer == INT64_MAX)
		return strcmp(text, "9223372036854775807") == 0;
	return integer != INT64_MIN || strcmp(text, "-9223372036854775808") == 0;
}

static size_t count_characters(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static bool check_length(const struct schema *schema, const struct subject *subject,
			 const struct place *place, const struct check *check)
{
	const struct schema_count *range = &schema->characters;
	size_t count = count_characters(subject->text, subject->length);

	/* A text that shows nothing has become empty. */
	if (count < range->lowest)
		return range->lowest == 1
			       ? schema_report(check, place, "must not be %s",
					       schema->format && schema->format->normalize
						       ? "blank"
						       : "empty")
			       : schema_report(check, place, "must be at least %zu characters long",
					       range->lowest);
	if (count > range->highest)
		return schema_report(check, place, "must be at most %zu character%s long",
				     range->highest, schema_plural(range->highest));
	return true;
}

static bool check_pattern(const struct schema *schema, const struct subject *subject,
			  const struct place *place, const struct check *check)
{
	int matches = pattern_matches(schema->pattern, subject->text, subject->length);

	if (matches > 0)
		return true;
	if (matches < 0 && check->violations)
		check->violations->error = matches;
	return schema_report(check, place, "must match the pattern %s", schema->pattern_source);
}

static bool report_format(const struct schema_format *format, const struct subject *subject,
			  const struct place *place, const struct check *check)
{
	char detail[SCHEMA_DETAIL_SIZE] = "";

	if (format->explain)
		format->explain(subject->text, subject->length, detail);
	return schema_report(check, place, "%s", *detail ? detail : format->expected);
}

static bool check_string(const struct schema *schema, const struct subject *subject,
			 const struct place *place, const struct check *check)
{
	bool fits = true;

	if (schema->characters.lowest || schema->characters.highest != SIZE_MAX)
		fits = check_length(schema, subject, place, check);
	/* What is too long is not worth running an expression over. */
	if (fits && schema->pattern)
		fits = check_pattern(schema, subject, place, check);
	if (fits && schema->format && !schema->format->is_valid(subject->text, subject->length))
		fits = report_format(schema->format, subject, place, check);
	return fits;
}

/* ---- objects and arrays --------------------------------------------------------------------- */

static bool check_range(const struct schema_count *range, size_t count, const char *thing,
			const struct place *place, const struct check *check)
{
	if (count < range->lowest)
		return schema_report(check, place, "must have at least %zu %s%s", range->lowest,
				     thing, schema_plural(range->lowest));
	if (count > range->highest)
		return schema_report(check, place, "must have at most %zu %s%s", range->highest,
				     thing, schema_plural(range->highest));
	return true;
}

static bool check_child(const struct schema *schema, const struct json *value,
			const struct place *place, const struct check *check)
{
	struct subject subject = subject_of(value);

	return check_subject(schema, &subject, place, check);
}

static bool check_member(const struct schema *schema, const struct schema_member *known,
			 const struct json *value, const struct place *place,
			 const struct check *check)
{
	if (known && known->schema)
		return check_child(known->schema, value, place, check);
	if (!schema->additional)
		return true;
	if (!schema->additional->types)
		return schema_report(check, place, "unknown member");
	return check_child(schema->additional, value, place, check);
}

static bool report_missing(const struct schema *schema, const struct json *object,
			   const struct place *place, const struct check *check)
{
	for (size_t i = 0; i < schema->member_count; i++) {
		struct place missing = {.parent = place, .name = schema->members[i].name};

		if (schema->members[i].required && !json_get(object, missing.name))
			schema_report(check, &missing, "is required");
	}
	return false;
}

static bool check_object(const struct schema *schema, const struct json *object,
			 const struct place *place, const struct check *check)
{
	bool fits = check_range(&schema->member_range, json_length(object), "member", place, check);
	size_t required_seen = 0;

	if (!schema->members && !schema->additional)
		return fits;
	json_each (object, member) {
		struct place child = {.parent = place, .name = member.name};
		size_t index = names_find(&schema->member_names, member.name);
		const struct schema_member *known =
			index == NAMES_NONE ? NULL : &schema->members[index];

		required_seen += known && known->required;
		if (!check_member(schema, known, member.value, &child, check)) {
			if (!check->violations)
				return false;
			fits = false;
		}
	}
	if (required_seen < schema->required_count)
		fits = report_missing(schema, object, place, check);
	return fits;
}

/* maxItems bounds the number of pairs. */
static bool check_unique(const struct json *array, const struct place *place,
			 const struct check *check)
{
	bool fits = true;

	for (size_t i = 1; i < json_length(array); i++) {
		for (size_t j = 0; j < i; j++) {
			struct place repeated = {.parent = place, .index = i};

			if (!json_equal(json_at(array, i), json_at(array, j)))
				continue;
			fits = schema_report(check, &repeated, "repeats the item at %zu", j);
			break;
		}
	}
	return fits;
}

static bool check_array(const struct schema *schema, const struct json *array,
			const struct place *place, const struct check *check)
{
	size_t count = json_length(array);
	bool fits = true;

	/* The items of a list that is too long are not looked at: the limit bounds the work. */
	if (!check_range(&schema->elements, count, "item", place, check))
		return false;
	for (size_t i = 0; schema->items && i < count; i++) {
		struct place child = {.parent = place, .index = i};

		if (!check_child(schema->items, json_at(array, i), &child, check)) {
			if (!check->violations)
				return false;
			fits = false;
		}
	}
	if (schema->unique)
		fits &= check_unique(array, place, check);
	return fits;
}

/* ---- combinations --------------------------------------------------------------------------- */

#define FITS_NONE "fits none of the allowed forms"

/* What each form that the value can be meant as says first: "must be at most 1, or must be …". */
static bool report_each(const struct schema_list *forms, const struct subject *subject,
			const struct place *place, const struct check *check)
{
	struct text detail CLEANUP(text_release) = {0};

	text_init(&detail, VIOLATION_DETAIL_SIZE);
	for (size_t i = 0; i < forms->count; i++) {
		struct violations violations = {0};
		const struct check alone = {.in = check->in, .violations = &violations};

		if (schema_types(forms->list[i]) & subject->type)
			check_subject(forms->list[i], subject, place, &alone);
		if (violations.count)
			text_printf(&detail, "%s%s", detail.length ? ", or " : "",
				    violations.list[0].detail);
		if (violations.error)
			check->violations->error = violations.error;
		violations_release(&violations);
	}
	return schema_report(check, place, "%s",
			     text_error(&detail) ? FITS_NONE : text_string(&detail));
}

/* Reports what is wrong with the forms that the value can be meant as. */
static bool report_nearest(const struct schema_list *forms, const struct subject *subject,
			   const struct place *place, const struct check *check)
{
	const struct schema *nearest = NULL;
	size_t meant = 0;

	for (size_t i = 0; i < forms->count; i++) {
		if (schema_types(forms->list[i]) & subject->type) {
			nearest = forms->list[i];
			meant++;
		}
	}
	if (meant == 1)
		return check_subject(nearest, subject, place, check);
	/* What is wrong inside of arrays and objects is at several places. */
	if (meant == 0 || subject->type & (SCHEMA_ARRAY | SCHEMA_OBJECT))
		return schema_report(check, place, FITS_NONE);
	return report_each(forms, subject, place, check);
}

static bool check_forms(const struct schema_list *forms, bool only_one,
			const struct subject *subject, const struct place *place,
			const struct check *check)
{
	const struct check silent = {.in = check->in};
	size_t fitting = 0;

	for (size_t i = 0; i < forms->count; i++) {
		fitting += check_subject(forms->list[i], subject, place, &silent);
		if (fitting == 1 && !only_one)
			return true;
	}
	if (fitting == 1)
		return true;
	if (fitting > 1)
		return schema_report(check, place, "fits %zu of the allowed forms, not just one",
				     fitting);
	return check->violations ? report_nearest(forms, subject, place, check) : false;
}

static bool check_subject(const struct schema *schema, const struct subject *subject,
			  const struct place *place, const struct check *check)
{
	bool fits = true;

	if (!(schema->types & subject->type))
		return schema_report_type(schema, subject, place, check);
	if (schema->reference)
		fits = check_subject(schema->reference, subject, place, check);
	for (size_t i = 0; i < schema->all_of.count; i++)
		fits &= check_subject(schema->all_of.list[i], subject, place, check);
	if (schema->any_of.count)
		fits &= check_forms(&schema->any_of, false, subject, place, check);
	if (schema->one_of.count)
		fits &= check_forms(&schema->one_of, true, subject, place, check);
	if (schema->enumeration && !is_enumerated(schema->enumeration, subject))
		fits = schema_report_allowed(schema->enumeration, true, place, check);
	if (schema->constant && !subject_equals(subject, schema->constant))
		fits = schema_report_allowed(schema->constant, false, place, check);
	if (schema->excluded && subject_equals(subject, schema->excluded))
		fits = schema_report_excluded(schema->excluded, place, check);

	switch (subject->type) {
	case SCHEMA_INTEGER:
		if (!(schema->types & SCHEMA_FRACTION) && subject->json &&
		    !fits_int64(subject->json))
			return schema_report(check, place, "must fit a 64-bit integer");
		/* fall through */
	case SCHEMA_FRACTION:
		return (!schema->compares || check_number(schema, subject, place, check)) && fits;
	case SCHEMA_STRING:
		return check_string(schema, subject, place, check) && fits;
	case SCHEMA_ARRAY:
		return check_array(schema, subject->json, place, check) && fits;
	case SCHEMA_OBJECT:
		return check_object(schema, subject->json, place, check) && fits;
	default:
		return fits;
	}
}

/* ---- public --------------------------------------------------------------------------------- */

static bool check_root(const struct schema *schema, const struct subject *subject, const char *in,
		       const char *pointer, struct violations *violations)
{
	const struct place root = {.name = pointer};
	const struct check check = {.in = in, .violations = violations};

	return check_subject(schema, subject, &root, &check);
}

bool schema_check(const struct schema *schema, const struct json *value, const char *in,
		  const char *pointer, struct violations *violations)
{
	struct subject subject = subject_of(value);

	return check_root(schema, &subject, in, pointer, violations);
}

bool schema_check_string(const struct schema *schema, const char *text, size_t length,
			 const char *in, const char *pointer, struct violations *violations)
{
	struct subject subject = {.type = SCHEMA_STRING, .text = text, .length = length};

	return check_root(schema, &subject, in, pointer, violations);
}

bool schema_check_number(const struct schema *schema, struct decimal number, const char *in,
			 const char *pointer, struct violations *violations)
{
	struct subject subject = {.type = number.scale > 0 ? SCHEMA_FRACTION : SCHEMA_INTEGER,
				  .number = number};

	return check_root(schema, &subject, in, pointer, violations);
}

bool schema_check_bool(const struct schema *schema, bool value, const char *in, const char *pointer,
		       struct violations *violations)
{
	struct subject subject = {.type = SCHEMA_BOOLEAN, .truth = value};

	return check_root(schema, &subject, in, pointer, violations);
}
