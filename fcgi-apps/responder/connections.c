#include "responder/connections.h"

#include <assert.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define CONNECTIONS_MAX    16384
#define EVENTS_AT_ONCE     64
#define ACCEPTS_PER_TURN   64
#define PEER_TIMEOUT       10 /* seconds to wait within a request, or for room to answer */
#define OUT_OF_FILES_PAUSE (10 * 1000)

/* States of a file descriptor. BUSY: ours and in use, or not ours; PARKED: idle; SHUTTING: idle,
 * and being shut by the drain. */
enum { BUSY, PARKED, SHUTTING };

struct connections {
	int epoll;
	int listener;
	int wake; /* eventfd that is never read: one write wakes every thread */
	atomic_bool shut;
	atomic_bool ended;
	atomic_int count;
	size_t size;          /* of the table */
	atomic_uchar state[]; /* indexed by file descriptor */
};

static int arm(struct connections *connections, int fd, int operation)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.fd = fd};
	return epoll_ctl(connections->epoll, operation, fd, &event);
}

static void set_parked(struct connections *connections, int fd)
{
	assert(fd >= 0 && (size_t)fd < connections->size);
	unsigned char before = atomic_exchange(&connections->state[fd], PARKED);
	assert(before == BUSY); /* only its owner parks it */
	/* The drain began while this connection was busy, or before it was here. Requests that have
	 * arrived are still answered; then the end of the stream closes it. */
	if (atomic_load(&connections->shut))
		shutdown(fd, SHUT_RD);
}

void connections_park(struct connections *connections, int fd)
{
	set_parked(connections, fd);
	arm(connections, fd, EPOLL_CTL_MOD);
}

/* The drain may be shutting this descriptor: wait until it has, so the number cannot become another
 * file's first. */
static void unpark(struct connections *connections, int fd)
{
	unsigned char state = PARKED;
	while (!atomic_compare_exchange_weak(&connections->state[fd], &state, BUSY)) {
		state = PARKED;
		sched_yield();
	}
}

void connections_forget(struct connections *connections)
{
	int before = atomic_fetch_sub(&connections->count, 1);
	assert(before > 0);
}

void connections_close(struct connections *connections, int fd)
{
	close(fd);
	connections_forget(connections);
}

static void adopt(struct connections *connections, int fd)
{
	if ((size_t)fd >= connections->size) {
		connections_close(connections, fd);
		return;
	}
	struct timeval timeout = {.tv_sec = PEER_TIMEOUT};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	set_parked(connections, fd);
	if (arm(connections, fd, EPOLL_CTL_ADD) == 0)
		return;
	unpark(connections, fd);
	connections_close(connections, fd);
}

/* True: there may be more to accept. */
static bool accept_some(struct connections *connections)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		/* Counted first, so that the drain cannot overlook a connection that is just being
		 * accepted. */
		atomic_fetch_add(&connections->count, 1);
		int fd = accept4(connections->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			adopt(connections, fd);
			continue;
		}
		connections_forget(connections);
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_write(LOG_ERROR, "cannot accept a connection", log_error_code(-errno));
			usleep(OUT_OF_FILES_PAUSE);
			return true;
		}
		return false;
	}
	return true;
}

int connections_wait(struct connections *connections, int *ret_fds, size_t most, int timeout)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int limit = most < EVENTS_AT_ONCE ? (int)most : EVENTS_AT_ONCE;
	int ready = epoll_wait(connections->epoll, events, limit, timeout);
	int count = 0;
	if (atomic_load(&connections->ended))
		return -ECANCELED;
	for (int i = 0; i < ready; i++) {
		int fd = events[i].data.fd;
		if (fd != connections->listener) {
			unpark(connections, fd);
			ret_fds[count++] = fd;
			continue;
		}
		accept_some(connections);
		/* After shutdown a listener is always readable. */
		if (!atomic_load(&connections->shut))
			arm(connections, fd, EPOLL_CTL_MOD);
	}
	return count;
}

/*
 * Why the drain is exact, on Unix sockets: after SHUT_RD on the listener, further connects fail,
 * while those in the backlog can still be accepted. After SHUT_RD on an idle connection, nginx's
 * next write fails, while bytes that have arrived can still be read. So every request is either
 * answered or was never received. Idle connections come first, because those in the backlog may
 * need their file descriptors.
 */
void connections_shut(struct connections *connections, int64_t end)
{
	atomic_store(&connections->shut, true);
	shutdown(connections->listener, SHUT_RD);
	for (size_t fd = 0; fd < connections->size; fd++) {
		unsigned char state = PARKED;
		if (atomic_compare_exchange_strong(&connections->state[fd], &state, SHUTTING)) {
			shutdown((int)fd, SHUT_RD);
			atomic_store(&connections->state[fd], PARKED);
		}
	}
	while (accept_some(connections) && clock_monotonic() < end)
		;
}

bool connections_are_shut(const struct connections *connections)
{
	return atomic_load(&connections->shut);
}

int connections_count(const struct connections *connections)
{
	return atomic_load(&connections->count);
}

void connections_end(struct connections *connections)
{
	uint64_t one = 1;
	atomic_store(&connections->ended, true);
	if (write(connections->wake, &one, sizeof(one)) < 0)
		log_write(LOG_ERROR, "cannot wake the threads", log_error_code(-errno));
}

/* Allows a file descriptor for every connection; the table is as large as the limit. */
static size_t raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max < CONNECTIONS_MAX ? limit.rlim_max : CONNECTIONS_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

static int check_listener(int listener)
{
	int listens = 0;
	socklen_t size = sizeof(listens);
	if (getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens) {
		log_write(LOG_ERROR,
			  "file descriptor 0 is not a listening socket: start this program"
			  " with spawn-fcgi");
		return -EINVAL;
	}
	int flags = fcntl(listener, F_GETFL);
	return flags < 0 || fcntl(listener, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int watch(struct connections *connections)
{
	struct epoll_event wake = {.events = EPOLLIN, .data.fd = connections->wake};
	if (connections->epoll < 0 || connections->wake < 0 ||
	    epoll_ctl(connections->epoll, EPOLL_CTL_ADD, connections->wake, &wake) < 0 ||
	    arm(connections, connections->listener, EPOLL_CTL_ADD) < 0)
		return -errno;
	return 0;
}

static int make(int listener, struct connections **ret_connections)
{
	int r = check_listener(listener);
	if (r < 0)
		return r;
	size_t size = raise_file_limit();
	struct connections *connections =
		calloc(1, sizeof(*connections) + size * sizeof(connections->state[0]));
	if (!connections)
		return -ENOMEM;
	connections->listener = listener;
	connections->size = size;
	connections->epoll = epoll_create1(EPOLL_CLOEXEC);
	connections->wake = eventfd(0, EFD_CLOEXEC);
	r = watch(connections);
	if (r < 0)
		connections_free(connections);
	else
		*ret_connections = connections;
	return r;
}

int connections_open(int listener, struct connections **ret_connections)
{
	int r = make(listener, ret_connections);
	if (r < 0)
		log_write(LOG_ERROR, "cannot start listening", log_error_code(r));
	return r;
}

void connections_free(struct connections *connections)
{
	if (!connections)
		return;
	close(connections->epoll);
	close(connections->wake);
	free(connections);
}
