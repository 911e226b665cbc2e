/*
 * The place of the listening socket in the file system. spawn-fcgi (or whoever hands the socket
 * over) removes a socket on which nobody listens, and refuses one on which somebody does. The rest
 * is settled here: of several workers that start at once, or while another one ends, only one
 * serves, and none takes over a socket that was served from another database.
 *
 * The worker that serves holds a lock (flock(2)) on "<socket>.lock", and has written there who it
 * is and which database it serves from. It removes the file when it ends in order; the file of one
 * that was killed stays, unlocked. One thread.
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
 * Locks the place of the socket that is file descriptor 0. database says what this worker is to
 * serve from, without secrets. A worker that still serves from the same is waited for, for patience
 * microseconds. -EBUSY (another one has it), -EEXIST (a worker that was killed served from another
 * database), -ENOENT (the socket's path leads elsewhere), -ENOMEM, or the error of making the file;
 * the log says which, and what to do.
 */
int listener_claim(struct listener *listener, const char *database, int64_t patience);

/* Writes down what is served from now on. The error of writing; the log says so. */
int listener_serve(const struct listener *listener);

/* Whether the socket's file was removed or replaced since: no client finds the worker any more. */
bool listener_is_lost(const struct listener *listener);

/* For the end in order: others may have the place, and serve from what they like. */
void listener_release(struct listener *listener);

#endif
