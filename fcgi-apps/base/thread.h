/* Threads that take no signals: those are for the threads of the program. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/base.h"

/* As pthread_create(3); attributes may be NULL. -ENOMEM. */
int thread_start(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
		 void *argument);

#endif
