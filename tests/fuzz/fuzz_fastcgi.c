/*
 * responder/exchange: a FastCGI request with any parameters and any body, cut into records of any
 * size, or cut off. First byte: the size of the records; second: how many bytes are missing at the
 * end; then parameters as lines NAME=VALUE, an empty line, the body.
 */
#include <fastcgi.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "contracts.h"
#include "responder/exchange.h"

#define BYTES_MAX (64u << 10)
#define BODY_MAX  (8u << 10)

static struct runtime runtime = {.request_timeout = 5000000};
static struct connections *connections;
static struct exchanges *exchanges;
static struct sockaddr_un address;
static socklen_t address_size = sizeof(address);

/* A socket of the abstract namespace, whose name the kernel picks (unix(7), "Autobind feature"). */
static void start(void)
{
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sun_family = AF_UNIX;
	fuzz_check(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
	fuzz_check(listen(listener, 1) == 0);
	fuzz_check(getsockname(listener, (struct sockaddr *)&address, &address_size) == 0);

	struct metrics *metrics;
	fuzz_check(metrics_create(fuzz_contract(0), &metrics) == 0);
	fuzz_check(connections_open(listener, &connections) == 0);
	fuzz_check(exchanges_create(connections, metrics, &runtime, NULL, &exchanges) == 0);
	signal(SIGPIPE, SIG_IGN);
}

static void append_record(struct text *out, unsigned char type, const char *data, size_t length)
{
	FCGI_Header record = {
		.version = FCGI_VERSION_1,
		.type = type,
		.requestIdB0 = 1,
		.contentLengthB1 = (unsigned char)(length >> 8),
		.contentLengthB0 = (unsigned char)length,
	};
	text_append(out, &record, sizeof(record));
	text_append(out, data, length);
}

static void append_stream(struct text *out, unsigned char type, const struct text *data,
			  size_t piece)
{
	for (size_t at = 0; at < data->length; at += piece) {
		size_t left = data->length - at;
		append_record(out, type, data->data + at, left < piece ? left : piece);
	}
	append_record(out, type, "", 0);
}

/* FastCGI 1.0 section 3.4. */
static void append_length(struct text *out, size_t length)
{
	if (length < 128) {
		text_append_char(out, (char)length);
		return;
	}
	text_append_char(out, (char)(0x80 | length >> 24));
	text_append_char(out, (char)(length >> 16));
	text_append_char(out, (char)(length >> 8));
	text_append_char(out, (char)length);
}

static void append_parameters(struct text *out, struct fuzz_input *input)
{
	while (input->size > 0) {
		char *line CLEANUP(free_p) = fuzz_line(input);
		size_t name = strcspn(line, "=");
		size_t value = strlen(line) - name - (line[name] == '=');
		if (!*line)
			return;
		append_length(out, name);
		append_length(out, value);
		text_append(out, line, name);
		text_append(out, line + strlen(line) - value, value);
	}
}

/* The bytes that nginx would send. */
static void write_request(struct fuzz_input *input, struct text *ret_body, struct text *out)
{
	static const FCGI_BeginRequestBody begin = {.roleB0 = FCGI_RESPONDER,
						    .flags = FCGI_KEEP_CONN};
	struct text parameters CLEANUP(text_release) = TEXT_INIT(BYTES_MAX);
	size_t piece = (size_t)fuzz_byte(input) + 1;
	size_t missing = fuzz_byte(input);
	append_parameters(&parameters, input);
	text_append(ret_body, input->data, input->size < BODY_MAX ? input->size : BODY_MAX);

	append_record(out, FCGI_BEGIN_REQUEST, (const char *)&begin, sizeof(begin));
	append_stream(out, FCGI_PARAMS, &parameters, piece);
	append_stream(out, FCGI_STDIN, ret_body, piece * 16);
	text_truncate(out, out->length - (missing < out->length ? missing : out->length));
}

static bool is_hex(const char *text, size_t length)
{
	return strspn(text, "0123456789abcdef") >= length;
}

static void check_request(const struct request *request)
{
	fuzz_check(request->method && request->path && request->prefix && request->query);
	fuzz_check(request->content_type && request->request_id[0]);
	fuzz_check(strlen(request->request_id) < REQUEST_ID_SIZE);
	fuzz_check(!strpbrk(request->request_id, " \r\n\"\\"));
	fuzz_check(strlen(request->traceparent) == TRACEPARENT_SIZE - 1);
	fuzz_check(strlen(request->trace_id) == 32 && is_hex(request->trace_id, 32));
	fuzz_check(is_hex(request->traceparent + 36, 16));
}

static void serve(struct exchange *exchange, const struct text *body)
{
	check_request(&exchange->request);
	int r = exchange_read_body(exchange, BODY_MAX);
	fuzz_check(r == 0 || r == -ECONNABORTED);
	if (r == 0) {
		fuzz_check(exchange->request.body_length == body->length);
		fuzz_check(memcmp(exchange->request.body_text, text_string(body), body->length) ==
			   0);
	}
	response_problem(&exchange->response, 404, NULL, "%s", exchange->request.path);
	exchange_answer(exchange);
	fuzz_check(exchange->fcgi.ipcFd == -1);
	exchange_done(exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	struct text body CLEANUP(text_release) = TEXT_INIT(BODY_MAX);
	struct text bytes CLEANUP(text_release) = TEXT_INIT(4 * BYTES_MAX);
	if (!exchanges)
		start();
	write_request(&input, &body, &bytes);
	if (text_error(&bytes) || bytes.length == 0)
		return 0;
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Nobody writes on while libfcgi reads. */
	int room = 1 << 20;
	setsockopt(client, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	fuzz_check(connect(client, (struct sockaddr *)&address, address_size) == 0);
	/* What it has no room for is missing at the end. */
	fuzz_check(send(client, bytes.data, bytes.length, MSG_DONTWAIT) > 0);
	shutdown(client, SHUT_WR);
	int fd;
	fuzz_check(connections_wait(connections, &fd, 1, -1) == 0); /* accepted */
	while (connections_count(connections) > 0) {
		fuzz_check(connections_wait(connections, &fd, 1, -1) == 1);
		struct exchange *exchange = exchange_receive(exchanges, fd);
		if (exchange)
			serve(exchange, &body);
	}
	close(client);
	return 0;
}
