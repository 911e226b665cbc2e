#include "storage/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/uuid.h"

/*
 * The session is a lock of one byte of an otherwise unused file; the kernel releases it when the
 * process ends. The database file will not do: closing any descriptor of it would release SQLite's
 * own locks (https://www.sqlite.org/howtocorrupt.html, section 2.2).
 */
static struct flock lock_of(int64_t session)
{
	return (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = session, .l_len = 1};
}

void sqlite_begin_session(struct sqlite_store *store, const char *path)
{
	char name[PATH_MAX];
	int64_t own = 1 + (int64_t)random_below(INT64_MAX - 1);
	struct flock lock = lock_of(own);
	snprintf(name, sizeof(name), "%s-sessions", path);
	store->sessions = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->sessions >= 0 && fcntl(store->sessions, F_OFD_SETLK, &lock) == 0)
		store->session = own;
	else
		log_write(LOG_WARN, "no session: leases of dead processes have to run out",
			  log_text("file.path", name), log_error_code(-errno));
}

int64_t sqlite_session(struct db_conn *conn)
{
	return sqlite_conn(conn)->store->session;
}

int sqlite_session_ended(struct db_conn *conn, int64_t session)
{
	const struct sqlite_store *store = sqlite_conn(conn)->store;
	struct flock lock = lock_of(session);
	if (!store->session)
		return 0;
	return fcntl(store->sessions, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}
