#include "contract/schema_report.h"

#include <stdarg.h>

static void build_pointer(const struct place *place, char buffer[VIOLATION_POINTER_SIZE])
{
	char digits[24];

	if (!place->parent) {
		snprintf(buffer, VIOLATION_POINTER_SIZE, "%s", place->name);
		return;
	}
	build_pointer(place->parent, buffer);
	if (!place->name)
		snprintf(digits, sizeof(digits), "%zu", place->index);
	pointer_append(buffer, place->name ? place->name : digits);
}

bool schema_report(const struct report *report, const struct place *place, const char *format, ...)
{
	char pointer[VIOLATION_POINTER_SIZE], detail[VIOLATION_DETAIL_SIZE];
	va_list arguments;

	if (!report->violations)
		return false;
	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	build_pointer(place, pointer);
	violations_add(report->violations, report->in, pointer, "%s", detail);
	return false;
}

const char *schema_plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* "a string", "an array or null" */
static void describe_types(unsigned types, char *buffer, size_t size)
{
	static const struct {
		unsigned bits;
		const char *name;
	} names[] = {
		{SCHEMA_STRING, "a string"},
		{SCHEMA_INTEGER | SCHEMA_FRACTION, "a number"},
		{SCHEMA_INTEGER, "a whole number"},
		{SCHEMA_BOOLEAN, "true or false"},
		{SCHEMA_OBJECT, "an object"},
		{SCHEMA_ARRAY, "an array"},
		{SCHEMA_NULL, "null"},
	};
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names) && types && used < size; i++) {
		if ((types & names[i].bits) != names[i].bits)
			continue;
		types &= ~names[i].bits;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? " or " : "",
					 names[i].name);
	}
}

static const char *subject_name(const struct subject *subject)
{
	switch (subject->type) {
	case SCHEMA_NULL:
		return "null";
	case SCHEMA_BOOLEAN:
		return "a boolean";
	case SCHEMA_INTEGER:
		return "a number";
	case SCHEMA_FRACTION:
		return "a number with a fraction";
	case SCHEMA_STRING:
		return "a string";
	case SCHEMA_ARRAY:
		return "an array";
	default:
		return "an object";
	}
}

bool schema_report_type(const struct schema *schema, const struct subject *subject,
			const struct place *place, const struct report *report)
{
	char expected[128];

	describe_types(schema->types, expected, sizeof(expected));
	return schema_report(report, place, "must be %s, not %s", expected, subject_name(subject));
}
