/*
 * Exit status 0 where a service says that it is ready:
 *
 *	health fastcgi SOCKET PATH    asks a worker over its Unix socket
 *	health http PORT PATH         asks nginx on the loopback address
 *
 * For the health checks of containers, which have no curl. A status of 2xx is healthy; three
 *seconds is all it takes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_SECONDS 3

/* FastCGI 1.0, section 8. */
enum {
	FCGI_VERSION = 1,
	FCGI_BEGIN_REQUEST = 1,
	FCGI_PARAMS = 4,
	FCGI_STDIN = 5,
	FCGI_STDOUT = 6,
	FCGI_RESPONDER = 1,
	FCGI_HEADER_SIZE = 8,
};

struct buffer {
	unsigned char bytes[4096];
	size_t length;
};

static void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
	if (length > sizeof(buffer->bytes) - buffer->length) {
		fputs("health: the path is too long\n", stderr);
		exit(2);
	}
	memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
}

static void add_record(struct buffer *buffer, unsigned char type, const void *content,
		       size_t length)
{
	unsigned char header[FCGI_HEADER_SIZE] = {
		FCGI_VERSION, type, 0, 1, (unsigned char)(length >> 8), (unsigned char)length,
	};
	buffer_add(buffer, header, sizeof(header));
	buffer_add(buffer, content, length);
}

static void add_parameter(struct buffer *parameters, const char *name, const char *value)
{
	size_t name_length = strlen(name);
	size_t value_length = strlen(value);
	if (value_length > 127) {
		fputs("health: the path is too long\n", stderr);
		exit(2);
	}
	unsigned char lengths[2] = {(unsigned char)name_length, (unsigned char)value_length};
	buffer_add(parameters, lengths, sizeof(lengths));
	buffer_add(parameters, name, name_length);
	buffer_add(parameters, value, value_length);
}

static void make_fastcgi_request(struct buffer *request, const char *path)
{
	static const unsigned char begin[8] = {0, FCGI_RESPONDER};
	struct buffer parameters = {0};
	add_parameter(&parameters, "REQUEST_METHOD", "GET");
	add_parameter(&parameters, "DOCUMENT_URI", path);
	add_parameter(&parameters, "SCRIPT_NAME", "");
	add_parameter(&parameters, "QUERY_STRING", "");
	add_parameter(&parameters, "LISTENER", "internal");

	add_record(request, FCGI_BEGIN_REQUEST, begin, sizeof(begin));
	add_record(request, FCGI_PARAMS, parameters.bytes, parameters.length);
	add_record(request, FCGI_PARAMS, "", 0);
	add_record(request, FCGI_STDIN, "", 0);
}

static int dial(const struct sockaddr *address, socklen_t length)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, address, length) < 0) {
		perror("health");
		exit(1);
	}
	return fd;
}

static int dial_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path)) {
		fputs("health: the socket's path is too long\n", stderr);
		exit(2);
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	return dial((const struct sockaddr *)&address, sizeof(address));
}

static int dial_loopback(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	if (*end || port == 0 || port > UINT16_MAX) {
		fprintf(stderr, "health: '%s' is no port\n", text);
		exit(2);
	}
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
	};
	return dial((const struct sockaddr *)&address, sizeof(address));
}

static void send_all(int fd, const struct buffer *request)
{
	for (size_t sent = 0; sent < request->length;) {
		ssize_t n = send(fd, request->bytes + sent, request->length - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR) {
			perror("health");
			exit(1);
		}
		sent += n > 0 ? (size_t)n : 0;
	}
}

/* The first `wanted` bytes of the answer. */
static bool receive(int fd, char *bytes, size_t wanted)
{
	for (size_t length = 0; length < wanted;) {
		ssize_t n = recv(fd, bytes + length, wanted - length, 0);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		length += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* A responder's answer is CGI's: "Status: 200 ...", or no such line, which is 200 too. */
static bool fastcgi_is_ready(int fd)
{
	unsigned char header[FCGI_HEADER_SIZE];
	char status[12];
	if (!receive(fd, (char *)header, sizeof(header)) || header[1] != FCGI_STDOUT)
		return false;
	size_t length = (size_t)header[4] << 8 | header[5];
	if (length < sizeof(status) || !receive(fd, status, sizeof(status)))
		return false;
	return memcmp(status, "Status: ", 8) != 0 || status[8] == '2';
}

static bool http_is_ready(int fd)
{
	char status[10];
	return receive(fd, status, sizeof(status)) && memcmp(status, "HTTP/1.", 7) == 0 &&
	       status[9] == '2';
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[1], "fastcgi") != 0 && strcmp(argv[1], "http") != 0)) {
		fputs("usage: health fastcgi SOCKET PATH | health http PORT PATH\n", stderr);
		return 2;
	}
	struct buffer request = {0};
	bool ready;
	if (strcmp(argv[1], "fastcgi") == 0) {
		make_fastcgi_request(&request, argv[3]);
		int fd = dial_unix(argv[2]);
		send_all(fd, &request);
		ready = fastcgi_is_ready(fd);
	} else {
		char text[512];
		int length = snprintf(
			text, sizeof(text),
			"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", argv[3]);
		if (length < 0 || (size_t)length >= sizeof(text)) {
			fputs("health: the path is too long\n", stderr);
			return 2;
		}
		buffer_add(&request, text, (size_t)length);
		int fd = dial_loopback(argv[2]);
		send_all(fd, &request);
		ready = http_is_ready(fd);
	}
	if (!ready)
		fprintf(stderr, "health: %s %s is not ready\n", argv[2], argv[3]);
	return ready ? 0 : 1;
}
