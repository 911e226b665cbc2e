#include "storage/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/uuid.h"

/*
 * A lock of a byte of a file that is otherwise of no use: the kernel takes it back with the
 * process. Not of the database's file, because to close any descriptor of that would end SQLite's
 * own locks (https://www.sqlite.org/howtocorrupt.html, section 2.2).
 */
struct sqlite_sessions {
	int file;    /* or -1 */
	int64_t own; /* locked; 0: none */
};

int sqlite_share(const struct db_options *options, void **ret_shared, char *ret_error,
		 size_t error_size)
{
	if (!options->session)
		return 0;
	struct sqlite_sessions *sessions = calloc(1, sizeof(*sessions));
	if (!sessions) {
		snprintf(ret_error, error_size, "out of memory");
		return -ENOMEM;
	}
	sessions->file = -1;
	*ret_shared = sessions;
	return 0;
}

void sqlite_unshare(void *shared)
{
	struct sqlite_sessions *sessions = shared;
	if (sessions->file >= 0)
		close(sessions->file);
	free(sessions);
}

static struct flock lock_of(int64_t session)
{
	return (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = session, .l_len = 1};
}

void sqlite_begin_session(struct sqlite_sessions *sessions, const char *path)
{
	char name[PATH_MAX];
	int64_t own = 1 + (int64_t)random_below(INT64_MAX - 1);
	struct flock lock = lock_of(own);
	snprintf(name, sizeof(name), "%s-sessions", path);
	sessions->file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sessions->file >= 0 && fcntl(sessions->file, F_OFD_SETLK, &lock) == 0)
		sessions->own = own;
	else
		log_write(LOG_WARN, "no session: leases of dead processes have to run out",
			  log_text("file.path", name), log_error_code(-errno));
}

int64_t sqlite_session(struct db_conn *conn)
{
	const struct sqlite_sessions *sessions = sqlite_conn(conn)->sessions;
	return sessions ? sessions->own : 0;
}

int sqlite_session_ended(struct db_conn *conn, int64_t session)
{
	const struct sqlite_sessions *sessions = sqlite_conn(conn)->sessions;
	struct flock lock = lock_of(session);
	if (!sessions || !sessions->own)
		return 0;
	return fcntl(sessions->file, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}
