/*
 * A TCP connection as a non-blocking descriptor; every wait ends at a deadline (clock_monotonic()
 * microseconds). Used by one thread at a time.
 */
#ifndef UPSTREAM_CONNECTION_H
#define UPSTREAM_CONNECTION_H

#include "base/base.h"
#include "upstream/address.h"

/* Tries one address after the other. -EHOSTDOWN: none accepts; -ETIMEDOUT; -ENOMEM, also if there
 * is no free file descriptor. */
int connection_open(const struct addresses *addresses, int64_t deadline, int *ret_fd);

/* Takes -1. */
void connection_close(int fd);

/* Whether a kept connection can be used again: the peer neither closed it nor sent anything. */
bool connection_is_idle(int fd);

/* Sends everything. -ETIMEDOUT; -EPIPE: the peer has closed; its data may still be received. */
int connection_send(int fd, const char *data, size_t length, int64_t deadline);

/* Receives at most size bytes; 0: the peer has closed. -ETIMEDOUT, -EPIPE. */
int64_t connection_receive(int fd, void *buffer, size_t size, int64_t deadline);

#endif
