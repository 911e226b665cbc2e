#include "upstream/answer.h"

#include "base/clock.h"
#include "base/digits.h"

static int on_message_begin(struct http_parser *parser)
{
	struct answer_reader *reader = parser->data;

	text_init_fixed(&reader->name, reader->name_buffer, sizeof(reader->name_buffer));
	text_init_fixed(&reader->value, reader->value_buffer, sizeof(reader->value_buffer));
	reader->in_value = false;
	return 0;
}

/* Only delay seconds (RFC 9110 section 10.2.3): a date would need equal clocks. */
static int64_t read_delay(const char *text)
{
	int64_t seconds = 0;

	for (; is_digit(*text); text++)
		seconds = seconds * 10 + (*text - '0');
	return *text || seconds >= CLOCK_DAY / CLOCK_SECOND ? 0 : seconds * CLOCK_SECOND;
}

static void end_header(struct answer_reader *reader)
{
	if (!text_error(&reader->name) && !text_error(&reader->value) &&
	    strcasecmp(text_string(&reader->name), "Retry-After") == 0)
		reader->answer->retry_after = read_delay(text_string(&reader->value));
	text_reset(&reader->name);
	text_reset(&reader->value);
	reader->in_value = false;
}

static int on_header_field(struct http_parser *parser, const char *data, size_t length)
{
	struct answer_reader *reader = parser->data;

	if (reader->in_value)
		end_header(reader);
	text_append(&reader->name, data, length);
	return 0;
}

static int on_header_value(struct http_parser *parser, const char *data, size_t length)
{
	struct answer_reader *reader = parser->data;

	reader->in_value = true;
	text_append(&reader->value, data, length);
	return 0;
}

static int on_headers_complete(struct http_parser *parser)
{
	struct answer_reader *reader = parser->data;

	if (reader->in_value)
		end_header(reader);
	/* We never ask for another protocol. */
	return parser->status_code == HTTP_STATUS_SWITCHING_PROTOCOLS ? -1 : 0;
}

static int on_body(struct http_parser *parser, const char *data, size_t length)
{
	struct answer_reader *reader = parser->data;

	text_append(&reader->answer->body, data, length);
	return text_error(&reader->answer->body);
}

static int on_message_complete(struct http_parser *parser)
{
	struct answer_reader *reader = parser->data;

	/* An interim response: the final one follows (RFC 9110 section 15.2). */
	if (parser->status_code < 200) {
		reader->answer->retry_after = 0;
		return 0;
	}
	reader->answer->status = parser->status_code;
	reader->complete = true;
	reader->keeps = http_should_keep_alive(parser);
	http_parser_pause(parser, 1);
	return 0;
}

void answer_reader_init(struct answer_reader *reader, struct answer *answer)
{
	*reader = (struct answer_reader){.answer = answer};
	http_parser_init(&reader->parser, HTTP_RESPONSE);
	reader->parser.data = reader;
}

int answer_read(struct answer_reader *reader, const char *data, size_t length)
{
	static const struct http_parser_settings settings = {
		.on_message_begin = on_message_begin,
		.on_header_field = on_header_field,
		.on_header_value = on_header_value,
		.on_headers_complete = on_headers_complete,
		.on_body = on_body,
		.on_message_complete = on_message_complete,
	};
	size_t parsed = http_parser_execute(&reader->parser, &settings, data, length);

	if (reader->complete) {
		/* Surplus bytes: the next answer on this connection could not be trusted. */
		if (parsed != length)
			reader->keeps = false;
		return 1;
	}
	if (text_error(&reader->answer->body))
		return text_error(&reader->answer->body);
	return length == 0 || HTTP_PARSER_ERRNO(&reader->parser) != HPE_OK ? -EINVAL : 0;
}
