#include "base/json.h"
#include "base/json_writer.h"

static void print_value(const struct json *value, struct json_writer *writer)
{
	size_t length;

	switch (json_type(value)) {
	case JSON_NULL:
		json_write_null(writer);
		break;
	case JSON_BOOL:
		json_write_bool(writer, json_bool(value));
		break;
	case JSON_NUMBER: {
		const char *number = json_number_text(value);
		json_write_raw(writer, number, strlen(number));
		break;
	}
	case JSON_STRING: {
		const char *string = json_string(value, &length);
		json_write_bytes(writer, string, length);
		break;
	}
	case JSON_ARRAY:
		json_array_begin(writer);
		length = json_length(value);
		for (size_t i = 0; i < length; i++)
			print_value(json_at(value, i), writer);
		json_array_end(writer);
		break;
	case JSON_OBJECT:
		json_object_begin(writer);
		json_each (value, member) {
			json_key(writer, member.name);
			print_value(member.value, writer);
		}
		json_object_end(writer);
		break;
	}
}

/* json-c's printer keeps its output inside the value, which other threads may be reading. */
void json_print(const struct json *value, struct text *out)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	print_value(value, &writer);
}
