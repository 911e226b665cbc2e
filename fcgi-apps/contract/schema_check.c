#include "contract/schema.h"

#include "base/utf8.h"
#include "contract/schema_node.h"
#include "contract/schema_report.h"

static bool check_subject(const struct schema *schema, const struct subject *subject,
			  const struct place *place, const struct report *report);

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

static bool is_enumerated(const struct schema_values *values, const struct subject *subject)
{
	for (size_t i = 0; subject->type == SCHEMA_STRING && i < values->count; i++) {
		const char *value = values->list[i];

		if (strlen(value) == subject->length &&
		    memcmp(value, subject->text, subject->length) == 0)
			return true;
	}
	return false;
}

static bool check_decimals(size_t decimals, struct decimal number, const struct place *place,
			   const struct report *report)
{
	if (number.scale <= 0 || (size_t)number.scale <= decimals)
		return true;
	if (decimals == 0)
		return schema_report(report, place, "must be a whole number");
	return schema_report(report, place, "must have at most %zu decimal%s", decimals,
			     schema_plural(decimals));
}

static bool check_number(const struct schema_numbers *numbers, const struct subject *subject,
			 const struct place *place, const struct report *report)
{
	const struct schema_number *minimum = &numbers->minimum, *maximum = &numbers->maximum;
	const struct schema_number *excluded = &numbers->excluded;
	struct decimal number = subject->number;
	bool fits = true;

	if (subject->json && json_decimal(subject->json, &number) < 0)
		return schema_report(report, place, "must have at most 18 significant digits");
	if (excluded->text && decimal_compare(number, excluded->value) == 0)
		fits = schema_report(report, place, "must not be %s", excluded->text);
	if (minimum->text && decimal_compare(number, minimum->value) < 0)
		fits = schema_report(report, place, "must be at least %s", minimum->text);
	if (maximum->text && decimal_compare(number, maximum->value) > 0)
		fits = schema_report(report, place, "must be at most %s", maximum->text);
	return check_decimals(numbers->decimals, number, place, report) && fits;
}

/* json_int() saturates, so a value at a limit may really be beyond it. */
static bool fits_int64(const struct json *value)
{
	const char *text = json_number_text(value);
	int64_t integer = json_int(value);

	if (integer == INT64_MAX)
		return strcmp(text, "9223372036854775807") == 0;
	return integer != INT64_MIN || strcmp(text, "-9223372036854775808") == 0;
}

static bool check_length(const struct schema_string *rules, const struct subject *subject,
			 const struct place *place, const struct report *report)
{
	const struct schema_count *range = &rules->characters;
	size_t count = utf8_count(subject->text, subject->length);

	/* Normalising made an invisible text empty. */
	if (count < range->lowest)
		return range->lowest == 1
			       ? schema_report(report, place, "must not be %s",
					       rules->format && rules->format->normalize ? "blank"
											 : "empty")
			       : schema_report(report, place,
					       "must be at least %zu characters long",
					       range->lowest);
	if (count > range->highest)
		return schema_report(report, place, "must be at most %zu character%s long",
				     range->highest, schema_plural(range->highest));
	return true;
}

static bool report_format(const struct schema_format *format, const struct subject *subject,
			  const struct place *place, const struct report *report)
{
	char detail[SCHEMA_DETAIL_SIZE] = "";

	if (format->explain)
		format->explain(subject->text, subject->length, detail);
	return schema_report(report, place, "%s", *detail ? detail : format->expected);
}

static bool check_string(const struct schema_string *rules, const struct subject *subject,
			 const struct place *place, const struct report *report)
{
	const struct pattern *pattern = rules->pattern;
	bool fits = true;

	if (rules->characters.lowest || rules->characters.highest != SIZE_MAX)
		fits = check_length(rules, subject, place, report);
	if (fits && pattern && !pattern_matches(pattern, subject->text, subject->length))
		fits = schema_report(report, place, "must match the pattern %s", pattern->source);
	if (fits && rules->format && !rules->format->is_valid(subject->text, subject->length))
		fits = report_format(rules->format, subject, place, report);
	return fits;
}

/* ---- objects and arrays --------------------------------------------------------------------- */

const struct schema_member *schema_find_member(const struct schema_object *object, const char *name,
					       size_t *position)
{
	for (size_t i = 0; i < object->member_count; i++) {
		size_t at = *position + i < object->member_count
				    ? *position + i
				    : *position + i - object->member_count;

		if (strcmp(object->members[at].name, name) == 0) {
			*position = at + 1;
			return &object->members[at];
		}
	}
	return NULL;
}

static bool check_child(const struct schema *schema, const struct json *value,
			const struct place *place, const struct report *report)
{
	struct subject subject = subject_of(value);

	return check_subject(schema, &subject, place, report);
}

static bool report_missing(const struct schema_object *known, const struct json *object,
			   const struct place *place, const struct report *report)
{
	for (size_t i = 0; i < known->member_count; i++) {
		struct place missing = {.parent = place, .name = known->members[i].name};

		if (known->members[i].required && !json_get(object, missing.name))
			schema_report(report, &missing, "is required");
	}
	return false;
}

static bool check_object(const struct schema_object *known, const struct json *object,
			 const struct place *place, const struct report *report)
{
	size_t required_seen = 0, position = 0;
	bool fits = true;

	json_each (object, member) {
		struct place child = {.parent = place, .name = member.name};
		const struct schema_member *found =
			schema_find_member(known, member.name, &position);

		required_seen += found && found->required;
		if (found && found->schema)
			fits &= check_child(found->schema, member.value, &child, report);
		else if (known->closed)
			fits = schema_report(report, &child, "unknown member");
		if (!fits && !report->violations)
			return false;
	}
	if (required_seen < known->required_count)
		fits = report_missing(known, object, place, report);
	return fits;
}

/* maxItems bounds the number of pairs. */
static bool check_unique(const struct json *array, const struct place *place,
			 const struct report *report)
{
	bool fits = true;

	for (size_t i = 1; i < json_length(array); i++) {
		for (size_t j = 0; j < i; j++) {
			struct place repeated = {.parent = place, .index = i};

			if (!json_equal(json_at(array, i), json_at(array, j)))
				continue;
			fits = schema_report(report, &repeated, "repeats the item at %zu", j);
			break;
		}
	}
	return fits;
}

static bool check_count(const struct schema_count *range, size_t count, const struct place *place,
			const struct report *report)
{
	if (count < range->lowest)
		return schema_report(report, place, "must have at least %zu item%s", range->lowest,
				     schema_plural(range->lowest));
	if (count > range->highest)
		return schema_report(report, place, "must have at most %zu item%s", range->highest,
				     schema_plural(range->highest));
	return true;
}

static bool check_array(const struct schema_array *rules, const struct json *array,
			const struct place *place, const struct report *report)
{
	size_t count = json_length(array);
	bool fits = true;

	/* If a list is too long, its items are not checked: the limit bounds the work. */
	if (!check_count(&rules->elements, count, place, report))
		return false;
	for (size_t i = 0; rules->items && i < count; i++) {
		struct place child = {.parent = place, .index = i};

		if (!check_child(rules->items, json_at(array, i), &child, report)) {
			if (!report->violations)
				return false;
			fits = false;
		}
	}
	if (rules->unique)
		fits &= check_unique(array, place, report);
	return fits;
}

/* ---- combinations --------------------------------------------------------------------------- */

#define FITS_NONE "fits none of the allowed forms"

/* Appends the first violation of each candidate form: "must be at most 1, or must be …". */
static bool report_each(const struct schema_list *forms, const struct subject *subject,
			const struct place *place, const struct report *report)
{
	struct text detail CLEANUP(text_release) = TEXT_INIT(VIOLATION_DETAIL_SIZE);

	for (size_t i = 0; i < forms->count; i++) {
		struct violations violations = {0};
		const struct report alone = {.in = report->in, .violations = &violations};

		if (forms->list[i]->open_types & subject->type)
			check_subject(forms->list[i], subject, place, &alone);
		if (violations.count)
			text_printf(&detail, "%s%s", detail.length ? ", or " : "",
				    violations.list[0].detail);
		if (violations.error)
			report->violations->error = violations.error;
		violations_release(&violations);
	}
	return schema_report(report, place, "%s",
			     text_error(&detail) ? FITS_NONE : text_string(&detail));
}

/* Reports the violations of the forms that the value may be meant as. */
static bool report_nearest(const struct schema_list *forms, const struct subject *subject,
			   const struct place *place, const struct report *report)
{
	const struct schema *nearest = NULL;
	size_t meant = 0;

	for (size_t i = 0; i < forms->count; i++) {
		if (forms->list[i]->open_types & subject->type) {
			nearest = forms->list[i];
			meant++;
		}
	}
	if (meant == 1)
		return check_subject(nearest, subject, place, report);
	/* Violations inside arrays and objects have several places. */
	if (meant == 0 || subject->type & (SCHEMA_ARRAY | SCHEMA_OBJECT))
		return schema_report(report, place, FITS_NONE);
	return report_each(forms, subject, place, report);
}

static bool check_forms(const struct schema_list *forms, const struct subject *subject,
			const struct place *place, const struct report *report)
{
	const struct report silent = {.in = report->in};
	size_t fitting = 0;

	for (size_t i = 0; i < forms->count; i++)
		fitting += check_subject(forms->list[i], subject, place, &silent);
	if (fitting == 1)
		return true;
	if (fitting > 1)
		return schema_report(report, place, "fits %zu of the allowed forms, not just one",
				     fitting);
	return report->violations ? report_nearest(forms, subject, place, report) : false;
}

/* Checks the keywords for values of this type. */
static bool check_by_type(const struct schema *schema, const struct subject *subject,
			  const struct place *place, const struct report *report)
{
	switch (subject->type) {
	case SCHEMA_INTEGER:
		if (!(schema->types & SCHEMA_FRACTION) && subject->json &&
		    !fits_int64(subject->json))
			return schema_report(report, place, "must fit a 64-bit integer");
		/* fall through */
	case SCHEMA_FRACTION:
		return !schema->numbers || check_number(schema->numbers, subject, place, report);
	case SCHEMA_STRING:
		return !schema->string || check_string(schema->string, subject, place, report);
	case SCHEMA_ARRAY:
		return !schema->array || check_array(schema->array, subject->json, place, report);
	case SCHEMA_OBJECT:
		return !schema->object ||
		       check_object(schema->object, subject->json, place, report);
	default:
		return true;
	}
}

static bool check_subject(const struct schema *schema, const struct subject *subject,
			  const struct place *place, const struct report *report)
{
	bool fits = true;

	if (!(schema->types & subject->type))
		return schema_report_type(schema, subject, place, report);
	for (size_t i = 0; i < schema->all_of.count; i++)
		fits &= check_subject(schema->all_of.list[i], subject, place, report);
	if (schema->one_of.count)
		fits &= check_forms(&schema->one_of, subject, place, report);
	if (schema->values && !is_enumerated(schema->values, subject))
		fits = schema_report(report, place, "must be %s", schema->values->expected);
	return check_by_type(schema, subject, place, report) && fits;
}

/* ---- public --------------------------------------------------------------------------------- */

static bool check_root(const struct schema *schema, const struct subject *subject, const char *in,
		       const char *pointer, struct violations *violations)
{
	const struct place root = {.name = pointer};
	const struct report report = {.in = in, .violations = violations};

	return check_subject(schema, subject, &root, &report);
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
