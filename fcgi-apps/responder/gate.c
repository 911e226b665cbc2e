#include "responder/gate.h"

#include <assert.h>
#include <pthread.h>

#define LIMIT   64
#define REOPENS 32

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t open;
	size_t count; /* exchanges that are waiting for their commit */
	bool shut;
};

int gate_create(struct gate **ret_gate)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	if (!gate)
		return -ENOMEM;
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->open, NULL);
	*ret_gate = gate;
	return 0;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	pthread_cond_destroy(&gate->open);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

void gate_enter(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->count++;
	pthread_mutex_unlock(&gate->lock);
}

void gate_leave(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	assert(gate->count > 0);
	/* Not as soon as the count is below the limit: threads would wake for one request each. */
	if (--gate->count == REOPENS && gate->shut) {
		gate->shut = false;
		pthread_cond_broadcast(&gate->open);
	}
	pthread_mutex_unlock(&gate->lock);
}

void gate_wait(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	if (gate->count >= LIMIT)
		gate->shut = true;
	while (gate->shut)
		pthread_cond_wait(&gate->open, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}
