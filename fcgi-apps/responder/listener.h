/*
 * The place of the listening socket in the file system. spawn-fcgi (or another program that hands
 * the socket over) replaces a socket without a listener and refuses one that has a listener. This
 * file does the rest: of several workers that start at once, or while another one ends, only one
 * serves, and none takes over a socket that was served from another database.
 *
 * The serving worker holds a lock (flock(2)) on "<socket>.lock", and the file names the worker and
 * its database. The worker removes the file when it ends normally; the file of a killed worker
 * stays, unlocked. One thread.
 */
#ifndef RESPONDER_LISTENER_H
#define RESPONDER_LISTENER_H

#include <sys/types.h>

#include "base/base.h"

struct listener {
	char *path; /* NULL: the socket has no name in a file system, and needs no lock */
	char *lock_path;
	char *database; /* as in listener_claim() */
	int lock;       /* a file descriptor, or -1 */
	dev_t device;   /* of the socket's file */
	ino_t inode;
};

/*
 * Locks the place of the socket that is file descriptor 0. database names the database of this
 * worker, without secrets. While another worker still serves from the same database, this waits for
 * it, at most patience microseconds. -EBUSY (another one has it), -EEXIST (a worker that was killed
 * served from another database), -ENOENT (the socket's path leads elsewhere), -ENOMEM, or the error
 * of making the file; the log names it and says what to do.
 */
int listener_claim(struct listener *listener, const char *database, int64_t patience);

/* Records the database that is served from now on. Returns the error of writing, which is logged.
 */
int listener_serve(const struct listener *listener);

/* Whether the socket's file was removed or replaced since: clients cannot find the worker any more.
 */
bool listener_is_lost(const struct listener *listener);

/* For a normal end: frees the place for any worker and any database. */
void listener_release(struct listener *listener);

#endif
