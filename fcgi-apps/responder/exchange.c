#include "responder/exchange.h"

#include <assert.h>
#include <fastcgi.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "contract/problem.h"
#include "responder/entity_tag.h"
#include "responder/request_head.h"

#define KEPT_EXCHANGES  64
#define KEPT_BUFFER_MAX 16384 /* larger buffers are not kept with an idle exchange */
#define BURST           32    /* this many requests in flight at once are a burst */
#define TRIMS           2     /* after a burst */
#define PATH_MAX_LENGTH 8192
#define HEAD_MAX        40960
#define ARRIVED_MAX     12288       /* 4 KiB beside the longest token */
#define DISCARDED_MAX   (32u << 20) /* of a body that no handler reads */

struct exchanges {
	struct connections *connections;
	struct metrics *metrics;
	struct runtime *runtime;
	void *app;
	atomic_int in_flight;
	atomic_int trims; /* how many more times to give memory back */
	pthread_mutex_t lock;
	struct exchange *idle;
	size_t idle_count;
};

int exchanges_create(struct connections *connections, struct metrics *metrics,
		     struct runtime *runtime, void *app, struct exchanges **ret_exchanges)
{
	if (FCGX_Init() != 0)
		return -EIO;
	struct exchanges *exchanges = calloc(1, sizeof(*exchanges));
	if (!exchanges)
		return -ENOMEM;
	exchanges->connections = connections;
	exchanges->metrics = metrics;
	exchanges->runtime = runtime;
	exchanges->app = app;
	/* Migrations may have needed much memory. */
	atomic_init(&exchanges->trims, TRIMS);
	pthread_mutex_init(&exchanges->lock, NULL);
	*ret_exchanges = exchanges;
	return 0;
}

int exchanges_in_flight(const struct exchanges *exchanges)
{
	return atomic_load(&exchanges->in_flight);
}

static int64_t read_streamed(struct request *request, void *buffer, size_t size)
{
	struct exchange *exchange = request->exchange;
	if (exchange->streamed > (int64_t)request->operation->max_bytes)
		return -EMSGSIZE;
	int limit = size > 65536 ? 65536 : (int)size;
	int got = FCGX_GetStr(buffer, limit, exchange->fcgi.in);
	if (got > 0) {
		exchange->streamed += got;
		return got;
	}
	return FCGX_GetError(exchange->fcgi.in) ? -ECONNABORTED : 0;
}

/* nginx passes the status line on unchanged, and RFC 9112 section 4 requires more than the
 * number. */
static const char *reason_phrase(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 204:
		return "No Content";
	case 304:
		return "Not Modified";
	default:
		return problem_title(status);
	}
}

static void write_head(struct exchange *exchange, struct text *head, bool with_length)
{
	struct response *response = &exchange->response;
	text_append(head, "Status: ", 8);
	text_append_int(head, response->status);
	text_append_char(head, ' ');
	text_append_string(head, reason_phrase(response->status));
	text_append(head, "\r\n", 2);
	if (response->content_type) {
		text_append(head, "Content-Type: ", 14);
		text_append_string(head, response->content_type);
		text_append(head, "\r\n", 2);
	}
	if (response->etag[0]) {
		text_append(head, "ETag: ", 6);
		text_append_string(head, response->etag);
		text_append(head, "\r\n", 2);
	}
	if (with_length) {
		size_t length;
		response_body(response, &length);
		text_append(head, "Content-Length: ", 16);
		text_append_int(head, (int64_t)length);
		text_append(head, "\r\n", 2);
	}
	text_append(head, text_string(&response->headers), response->headers.length);
	text_append(head, "\r\n", 2);
}

static int put(struct exchange *exchange, const char *data, size_t length)
{
	while (length) {
		int piece = length > 65536 ? 65536 : (int)length;
		if (FCGX_PutStr(data, piece, exchange->fcgi.out) != piece)
			return -ECONNABORTED;
		data += piece;
		length -= (size_t)piece;
	}
	return 0;
}

static int send_head(struct exchange *exchange, bool with_length)
{
	struct text head CLEANUP(text_release) = TEXT_INIT(HEAD_MAX);
	write_head(exchange, &head, with_length);
	return text_error(&head) ? -ENOMEM : put(exchange, text_string(&head), head.length);
}

/*
 * STDIN must be read to its end before an answer begins: once nginx has the answer's head, it sends
 * no more of the body, and the next request on the connection would start within the rest. This
 * does not wait for the client: nginx has the whole body and sends it over the local socket.
 */
static void discard_body(struct exchange *exchange)
{
	char buffer[8192];
	size_t total = 0;
	int got;
	do {
		got = FCGX_GetStr(buffer, sizeof(buffer), exchange->fcgi.in);
		total += (size_t)(got > 0 ? got : 0);
	} while (got == (int)sizeof(buffer) && total <= DISCARDED_MAX);
	if (total > DISCARDED_MAX)
		exchange->fcgi.keepConnection = 0;
}

static int write_streamed(struct response *response, const void *data, size_t length)
{
	struct exchange *exchange = response->exchange;
	if (!exchange->started) {
		exchange->started = true;
		discard_body(exchange);
		int r = send_head(exchange, false);
		if (r < 0)
			return r;
	}
	if (strcmp(exchange->request.method, "HEAD") == 0)
		return 0;
	return put(exchange, data, length);
}

static void exchange_free(struct exchange *exchange)
{
	text_release(&exchange->body);
	text_release(&exchange->path);
	response_release(&exchange->response);
	free(exchange);
}

static void give_back(struct exchange *exchange)
{
	struct exchanges *home = exchange->home;
	assert(exchange->fcgi.ipcFd < 0); /* its connection is parked or closed */
	pthread_mutex_lock(&home->lock);
	bool keep = home->idle_count < KEPT_EXCHANGES;
	if (keep) {
		exchange->next = home->idle;
		home->idle = exchange;
		home->idle_count++;
	}
	pthread_mutex_unlock(&home->lock);
	if (!keep)
		exchange_free(exchange);
}

static struct exchange *take(struct exchanges *exchanges)
{
	pthread_mutex_lock(&exchanges->lock);
	struct exchange *exchange = exchanges->idle;
	if (exchange) {
		exchanges->idle = exchange->next;
		exchanges->idle_count--;
	}
	pthread_mutex_unlock(&exchanges->lock);
	if (exchange)
		return exchange;

	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return NULL;
	exchange->home = exchanges;
	FCGX_InitRequest(&exchange->fcgi, -1, 0);
	text_init(&exchange->body, TEXT_UNLIMITED);
	text_init(&exchange->path, PATH_MAX_LENGTH);
	response_init(&exchange->response, exchange->request.request_id);
	exchange->response.exchange = exchange;
	exchange->response.stream_write = write_streamed;
	return exchange;
}

static void fill_request(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	*request = (struct request){
		.body_text = "",
		.read_body = read_streamed,
		.exchange = exchange,
		.app = exchange->home->app,
		.runtime = exchange->home->runtime,
		.started = clock_monotonic(),
	};
	request->deadline = request->started + request->runtime->request_timeout;
	request_head_read(request, exchange->fcgi.envp);
}

/* FastCGI 1.0 sections 3.3 and 5.3: a request is a series of records that ends with an empty STDIN
 * record. */
bool exchange_has_arrived(int fd)
{
	unsigned char data[ARRIVED_MAX];
	ssize_t length = recv(fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
	ssize_t at = 0;
	if (length == 0)
		return true;
	while (at + FCGI_HEADER_LEN <= length) {
		const FCGI_Header *record = (const FCGI_Header *)(data + at);
		int content = record->contentLengthB1 << 8 | record->contentLengthB0;
		at += FCGI_HEADER_LEN + content + record->paddingLength;
		if (record->type == FCGI_STDIN && content == 0)
			return at <= length;
	}
	return false;
}

static int read_head(struct exchange *exchange, int fd)
{
	FCGX_Request *fcgi = &exchange->fcgi;
	assert(fd >= 0 && fcgi->ipcFd < 0);
	/* Before libfcgi reads a request, it "finishes" its previous one: with keepConnection
	 * unset, that would close the connection. */
	fcgi->ipcFd = fd;
	fcgi->keepConnection = 1;
	/* Without this, libfcgi lingers for up to 2 s over a connection that it closes; each close
	 * resets the setting. */
	FCGX_Detach(fcgi);
	if (FCGX_Accept_r(fcgi) != 0) {
		fcgi->ipcFd = -1;
		return -EIO;
	}
	if (FCGX_GetError(fcgi->in)) {
		/* The request ends within the parameters: no answer is possible. */
		fcgi->keepConnection = 0;
		FCGX_Finish_r(fcgi);
		return -EIO;
	}
	return 0;
}

struct exchange *exchange_receive(struct exchanges *exchanges, int fd)
{
	struct exchange *exchange = take(exchanges);
	if (!exchange) {
		log_write(LOG_ERROR, "out of memory: a connection is closed");
		connections_close(exchanges->connections, fd);
		return NULL;
	}
	if (read_head(exchange, fd) < 0) {
		give_back(exchange);
		connections_forget(exchanges->connections);
		return NULL;
	}
	fill_request(exchange);
	exchange->streamed = 0;
	exchange->started = false;
	exchange->broken = false;
	exchange->binding = NULL;
	response_reset(&exchange->response);
	exchange->response.streaming = false;
	atomic_fetch_add(&exchanges->in_flight, 1);
	return exchange;
}

bool exchange_has_body(struct exchange *exchange)
{
	char first;
	return FCGX_GetStr(&first, 1, exchange->fcgi.in) > 0;
}

int exchange_read_body(struct exchange *exchange, size_t limit)
{
	struct text *body = &exchange->body;
	text_reset(body);
	while (body->length < limit) {
		/* Most bodies are small, and many may be waiting at once. */
		size_t room = limit - body->length;
		size_t piece = body->length == 0 ? 1000 : 8000;
		size_t want = room < piece ? room : piece;
		char *place = text_reserve(body, want);
		if (!place)
			return text_error(body);
		int got = FCGX_GetStr(place, (int)want, exchange->fcgi.in);
		if (got > 0)
			text_commit(body, (size_t)got);
		if (got < (int)want)
			break;
	}
	if (body->length == limit && exchange_has_body(exchange))
		return -EMSGSIZE;
	exchange->request.body_text = text_string(body);
	exchange->request.body_length = body->length;
	return FCGX_GetError(exchange->fcgi.in) ? -ECONNABORTED : 0;
}

/* Both directions must be shut: the drain only shuts the one that we read. */
bool exchange_is_abandoned(const struct exchange *exchange)
{
	struct pollfd connection = {.fd = exchange->fcgi.ipcFd};
	return poll(&connection, 1, 0) > 0 && (connection.revents & (POLLHUP | POLLERR));
}

bool exchange_is_admitted_head(const struct exchange *exchange)
{
	return exchange->request.head_only && exchange->response.status == 204;
}

static void send_answer(struct exchange *exchange)
{
	struct response *response = &exchange->response;
	bool bodiless = response->status == 204 || response->status == 304;
	size_t length;
	const char *body = response_body(response, &length);
	int r = send_head(exchange, !bodiless);
	if (r == 0 && !bodiless && strcmp(exchange->request.method, "HEAD") != 0)
		put(exchange, body, length);
}

/* nginx regards FCGI_END_REQUEST, and also the end of the connection, as the proper end of an
 * answer without Content-Length. A record with an unknown version makes it break off towards the
 * client. */
static void break_off(FCGX_Request *fcgi)
{
	static const char no_record[FCGI_HEADER_LEN];
	FCGX_FFlush(fcgi->out);
	send(fcgi->ipcFd, no_record, sizeof(no_record), MSG_NOSIGNAL);
	fcgi->keepConnection = 0;
}

void exchange_answer(struct exchange *exchange)
{
	struct exchanges *home = exchange->home;
	FCGX_Request *fcgi = &exchange->fcgi;

	assert(fcgi->ipcFd >= 0); /* each request is answered once */
	if (!exchange->started) {
		discard_body(exchange);
		send_answer(exchange);
	}
	if (!exchange_is_admitted_head(exchange))
		metrics_count(home->metrics, exchange->request.operation, exchange->response.status,
			      clock_monotonic() - exchange->request.started);
	if (connections_are_shut(home->connections))
		fcgi->keepConnection = 0;
	if (exchange->broken)
		break_off(fcgi);
	FCGX_Finish_r(fcgi);
	/* If the connection was kept, it is ours again. If it was closed, the number may already
	 * belong to another one. */
	int fd = fcgi->ipcFd;
	fcgi->ipcFd = -1;
	if (fd >= 0)
		connections_park(home->connections, fd);
	else
		connections_forget(home->connections);
}

static void release_large(struct text *text)
{
	if (text->capacity > KEPT_BUFFER_MAX)
		text_release(text);
}

void exchange_done(struct exchange *exchange)
{
	struct exchanges *home = exchange->home;
	json_free(exchange->request.body);
	exchange->request.body = NULL;
	arguments_release(&exchange->request.arguments);
	release_large(&exchange->body);
	release_large(&exchange->response.body);
	release_large(&exchange->response.headers);

	give_back(exchange);
	/* At the end of a burst: during it, the memory would be needed again at once. */
	if (atomic_fetch_sub(&home->in_flight, 1) == BURST)
		atomic_store(&home->trims, TRIMS);
}

static void free_idle(struct exchanges *exchanges)
{
	pthread_mutex_lock(&exchanges->lock);
	struct exchange *next = exchanges->idle;
	exchanges->idle = NULL;
	exchanges->idle_count = 0;
	pthread_mutex_unlock(&exchanges->lock);
	while (next) {
		struct exchange *exchange = next;
		next = exchange->next;
		exchange_free(exchange);
	}
}

/* glibc keeps the memory that a burst of requests needed; this returns it to the system soon after.
 * Twice, because idle threads that end give back what malloc() cached for them. */
void exchanges_trim(struct exchanges *exchanges)
{
	if (atomic_load(&exchanges->trims) == 0)
		return;
	atomic_fetch_sub(&exchanges->trims, 1);
	free_idle(exchanges);
	malloc_trim(0);
}

void exchanges_free(struct exchanges *exchanges)
{
	if (!exchanges)
		return;
	free_idle(exchanges);
	pthread_mutex_destroy(&exchanges->lock);
	free(exchanges);
}
