/* What the tests of calls to a sibling share: a listening socket on a free port of loopback. */
#ifndef TESTS_UNIT_LOOPBACK_H
#define TESTS_UNIT_LOOPBACK_H

#include <arpa/inet.h>
#include <check.h>

/* The socket, and its URL with a path. */
static int loopback_listen(const char *path, char ret_url[64])
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &length), 0);
	snprintf(ret_url, 64, "http://127.0.0.1:%d%s", ntohs(name.sin_port), path);
	return listener;
}

#endif
