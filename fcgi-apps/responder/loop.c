#include <assert.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "responder/exchange.h"
#include "responder/server.h"

/*
 * Every connection sits in one epoll set, armed once (EPOLLONESHOT): the thread that gets it owns
 * it until it is parked again. No thread is ever bound to an idle connection, so any number of
 * kept connections needs no more than a few threads.
 */
#define STACK_SIZE         (1u << 20)
#define CONNECTIONS_MAX    16384
#define GATE_REOPENS       32
#define GATE_LIMIT         64
#define ACCEPTS_PER_TURN   64
#define PEER_TIMEOUT       10 /* seconds to wait inside a request, or for room to answer */
#define DRAIN_CHECK        (5 * 1000)
#define OUT_OF_FILES_PAUSE (10 * 1000)

/* Of a file descriptor: ours and not idle, or not ours; idle; idle and being shut by the drain. */
enum { BUSY, PARKED, SHUTTING };

static int arm(struct server *server, int fd, int operation)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.fd = fd};
	return epoll_ctl(server->epoll, operation, fd, &event);
}

/* Only the thread that owns a connection parks it. */
static void set_parked(struct server *server, int fd)
{
	assert(fd >= 0 && (size_t)fd < server->parked_size);
	unsigned char before = atomic_exchange(&server->parked[fd], PARKED);
	assert(before == BUSY);
}

void loop_park(struct server *server, int fd)
{
	set_parked(server, fd);
	/* Draining started while this connection was busy: requests that have arrived are still
	 * answered, then the end of the stream closes it. */
	if (atomic_load(&server->draining))
		shutdown(fd, SHUT_RD);
	arm(server, fd, EPOLL_CTL_MOD);
}

void loop_forget(struct server *server)
{
	int before = atomic_fetch_sub(&server->connections, 1);
	assert(before > 0);
}

void loop_gate_enter(struct server *server)
{
	pthread_mutex_lock(&server->gate_lock);
	server->gate_count++;
	pthread_mutex_unlock(&server->gate_lock);
}

void loop_gate_leave(struct server *server)
{
	pthread_mutex_lock(&server->gate_lock);
	assert(server->gate_count > 0);
	/* Not at once below the limit: the threads would wake for one request each. */
	if (--server->gate_count == GATE_REOPENS && server->gate_shut) {
		server->gate_shut = false;
		pthread_cond_broadcast(&server->gate_open);
	}
	pthread_mutex_unlock(&server->gate_lock);
}

static void gate_wait(struct server *server)
{
	pthread_mutex_lock(&server->gate_lock);
	if (server->gate_count >= GATE_LIMIT)
		server->gate_shut = true;
	while (server->gate_shut)
		pthread_cond_wait(&server->gate_open, &server->gate_lock);
	pthread_mutex_unlock(&server->gate_lock);
}

/* Draining may be about to shut it: until it has, the number must not become another file's. */
static void unpark(struct server *server, int fd)
{
	unsigned char state = PARKED;
	while (!atomic_compare_exchange_weak(&server->parked[fd], &state, BUSY)) {
		state = PARKED;
		sched_yield();
	}
}

static void adopt(struct server *server, int fd)
{
	if ((size_t)fd >= server->parked_size) {
		close(fd);
		loop_forget(server);
		return;
	}
	struct timeval timeout = {.tv_sec = PEER_TIMEOUT};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	set_parked(server, fd);
	/* Draining may have looked for idle connections before it could see this one. */
	if (atomic_load(&server->draining))
		shutdown(fd, SHUT_RD);
	if (arm(server, fd, EPOLL_CTL_ADD) == 0)
		return;
	unpark(server, fd);
	close(fd);
	loop_forget(server);
}

/* 0 when there is nothing more to accept, 1 when there may be. */
static int accept_some(struct server *server)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		/* Counted first: the drain must not overlook one that is just accepted. */
		atomic_fetch_add(&server->connections, 1);
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			adopt(server, fd);
			continue;
		}
		loop_forget(server);
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_write(LOG_ERROR, "cannot accept a connection", log_error_code(-errno));
			usleep(OUT_OF_FILES_PAUSE);
			return 1;
		}
		return 0;
	}
	return 1;
}

static void take_connections(struct server *server)
{
	accept_some(server);
	/* A listener that was shut down is readable for ever. */
	if (!atomic_load(&server->draining))
		arm(server, server->listener, EPOLL_CTL_MOD);
}

static void serve(struct server *server, int fd, struct lookups *lookups)
{
	unpark(server, fd);
	struct exchange *exchange = exchange_take(server);
	if (!exchange) {
		log_write(LOG_ERROR, "out of memory: a connection is closed");
		close(fd);
		loop_forget(server);
		return;
	}
	if (exchange_receive(exchange, fd) < 0) {
		exchange_return(exchange);
		loop_forget(server);
		return;
	}
	dispatch(exchange, lookups);
}

/*
 * How many events a thread takes next: twice as many each time while only look-ups arrive, since
 * they share round trips. Any other request may take long and must leave work to other threads.
 */
static size_t next_share(const struct server *server, size_t share, size_t taken, size_t lookups)
{
	if (lookups < taken)
		return 1;
	if (taken < share)
		return share;
	return share * 2 < server->share_limit ? share * 2 : server->share_limit;
}

/* Waits for up to most events and runs everything but look-ups, which it adds to the list. Returns
 * the number of events. Requests that have not arrived completely are served last, so that no other
 * request waits for them. */
static size_t take(struct server *server, struct lookups *lookups, size_t most, int timeout)
{
	struct epoll_event events[DB_BATCH_MAX];
	int late[DB_BATCH_MAX];
	size_t late_count = 0;
	int count = epoll_wait(server->epoll, events, (int)most, timeout);
	if (atomic_load(&server->stopping))
		return 0;
	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd;
		bool alone = count == 1 && !lookups->count;
		if (fd == server->listener)
			take_connections(server);
		else if (alone || exchange_has_arrived(fd))
			serve(server, fd, lookups);
		else
			late[late_count++] = fd;
	}
	for (size_t i = 0; i < late_count; i++) {
		dispatch_lookups(lookups);
		serve(server, late[i], lookups);
	}
	return count > 0 ? (size_t)count : 0;
}

/*
 * nginx was often preempted mid-burst by waking us: yield once so that it can hand over the rest,
 * and look-ups share a round trip.
 */
static size_t gather(struct server *server, struct lookups *lookups, size_t share)
{
	size_t room = server->share_limit - lookups->count;
	sched_yield();
	return take(server, lookups, share < room ? share : room, 0);
}

static void *run(void *argument)
{
	struct server *server = argument;
	struct lookups lookups = {.count = 0};
	size_t share = 1;
	for (;;) {
		gate_wait(server);
		size_t taken = take(server, &lookups, share, -1);
		if (atomic_load(&server->stopping))
			return NULL;
		if (lookups.count && lookups.count < server->share_limit)
			taken += gather(server, &lookups, share);
		share = next_share(server, share, taken, lookups.count);
		dispatch_lookups(&lookups);
	}
}

/* Room for every connection; the table of parked ones is as large as the limit. */
static size_t raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max < CONNECTIONS_MAX ? limit.rlim_max : CONNECTIONS_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

static int prepare(struct server *server)
{
	server->listener = STDIN_FILENO; /* FCGI_LISTENSOCK_FILENO, FastCGI 1.0 section 2.2 */
	int type = 0;
	socklen_t size = sizeof(type);
	if (getsockopt(server->listener, SOL_SOCKET, SO_ACCEPTCONN, &type, &size) < 0 || !type) {
		log_write(LOG_ERROR,
			  "file descriptor 0 is not a listening socket: start this program"
			  " with spawn-fcgi");
		return -EINVAL;
	}
	int flags = fcntl(server->listener, F_GETFL);
	if (flags < 0 || fcntl(server->listener, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;

	server->parked_size = raise_file_limit();
	server->parked = calloc(server->parked_size, sizeof(server->parked[0]));
	if (!server->parked)
		return -ENOMEM;
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->wake = eventfd(0, EFD_CLOEXEC);
	if (server->epoll < 0 || server->wake < 0)
		return -errno;
	/* Never read: once written, it wakes every thread. */
	struct epoll_event event = {.events = EPOLLIN, .data.fd = server->wake};
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->wake, &event) < 0)
		return -errno;
	return arm(server, server->listener, EPOLL_CTL_ADD) < 0 ? -errno : 0;
}

int loop_start(struct server *server, size_t threads)
{
	pthread_mutex_init(&server->gate_lock, NULL);
	pthread_cond_init(&server->gate_open, NULL);
	int r = prepare(server);
	if (r < 0) {
		log_write(LOG_ERROR, "cannot start listening", log_error_code(r));
		return r;
	}
	server->share_limit = db_batch_limit(server->runtime.db);
	server->threads = calloc(threads, sizeof(server->threads[0]));
	if (!server->threads)
		return -ENOMEM;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (size_t i = 0; i < threads && r == 0; i++) {
		r = pthread_create(&server->threads[i], &attributes, run, server);
		if (r == 0)
			server->thread_count++;
	}
	pthread_attr_destroy(&attributes);
	return -r;
}

/*
 * Exactness of the drain, on Unix sockets: SHUT_RD on the listener makes further connects fail
 * while those in the backlog can still be accepted; SHUT_RD on an idle connection makes nginx' next
 * write fail while bytes that arrived before can still be read. So every request is either answered
 * or was never received. Idle connections come first: those in the backlog may need their files.
 */
static void stop_receiving(struct server *server, int64_t end)
{
	atomic_store(&server->draining, true);
	shutdown(server->listener, SHUT_RD);
	for (size_t fd = 0; fd < server->parked_size; fd++) {
		unsigned char state = PARKED;
		if (atomic_compare_exchange_strong(&server->parked[fd], &state, SHUTTING)) {
			shutdown((int)fd, SHUT_RD);
			atomic_store(&server->parked[fd], PARKED);
		}
	}
	while (accept_some(server) && clock_monotonic() < end)
		;
}

bool loop_drain(struct server *server, int64_t timeout)
{
	int64_t end = clock_monotonic() + timeout;
	stop_receiving(server, end);
	while ((atomic_load(&server->connections) > 0 || atomic_load(&server->in_flight) > 0) &&
	       clock_monotonic() < end)
		usleep(DRAIN_CHECK);
	/* A handler may hang: do not wait for its thread. */
	if (atomic_load(&server->in_flight) > 0)
		return false;

	atomic_store(&server->stopping, true);
	uint64_t one = 1;
	if (write(server->wake, &one, sizeof(one)) < 0)
		log_write(LOG_ERROR, "cannot wake the threads", log_error_code(-errno));
	for (size_t i = 0; i < server->thread_count; i++)
		pthread_join(server->threads[i], NULL);
	return true;
}

void loop_release(struct server *server)
{
	free(server->threads);
	free(server->parked);
	close(server->epoll);
	close(server->wake);
	pthread_cond_destroy(&server->gate_open);
	pthread_mutex_destroy(&server->gate_lock);
}
