#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
		 void *argument)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(ret_thread, attributes, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? -ENOMEM : 0;
}
