/* responder/thread_pool: what runs, what waits and what is refused. */
#include <pthread.h>

#include "base/log.h"
#include "responder/thread_pool.h"
#include "unit.h"

#define THREADS 2
#define WAITING 3

static struct thread_pool *pool;
static struct pool_work works[THREADS + WAITING + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int begun, done;
static bool may_end;

static void run(void *argument)
{
	ck_assert_ptr_eq(((struct pool_work *)argument)->argument, argument);
	pthread_mutex_lock(&lock);
	begun++;
	pthread_cond_broadcast(&change);
	while (!may_end)
		pthread_cond_wait(&change, &lock);
	done++;
	pthread_mutex_unlock(&lock);
}

static void create(void)
{
	log_start("test", LOG_ERROR);
	ck_assert_int_eq(thread_pool_create(THREADS, WAITING, 0, &pool), 0);
}

static int submit(size_t index)
{
	works[index] = (struct pool_work){.run = run, .argument = &works[index]};
	return thread_pool_submit(pool, &works[index]);
}

/* Until so many run at once. */
static void wait_for_begun(int count)
{
	pthread_mutex_lock(&lock);
	while (begun < count)
		pthread_cond_wait(&change, &lock);
	pthread_mutex_unlock(&lock);
}

static void let_end(void)
{
	pthread_mutex_lock(&lock);
	may_end = true;
	pthread_cond_broadcast(&change);
	pthread_mutex_unlock(&lock);
}

static void fill(void)
{
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(submit(i), 0);
	wait_for_begun(THREADS);
	for (size_t i = THREADS; i < THREADS + WAITING; i++)
		ck_assert_int_eq(submit(i), 0);
}

START_TEST(a_full_queue_refuses)
{
	struct thread_pool_stats stats;
	fill();
	ck_assert_int_eq(submit(THREADS + WAITING), -EAGAIN);
	thread_pool_stats(pool, &stats);
	ck_assert_int_eq(stats.waiting, WAITING);
	ck_assert_int_eq(stats.refused, 1);
	let_end();
	thread_pool_free(pool);
}
END_TEST

START_TEST(what_waits_still_runs_when_the_pool_ends)
{
	fill();
	let_end();
	thread_pool_free(pool);
	ck_assert_int_eq(done, THREADS + WAITING);
}
END_TEST

START_TEST(without_work_there_are_no_threads_to_end)
{
	thread_pool_free(pool);
	thread_pool_free(NULL);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("thread_pool");
	tcase_add_checked_fixture(tcase, create, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_full_queue_refuses);
	tcase_add_test(tcase, what_waits_still_runs_when_the_pool_ends);
	tcase_add_test(tcase, without_work_there_are_no_threads_to_end);
	return unit_run(tcase, "thread_pool");
}
