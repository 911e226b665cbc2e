#include "storage/opener.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "base/wait.h"

/* Microseconds. */
#define PAUSE_SHORTEST 5000
#define PAUSE_LONGEST  (5 * CLOCK_SECOND)

struct opener {
	struct db_options options;
	const struct db_driver *driver;
	void *shared;
	struct pool *readers;
	struct writer *writer;
	size_t missing_readers;
	size_t missing_writers;

	pthread_t thread;
	pthread_mutex_t mutex; /* guards the members below */
	pthread_cond_t wake;
	bool stopping;
};

/* The pause is random so that processes which started together do not meet again. False: stop. */
static bool pause_up_to(struct opener *opener, int64_t longest)
{
	int64_t until = clock_monotonic() + (int64_t)random_below((uint64_t)longest);
	pthread_mutex_lock(&opener->mutex);
	while (!opener->stopping && wait_until(&opener->wake, &opener->mutex, until))
		;
	bool stopping = opener->stopping;
	pthread_mutex_unlock(&opener->mutex);
	return !stopping;
}

static int hand_over(struct opener *opener, enum db_role role, struct db_conn *conn)
{
	if (role == DB_READER) {
		pool_add(opener->readers, conn);
		opener->missing_readers--;
		return 0;
	}
	int r = writer_add(opener->writer, conn);
	if (!r)
		opener->missing_writers--;
	else
		conn->driver->close(conn);
	return r;
}

static int open_one(struct opener *opener)
{
	struct db_conn *conn;
	char error[256] = "";
	enum db_role role =
		opener->missing_writers > opener->missing_readers ? DB_WRITER : DB_READER;
	int r = opener->driver->open(&opener->options, opener->shared, role, &conn, error,
				     sizeof(error));
	if (!r)
		r = hand_over(opener, role, conn);
	if (r)
		log_write(LOG_WARN,
			  "cannot open a further connection to the database, trying again",
			  log_text("error.message", error), log_error_code(r));
	return r;
}

static void *open_all(void *argument)
{
	struct opener *opener = argument;
	int64_t pause = PAUSE_SHORTEST;
	while (opener->missing_readers + opener->missing_writers > 0 &&
	       pause_up_to(opener, pause)) {
		int64_t begin = clock_monotonic();
		pause = open_one(opener) ? pause * 2 : 2 * (clock_monotonic() - begin);
		pause = pause < PAUSE_SHORTEST  ? PAUSE_SHORTEST
			: pause > PAUSE_LONGEST ? PAUSE_LONGEST
						: pause;
	}
	return NULL;
}

static void release(struct opener *opener)
{
	pthread_cond_destroy(&opener->wake);
	pthread_mutex_destroy(&opener->mutex);
	free(opener);
}

int opener_start(const struct db_options *options, const struct db_driver *driver, void *shared,
		 struct pool *readers, size_t reader_count, struct writer *writer,
		 size_t writer_count, struct opener **ret_opener)
{
	struct opener *opener = calloc(1, sizeof(*opener));
	if (!opener)
		return -ENOMEM;
	*opener = (struct opener){.options = *options,
				  .driver = driver,
				  .shared = shared,
				  .readers = readers,
				  .writer = writer,
				  .missing_readers = reader_count,
				  .missing_writers = writer_count};
	/* One try per connection, so that the thread can notice opener_stop() in between. */
	opener->options.connect_patience = 0;
	pthread_mutex_init(&opener->mutex, NULL);
	wait_init(&opener->wake);
	int r = thread_start(&opener->thread, NULL, open_all, opener);
	if (r) {
		release(opener);
		return r;
	}
	*ret_opener = opener;
	return 0;
}

void opener_stop(struct opener *opener)
{
	if (!opener)
		return;
	pthread_mutex_lock(&opener->mutex);
	opener->stopping = true;
	pthread_cond_signal(&opener->wake);
	pthread_mutex_unlock(&opener->mutex);
	pthread_join(opener->thread, NULL);
	release(opener);
}
