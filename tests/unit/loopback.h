/* What the tests of calls to a sibling share: a listening socket on a free port of loopback, or a
 * Unix socket. */
#ifndef TESTS_UNIT_LOOPBACK_H
#define TESTS_UNIT_LOOPBACK_H

#include <arpa/inet.h>
#include <check.h>
#include <sys/un.h>
#include <unistd.h>

/* The socket, and its URL with a path. */
static inline int loopback_listen(const char *path, char ret_url[64])
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

/* The socket, and its path in a folder of its own, which loopback_remove() deletes. */
static inline int loopback_listen_at(char ret_path[64])
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(ret_path, 64, "/tmp/loopback-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(ret_path));
	strncat(ret_path, "/socket", 63 - strlen(ret_path));
	memcpy(name.sun_path, ret_path, strlen(ret_path));
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	return listener;
}

static inline void loopback_remove(char path[64])
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

#endif
