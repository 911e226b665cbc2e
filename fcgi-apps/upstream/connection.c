#include "upstream/connection.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

/* 0: the descriptor is ready or failed, and the next call on it shows which. */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline - clock_monotonic();

		if (left <= 0)
			return -ETIMEDOUT;
		/* Rounded up, so that the last millisecond is not spent in a busy loop. */
		int64_t milliseconds = (left + 999) / 1000;
		int ready = poll(&poll_fd, 1, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);

		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -ENOMEM;
	}
}

static void set_options(int fd)
{
	static const int on = 1;

	/* Failures do not matter: these options affect only speed and tidiness. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static int open_one(const struct sockaddr_storage *address, socklen_t length, int64_t deadline,
		    int *ret_fd)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int failure = 0;
	socklen_t size = sizeof(failure);
	int r = 0;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? -EHOSTDOWN : -ENOMEM;
	set_options(fd);
	if (connect(fd, (const struct sockaddr *)address, length) < 0) {
		r = errno == EINPROGRESS ? wait_for(fd, POLLOUT, deadline) : -EHOSTDOWN;
		if (!r && (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0 || failure))
			r = -EHOSTDOWN;
	}
	if (r) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int connection_open(const struct addresses *addresses, int64_t deadline, int *ret_fd)
{
	int r = -EHOSTDOWN;

	for (size_t i = 0; i < addresses->count && r != 0 && r != -ENOMEM; i++) {
		int64_t now = clock_monotonic();
		/* An address that does not answer must leave time for the others. */
		int64_t share = (deadline - now) / (int64_t)(addresses->count - i);

		r = open_one(&addresses->list[i], addresses->lengths[i], now + share, ret_fd);
	}
	return r;
}

void connection_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

bool connection_is_idle(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

int connection_send(int fd, const char *data, size_t length, int64_t deadline)
{
	while (length > 0) {
		ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

		if (sent >= 0) {
			data += sent;
			length -= (size_t)sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -EPIPE;

		int r = wait_for(fd, POLLOUT, deadline);

		if (r)
			return r;
	}
	return 0;
}

int64_t connection_receive(int fd, void *buffer, size_t size, int64_t deadline)
{
	for (;;) {
		int r = wait_for(fd, POLLIN, deadline);

		if (r)
			return r;

		ssize_t received = recv(fd, buffer, size, 0);

		if (received >= 0)
			return received;
		if (errno != EINTR && errno != EAGAIN)
			return -EPIPE;
	}
}
