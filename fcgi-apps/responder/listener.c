#include "responder/listener.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define RECORD_LIMIT 1024
#define LOOK_EVERY   (50 * 1000)

/* The lock holder's record: a line with its database, and one that identifies the process. */
struct record {
	char text[RECORD_LIMIT];
	const char *database;
	const char *holder;
};

static bool same_file(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* False: the socket has no name in a file system. */
static bool socket_path(struct sockaddr_un *ret_address)
{
	socklen_t size = sizeof(*ret_address);
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNSPEC};
	return getsockname(STDIN_FILENO, (struct sockaddr *)ret_address, &size) == 0 &&
	       ret_address->sun_family == AF_UNIX &&
	       size > offsetof(struct sockaddr_un, sun_path) && ret_address->sun_path[0];
}

static pid_t listening_process(int socket)
{
	struct ucred credentials = {.pid = -1};
	socklen_t size = sizeof(credentials);
	getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
	return credentials.pid;
}

/* A socket connected to a listening one knows the process that called listen(2) (unix(7)). If
 * connecting fails, as with a full backlog, no other process can listen there either. */
static bool leads_here(const struct sockaddr_un *address)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return true;
	bool here = true;
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0)
		here = listening_process(probe) == listening_process(STDIN_FILENO);
	else
		here = errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR;
	close(probe);
	return here;
}

static void read_record(int lock, struct record *ret_record)
{
	static const char unknown[] = "an unknown process";
	ssize_t size = pread(lock, ret_record->text, sizeof(ret_record->text) - 1, 0);
	ret_record->text[size > 0 ? size : 0] = '\0';
	char *end = strchr(ret_record->text, '\n');
	ret_record->database = ret_record->text;
	ret_record->holder = end ? end + 1 : unknown;
	if (end)
		*end = '\0';
}

static int write_record(int lock, const char *database)
{
	char text[RECORD_LIMIT];
	char host[HOST_NAME_MAX + 1] = "";
	gethostname(host, sizeof(host) - 1);
	int length =
		snprintf(text, sizeof(text), "%s\nprocess %d on %s", database, (int)getpid(), host);
	if (length >= (int)sizeof(text))
		return -EMSGSIZE;
	if (ftruncate(lock, 0) < 0 || pwrite(lock, text, (size_t)length, 0) != length)
		return errno ? -errno : -ENOSPC;
	return 0;
}

static int complain(const struct listener *listener, const char *message,
		    const struct record *record, int error)
{
	char text[RECORD_LIMIT + 64] = "";
	if (record)
		snprintf(text, sizeof(text), "%s, from %s", record->holder, record->database);
	log_write(LOG_ERROR, message, log_text("file.path", listener->lock_path),
		  log_text("error.message", text), log_error_code(error));
	return error;
}

static bool is_other(const struct listener *listener, const struct record *record)
{
	return *record->database && strcmp(record->database, listener->database) != 0;
}

/* Opens the file and locks it. -EBUSY: it is locked, or about to be removed. */
static int try_lock(struct listener *listener)
{
	struct stat opened, named;
	listener->lock = open(listener->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (listener->lock < 0)
		return -errno;
	if (flock(listener->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(listener->lock, &opened) < 0 || stat(listener->lock_path, &named) < 0 ||
	    !same_file(&opened, &named))
		return -EBUSY;
	return 0;
}

static int lock_place(struct listener *listener, int64_t patience)
{
	int64_t deadline = clock_monotonic() + patience;
	struct record record;
	bool told = false;
	int r;
	while ((r = try_lock(listener)) == -EBUSY) {
		read_record(listener->lock, &record);
		close(listener->lock);
		listener->lock = -1;
		if (is_other(listener, &record))
			return complain(listener,
					"another worker serves this socket from another database",
					&record, -EBUSY);
		if (clock_monotonic() > deadline)
			return complain(listener, "another worker does not let go of this socket",
					&record, -EBUSY);
		if (!told)
			log_write(LOG_INFO, "waiting for the worker that still has this socket",
				  log_text("file.path", listener->lock_path),
				  log_text("error.message", record.holder));
		told = true;
		usleep(LOOK_EVERY);
	}
	return r ? complain(listener, "cannot lock the socket's place", NULL, r) : 0;
}

static int look_at_predecessor(const struct listener *listener)
{
	struct record record;
	read_record(listener->lock, &record);
	if (!is_other(listener, &record))
		return 0;
	return complain(listener,
			"a worker that was killed served this socket from another database: start"
			" that one again, or delete this file where the new database is meant",
			&record, -EEXIST);
}

static int note_socket(struct listener *listener, const struct sockaddr_un *address)
{
	struct stat status;
	if (stat(listener->path, &status) < 0 || !leads_here(address))
		return complain(listener,
				"the socket's path leads to another one: was it removed, or is it"
				" relative to another folder?",
				NULL, -ENOENT);
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
	return 0;
}

int listener_claim(struct listener *listener, const char *database, int64_t patience)
{
	struct sockaddr_un address;
	*listener = (struct listener){.lock = -1};
	if (!socket_path(&address))
		return 0;
	listener->path = strndup(address.sun_path, sizeof(address.sun_path));
	listener->database = strdup(database);
	if (!listener->path || !listener->database ||
	    asprintf(&listener->lock_path, "%s.lock", listener->path) < 0)
		return -ENOMEM;
	int r = lock_place(listener, patience);
	if (!r)
		r = look_at_predecessor(listener);
	return r ? r : note_socket(listener, &address);
}

int listener_serve(const struct listener *listener)
{
	int r = listener->path ? write_record(listener->lock, listener->database) : 0;
	return r ? complain(listener, "cannot write who has this socket", NULL, r) : 0;
}

bool listener_is_lost(const struct listener *listener)
{
	struct stat status;
	return listener->path &&
	       (stat(listener->path, &status) < 0 || status.st_dev != listener->device ||
		status.st_ino != listener->inode);
}

void listener_release(struct listener *listener)
{
	if (listener->path) {
		unlink(listener->lock_path);
		close(listener->lock);
	}
	free(listener->path);
	free(listener->lock_path);
	free(listener->database);
}
