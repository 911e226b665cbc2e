/*
 * What recording its metrics costs the responder: exchange_answer() reads the clock and calls
 * metrics_count() once a request, and so does this, in as many threads as asked for, all on one
 * operation. Between two recordings lies work that takes less time than any request does, so that
 * the threads meet in the counters more often than requests do, but not all the time. The same
 * without recording is subtracted.
 *
 * Usage: metrics_cost THREADS. Ends with one line of JSON: processor time of a
 * request.
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "product/service.h"
#include "responder/metrics.h"

#define REQUESTS    300000 /* a thread */
#define WORK        1000   /* steps between two recordings, about 2 µs */
#define THREADS_MAX 64
#define OPERATION   "getProduct"
/* Durations pretended: from 64 µs to 575 µs, as GET one's are between 1 and 32 connections. */
#define FASTEST 64
#define SPREAD  511

static struct metrics *metrics;
static const struct operation *operation;

static _Thread_local volatile uint32_t worked;

static void work(void)
{
	uint32_t value = worked;

	for (int i = 0; i < WORK; i++)
		value = value * 1664525 + 1013904223;
	worked = value;
}

static void *only_work(void *unused)
{
	for (int i = 0; i < REQUESTS; i++)
		work();
	return unused;
}

static void *work_and_record(void *unused)
{
	int64_t last = clock_monotonic();

	for (int i = 0; i < REQUESTS; i++) {
		work();
		int64_t now = clock_monotonic();
		metrics_count(metrics, operation, 200, now - last + FASTEST + (i & SPREAD));
		last = now;
	}
	return unused;
}

static double processor_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Processor time of all threads for one turn, nanoseconds. */
static double measure(long count, void *(*function)(void *))
{
	pthread_t threads[THREADS_MAX];
	double before = processor_seconds();

	for (long i = 0; i < count; i++) {
		errno = pthread_create(&threads[i], NULL, function, NULL);
		if (errno != 0)
			err(1, "pthread_create");
	}
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return (processor_seconds() - before) * 1e9 / (double)(count * REQUESTS);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: metrics_cost THREADS");
	long count = strtol(argv[1], NULL, 10);
	if (count < 1 || count > THREADS_MAX)
		errx(2, "THREADS: 1 to %d", THREADS_MAX);
	operation = contract_find(product_service.contract, OPERATION);
	if (!operation)
		errx(1, "no operation %s", OPERATION);
	if (metrics_create(product_service.contract, &metrics) < 0)
		errx(1, "out of memory");

	measure(count, only_work); /* wakes the processor up */
	double without = measure(count, only_work);
	printf("{\"ns\":%.2f}\n", measure(count, work_and_record) - without);
	metrics_free(metrics);
	return 0;
}
