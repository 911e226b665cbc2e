/*
 * The floor under every FastCGI figure: a parked libfcgi loop that does nothing but answer 200
 * bytes. Connections wait in one epoll instance (EPOLLONESHOT); whichever thread is free takes a
 * readable one, answers one request and parks it again. Listens on fd 0, as spawn-fcgi hands it
 * over. Usage: bare [threads]
 */
#include <err.h>
#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BODY_SIZE       200
#define RECEIVE_TIMEOUT 5 /* seconds a begun request may take to arrive */
#define THREADS_MAX     64

static char answer[64 + BODY_SIZE + 1];
static int epoll_fd;

static bool park(int fd, int operation)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};

	return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

static void accept_waiting(void)
{
	struct timeval timeout = {.tv_sec = RECEIVE_TIMEOUT};
	int fd;

	while ((fd = accept4(FCGI_LISTENSOCK_FILENO, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		if (!park(fd, EPOLL_CTL_ADD))
			close(fd);
	}
	park(FCGI_LISTENSOCK_FILENO, EPOLL_CTL_MOD);
}

/* The next request on a kept connection must start at a record boundary. */
static bool drain_input(FCGX_Request *request)
{
	char rest[4096];

	while (FCGX_GetStr(rest, sizeof(rest), request->in) > 0)
		;
	return FCGX_GetError(request->in) == 0;
}

static void serve(FCGX_Request *request, int fd)
{
	/* libfcgi believes that this is its own connection, kept from the request before. */
	request->ipcFd = fd;
	request->keepConnection = 1;
	if (FCGX_Accept_r(request) < 0) {
		request->ipcFd = -1;
		return;
	}
	if (FCGX_GetError(request->in) != 0 || !drain_input(request) ||
	    FCGX_PutStr(answer, (int)strlen(answer), request->out) < 0)
		request->keepConnection = 0;
	FCGX_Detach(request);
	FCGX_Finish_r(request);

	fd = request->ipcFd;
	request->ipcFd = -1;
	if (fd >= 0 && !park(fd, EPOLL_CTL_MOD))
		close(fd);
}

static void *loop(void *unused)
{
	FCGX_Request request;
	struct epoll_event event;

	FCGX_InitRequest(&request, -1, 0);
	for (;;) {
		if (epoll_wait(epoll_fd, &event, 1, -1) != 1)
			continue;
		if (event.data.fd == FCGI_LISTENSOCK_FILENO)
			accept_waiting();
		else
			serve(&request, event.data.fd);
	}
	return unused;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2;
	char body[BODY_SIZE + 1];

	if (threads < 1 || threads > THREADS_MAX)
		errx(2, "usage: bare [threads, 1 to %d]", THREADS_MAX);
	memset(body, 'x', BODY_SIZE);
	body[BODY_SIZE] = '\0';
	snprintf(answer, sizeof(answer), "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
		 BODY_SIZE, body);

	if (FCGX_Init() != 0)
		errx(1, "FCGX_Init failed");
	signal(SIGTERM, SIG_DFL); /* nothing to drain */

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0 || fcntl(FCGI_LISTENSOCK_FILENO, F_SETFL, O_NONBLOCK) != 0 ||
	    !park(FCGI_LISTENSOCK_FILENO, EPOLL_CTL_ADD))
		err(1, "listening on fd 0");
	for (int i = 1; i < threads; i++) {
		pthread_t thread;

		errno = pthread_create(&thread, NULL, loop, NULL);
		if (errno != 0)
			err(1, "pthread_create");
	}
	loop(NULL);
}
