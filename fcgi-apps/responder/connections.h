/*
 * The connections from nginx, and the listening socket that they come from, in one epoll set.
 *
 * A connection is armed for one event (EPOLLONESHOT): the thread that gets it from
 * connections_wait() owns it until it parks, closes or forgets it. No thread is ever bound to an
 * idle connection, so any number of kept ones needs no more than a few threads. Thread-safe, except
 * for opening and freeing.
 */
#ifndef RESPONDER_CONNECTIONS_H
#define RESPONDER_CONNECTIONS_H

#include "base/base.h"

struct connections;

/* Takes the listening socket, which stays the caller's, and raises the limit of open files. -EINVAL
 * (no listening socket), -ENOMEM, or the error of a system call, each with a log line. */
int connections_open(int listener, struct connections **ret_connections);

/* When no thread uses them any more. Leaves the connections themselves open. Takes NULL. */
void connections_free(struct connections *connections);

/*
 * Accepts what clients connect, and returns how many connections have a request, or their end, to
 * be read: at most `most`, for at most timeout milliseconds (-1: for ever). Those are the caller's
 * now. -ECANCELED after connections_end().
 */
int connections_wait(struct connections *connections, int *ret_fds, size_t most, int timeout);

/* Gives back a kept connection, which waits for its next request. */
void connections_park(struct connections *connections, int fd);

/* Closes a connection. */
void connections_close(struct connections *connections, int fd);

/* Of a connection that its owner has closed by itself. */
void connections_forget(struct connections *connections);

/*
 * No further request is received: connecting fails, and each connection ends after the requests
 * that have arrived. Accepts those that had connected before, until clock_monotonic() is end.
 */
void connections_shut(struct connections *connections, int64_t end);

/* Whether that has begun: then no connection is to be kept. */
bool connections_are_shut(const struct connections *connections);

/* The open ones. */
int connections_count(const struct connections *connections);

/* Every connections_wait() returns, now and from now on. */
void connections_end(struct connections *connections);

#endif
