/*
 * The connections from nginx, and the listening socket that accepts them, in one epoll set.
 *
 * A connection is armed for one event (EPOLLONESHOT). The thread that gets it from
 * connections_wait() owns it until it parks, closes or forgets it. No thread is ever bound to an
 * idle connection, so a few threads serve any number of kept connections. Thread-safe, except for
 * opening and freeing.
 */
#ifndef RESPONDER_CONNECTIONS_H
#define RESPONDER_CONNECTIONS_H

#include "base/base.h"

struct connections;

/* Uses the listening socket, which the caller keeps, and raises the limit of open files. -EINVAL
 * (not a listening socket), -ENOMEM, or the error of a system call, each with a log line. */
int connections_open(int listener, struct connections **ret_connections);

/* Call it when no thread uses them any more. Leaves the connections themselves open. Takes NULL. */
void connections_free(struct connections *connections);

/*
 * Accepts new connections, and returns how many connections have a request, or their end, to be
 * read: at most `most`, waiting at most timeout milliseconds (-1: for ever). The caller owns those.
 * -ECANCELED after connections_end().
 */
int connections_wait(struct connections *connections, int *ret_fds, size_t most, int timeout);

/* Returns a kept connection, which then waits for its next request. */
void connections_park(struct connections *connections, int fd);

/* Closes a connection. */
void connections_close(struct connections *connections, int fd);

/* For a connection that its owner has closed itself. */
void connections_forget(struct connections *connections);

/*
 * Ends receiving: connecting fails, and each connection ends after the requests that have arrived.
 * Connections made before are still accepted, until clock_monotonic() is end.
 */
void connections_shut(struct connections *connections, int64_t end);

/* Whether connections_shut() has been called: then no connection should be kept. */
bool connections_are_shut(const struct connections *connections);

/* The number of open connections. */
int connections_count(const struct connections *connections);

/* Makes every connections_wait() return, now and from now on. */
void connections_end(struct connections *connections);

#endif
