/*
 * What a process of a service is made of, for the files on top: server.c starts and stops it,
 * meta.c and exposition.c tell about it. Each part's own header says what it does; from the top:
 *
 *	server.c        settings, start, signals, end
 *	meta.c          the operations that every service has
 *	exposition.c    /metrics
 *	command.c       command-line commands instead
 *	listener.c      the listening socket's place: one worker at a time
 *	housekeeping.c  the background tasks that every service has
 *	tasks.c         threads for background tasks
 *	loop.c          the event threads, and the drain
 *	dispatch.c      route, check, run by mode, answer
 *	exchange.c      one FastCGI request and its answer, over libfcgi
 *	metrics.c       answered requests by operation and status
 *	thread_pool.c   threads for what blocks or takes long
 *	connections.c   epoll: accepts connections, parks idle ones, shuts them for the drain
 *	gate.c          back pressure
 *	request_head.c  the head of a request: FastCGI parameters of nginx
 *	docs.c          the pages that render the document
 *	guard.c         who sends a request, and whether they may
 *	siblings.c      which service calls on the internal port
 *	issuer.c        whose tokens count, and where its keys come from
 *	key_source.c    keys that the sidecar fetches
 *
 * Below them are service.h, request.h and response.h, and what handlers use: idempotency.c,
 * paging.c, entity_tag.c and others. scripts/check-floors.sh keeps the order.
 */
#ifndef RESPONDER_SERVER_H
#define RESPONDER_SERVER_H

#include "responder/listener.h"
#include "responder/loop.h"

struct server {
	struct runtime runtime;
	void *app;
	int64_t started_at;    /* clock_now() */
	struct listener place; /* of the listening socket */
	struct metrics *metrics;
	struct connections *connections;
	struct exchanges *exchanges;
	struct dispatcher dispatcher;
	struct loop *loop;
};

/* Returns the process's exit status. Without arguments: runs until SIGTERM and listens on fd 0,
 * which spawn-fcgi passes. With arguments: see command.h. */
int server_main(const struct service *service, int argc, char **argv);

#endif
