#include "storage/writer.h"

#include <assert.h>
#include <sched.h>
#include <semaphore.h>

#include "base/failpoint.h"
#include "base/thread.h"
#include "base/uuid.h"

/* How often a job that returns -EAGAIN is run before that becomes its result. */
#define ATTEMPTS_MAX 4

struct job_list {
	struct db_job *head;
	struct db_job **tail;
	size_t count;
};

struct writer {
	const struct db_driver *driver;
	size_t group_limit;
	db_function *before_commit;
	size_t queue_limit;

	pthread_mutex_t mutex; /* guards the members up to stats */
	pthread_cond_t wake;
	struct job_list queue;
	struct db_conn *idle; /* taken in turns: each is used, so that a lost one is noticed */
	struct db_conn **idle_tail;
	size_t busy; /* connections that are lent */
	bool stopping;
	struct db_stats stats;

	size_t thread_count; /* one for each connection */
	pthread_t threads[];
};

/* For the assertion that no job waits for another job. */
static _Thread_local bool on_writer_thread;

static void list_init(struct job_list *list)
{
	*list = (struct job_list){.tail = &list->head};
}

static void list_push(struct job_list *list, struct db_job *job)
{
	job->next = NULL;
	*list->tail = job;
	list->tail = &job->next;
	list->count++;
}

static struct db_job *list_pop(struct job_list *list)
{
	struct db_job *job = list->head;
	if (!job)
		return NULL;
	list->head = job->next;
	if (!list->head)
		list->tail = &list->head;
	list->count--;
	return job;
}

/*
 * Runs one job; if the job fails, undoes that job alone. A job on its own needs no savepoint: its
 * error is returned, and the transaction is rolled back. In a group, an error is returned only if
 * the whole transaction is lost.
 */
static int run_job(struct db_conn *conn, struct db_job *job, bool alone)
{
	if (alone) {
		job->result = db_call(conn, job->function, job->argument);
		return job->result < 0 ? job->result : 0;
	}
	int r = db_control(conn, "SAVEPOINT job", false);
	if (r)
		return r;
	job->result = db_call(conn, job->function, job->argument);
	if (!conn->driver->in_transaction(conn))
		return job->result < 0 ? job->result : -EIO;
	if (job->result < 0)
		r = db_control(conn, "ROLLBACK TO SAVEPOINT job", true);
	return r ? r : db_control(conn, "RELEASE SAVEPOINT job", false);
}

static void set_results(struct job_list *group, int result)
{
	for (struct db_job *job = group->head; job; job = job->next)
		job->result = result;
}

static void count_commit(struct writer *writer, const struct job_list *group)
{
	int64_t committed = 0;
	for (const struct db_job *job = group->head; job; job = job->next)
		committed += job->result >= 0;
	pthread_mutex_lock(&writer->mutex);
	writer->stats.commits++;
	writer->stats.jobs += committed;
	pthread_mutex_unlock(&writer->mutex);
}

static void count_retries(struct writer *writer, size_t count)
{
	pthread_mutex_lock(&writer->mutex);
	writer->stats.retries += (int64_t)count;
	pthread_mutex_unlock(&writer->mutex);
}

/* After a whole time-out: they would only wait for another. */
static void end_retries(struct job_list *group)
{
	for (struct db_job *job = group->head; job; job = job->next)
		job->attempts = ATTEMPTS_MAX;
}

/*
 * Runs the jobs in one transaction and sets their results. False: the store gave up the whole
 * transaction. Nothing is committed, and it is unknown which job caused it.
 */
static bool run_group(struct writer *writer, struct db_conn *conn, struct job_list *group)
{
	bool alone = group->count == 1;
	int r = writer->driver->begin(conn, DB_BEGIN_WRITE);
	if (r) {
		/* The store has already waited for the whole busy time-out. */
		end_retries(group);
		set_results(group, r);
		return true;
	}
	for (struct db_job *job = group->head; job && !r; job = job->next) {
		assert(job->attempts < ATTEMPTS_MAX);
		job->attempts++;
		r = run_job(conn, job, alone);
		if (conn->waited)
			job->attempts = ATTEMPTS_MAX;
	}
	if (r && !alone) {
		writer->driver->rollback(conn);
		return false;
	}
	if (!r && writer->before_commit)
		r = db_call(conn, writer->before_commit, NULL);
	if (!r)
		r = failpoint("before_commit");
	if (!r)
		r = writer->driver->commit(conn);
	if (r) {
		if (conn->waited)
			end_retries(group);
		/* A failed job may have failed because of what an earlier job wrote, which is
		 * undone now. So all jobs get the store's error. */
		writer->driver->rollback(conn);
		set_results(group, r);
		return true;
	}
	count_commit(writer, group);
	r = failpoint("after_commit");
	if (r)
		set_results(group, r);
	return true;
}

/* Runs each job in a transaction of its own, so that an error is surely that job's. */
static void run_singly(struct writer *writer, struct db_conn *conn, struct job_list *group)
{
	struct job_list finished;
	list_init(&finished);
	count_retries(writer, group->count);
	for (struct db_job *job; (job = list_pop(group));) {
		struct job_list single;
		list_init(&single);
		list_push(&single, job);
		job->attempts = 0;
		run_group(writer, conn, &single);
		list_push(&finished, job);
	}
	while (finished.head)
		list_push(group, list_pop(&finished));
}

/* Reports results of jobs that have ended; those that may try again go into *again. Results are
 * reported only after the transaction. */
static void finish(struct writer *writer, struct db_conn *conn, struct job_list *group,
		   struct job_list *again)
{
	assert(!conn->driver->in_transaction(conn));
	for (struct db_job *job; (job = list_pop(group));) {
		if (job->result == -EAGAIN && job->attempts < ATTEMPTS_MAX)
			list_push(again, job);
		else
			job->done(job, job->result);
	}
	if (again->count)
		count_retries(writer, again->count);
}

/* Under the mutex, like take_back() and lend(). */
static void note_idle(struct writer *writer, struct db_conn *conn)
{
	conn->next = NULL;
	*writer->idle_tail = conn;
	writer->idle_tail = &conn->next;
}

static void take_back(struct writer *writer, struct db_conn *conn)
{
	note_idle(writer, conn);
	writer->busy--;
	if (writer->stopping)
		pthread_cond_broadcast(&writer->wake);
}

/* NULL: none is idle. */
static struct db_conn *lend(struct writer *writer)
{
	struct db_conn *conn = writer->idle;
	if (!conn)
		return NULL;
	writer->idle = conn->next;
	if (!writer->idle)
		writer->idle_tail = &writer->idle;
	writer->busy++;
	return conn;
}

/*
 * Gives the last connection back, if any, waits for a first job and a connection, then fills the
 * group from the queue. False: stop. The thread that submitted the first job was often preempted by
 * waking this one: yield once so that it can submit the rest, which then share the commit.
 */
static bool gather(struct writer *writer, struct job_list *group, struct db_conn **conn)
{
	pthread_mutex_lock(&writer->mutex);
	if (*conn)
		take_back(writer, *conn);
	while (writer->queue.count ? !writer->idle : !writer->stopping) {
		pthread_cond_wait(&writer->wake, &writer->mutex);
		pthread_mutex_unlock(&writer->mutex);
		sched_yield();
		pthread_mutex_lock(&writer->mutex);
	}
	*conn = writer->queue.count ? lend(writer) : NULL;
	while (group->count < writer->group_limit && writer->queue.count)
		list_push(group, list_pop(&writer->queue));
	pthread_mutex_unlock(&writer->mutex);
	return *conn;
}

/* The pause is random so that the losers of a race do not meet again. */
static void pause_before(const struct db_driver *driver, unsigned attempts)
{
	int64_t longest = driver->retry_pause << (attempts - 1);
	if (longest)
		nanosleep(
			&(struct timespec){.tv_nsec = (long)random_below((uint64_t)longest) * 1000},
			NULL);
}

/* Leaves in the group the jobs that are to run again. */
static void run(struct writer *writer, struct db_conn *conn, struct job_list *group)
{
	struct job_list again;
	list_init(&again);
	if (!run_group(writer, conn, group))
		run_singly(writer, conn, group);
	finish(writer, conn, group, &again);
	if (again.count)
		pause_before(writer->driver, again.head->attempts);
	while (again.head)
		list_push(group, list_pop(&again));
	if (writer->driver->maintain)
		writer->driver->maintain(conn);
}

static void *writer_main(void *argument)
{
	struct writer *writer = argument;
	struct db_conn *conn = NULL;
	struct job_list group;
	on_writer_thread = true;
	list_init(&group);
	while (gather(writer, &group, &conn)) {
		while (group.count)
			run(writer, conn, &group);
	}
	return NULL;
}

/* Ends and joins the threads; the connections stay. */
static void end_threads(struct writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	writer->stopping = true;
	pthread_cond_broadcast(&writer->wake);
	pthread_mutex_unlock(&writer->mutex);
	for (size_t i = 0; i < writer->thread_count; i++)
		pthread_join(writer->threads[i], NULL);
}

static void writer_free(struct writer *writer)
{
	pthread_cond_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->mutex);
	free(writer);
}

int writer_add(struct writer *writer, struct db_conn *conn)
{
	assert(writer->thread_count < writer->driver->writers);
	int r = thread_start(&writer->threads[writer->thread_count], NULL, writer_main, writer);
	if (r)
		return r;
	writer->thread_count++;
	pthread_mutex_lock(&writer->mutex);
	note_idle(writer, conn);
	pthread_cond_signal(&writer->wake);
	pthread_mutex_unlock(&writer->mutex);
	return 0;
}

int writer_start(const struct db_driver *driver, struct db_conn *const *conns, size_t count,
		 const struct db_options *options, struct writer **ret_writer)
{
	struct writer *writer =
		calloc(1, sizeof(*writer) + driver->writers * sizeof(writer->threads[0]));
	if (!writer)
		return -ENOMEM;
	writer->driver = driver;
	writer->group_limit = options->single_commit ? 1 : driver->group_limit;
	writer->before_commit = options->before_commit;
	writer->queue_limit = options->queue_limit;
	list_init(&writer->queue);
	writer->idle_tail = &writer->idle;
	pthread_mutex_init(&writer->mutex, NULL);
	pthread_cond_init(&writer->wake, NULL);

	int r = 0;
	while (!r && writer->thread_count < count)
		r = writer_add(writer, conns[writer->thread_count]);
	if (r) {
		end_threads(writer);
		writer_free(writer);
		return r;
	}
	*ret_writer = writer;
	return 0;
}

void writer_stop(struct writer *writer)
{
	if (!writer)
		return;
	end_threads(writer);
	pthread_mutex_lock(&writer->mutex);
	while (writer->busy)
		pthread_cond_wait(&writer->wake, &writer->mutex);
	pthread_mutex_unlock(&writer->mutex);
	for (struct db_conn *conn; (conn = lend(writer));)
		writer->driver->close(conn);
	writer_free(writer);
}

int writer_submit(struct writer *writer, struct db_job *job)
{
	int r = 0;
	assert(job->function && job->done);
	job->attempts = 0;
	pthread_mutex_lock(&writer->mutex);
	if (writer->stopping)
		r = -ECANCELED;
	else if (writer->queue.count >= writer->queue_limit)
		r = -EAGAIN;
	else
		list_push(&writer->queue, job);
	pthread_mutex_unlock(&writer->mutex);
	if (!r)
		pthread_cond_signal(&writer->wake);
	return r;
}

/* A semaphore: with a condition variable the woken thread would wait again, for the mutex. */
struct waiter {
	struct db_job job;
	sem_t finished;
};

/* The waiter, which reads the job's result, may no longer exist afterwards. */
static void wake_waiter(struct db_job *job, UNUSED int result)
{
	sem_post(&container_of(job, struct waiter, job)->finished);
}

/* An idle connection for the caller itself, where transactions run side by side and nobody waits
 * for one. */
static struct db_conn *lend_to_caller(struct writer *writer)
{
	struct db_conn *conn = NULL;
	if (writer->driver->writers == 1)
		return NULL;
	pthread_mutex_lock(&writer->mutex);
	if (!writer->stopping && !writer->queue.count)
		conn = lend(writer);
	pthread_mutex_unlock(&writer->mutex);
	return conn;
}

static void wake_nobody(UNUSED struct db_job *job, UNUSED int result)
{
}

static int run_here(struct writer *writer, struct db_conn *conn, db_function *function,
		    void *argument)
{
	struct db_job job = {.function = function, .done = wake_nobody, .argument = argument};
	struct job_list group;
	list_init(&group);
	list_push(&group, &job);
	on_writer_thread = true;
	while (group.count)
		run(writer, conn, &group);
	on_writer_thread = false;
	pthread_mutex_lock(&writer->mutex);
	take_back(writer, conn);
	if (writer->queue.count)
		pthread_cond_signal(&writer->wake);
	pthread_mutex_unlock(&writer->mutex);
	return job.result;
}

int writer_run(struct writer *writer, db_function *function, void *argument)
{
	assert(!on_writer_thread);
	/* Two switches of threads are spared. */
	struct db_conn *conn = lend_to_caller(writer);
	if (conn)
		return run_here(writer, conn, function, argument);
	struct waiter waiter = {
		.job = {.function = function, .done = wake_waiter, .argument = argument},
	};
	sem_init(&waiter.finished, 0, 0);
	int r = writer_submit(writer, &waiter.job);
	if (!r) {
		while (sem_wait(&waiter.finished) < 0)
			; /* a signal */
		r = waiter.job.result;
	}
	sem_destroy(&waiter.finished);
	return r;
}

void writer_stats(struct writer *writer, struct db_stats *ret_stats)
{
	pthread_mutex_lock(&writer->mutex);
	ret_stats->commits = writer->stats.commits;
	ret_stats->jobs = writer->stats.jobs;
	ret_stats->retries = writer->stats.retries;
	ret_stats->waiting = (int64_t)writer->queue.count;
	pthread_mutex_unlock(&writer->mutex);
}
