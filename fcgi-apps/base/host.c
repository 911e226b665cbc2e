#include "base/host.h"

#include <netdb.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/wait.h"

#define LOOKUP_STACK (256u << 10)

struct host {
	char *name;
	char *port;
	int64_t fresh_for;
	bool numeric; /* an address: never looked up again */

	pthread_mutex_t lock; /* guards the members below */
	pthread_cond_t looked_up;
	unsigned owners; /* the user, and a running lookup, which may outlive the user */
	bool looking_up;
	int error; /* of the last lookup */
	int64_t looked_up_at;
	struct addresses found;
};

static void release(struct host *host)
{
	free(host->name);
	free(host->port);
	pthread_cond_destroy(&host->looked_up);
	pthread_mutex_destroy(&host->lock);
	free(host);
}

/* Gives up one ownership. The lock is held. */
static void leave(struct host *host)
{
	bool last = --host->owners == 0;

	pthread_mutex_unlock(&host->lock);
	if (last)
		release(host);
}

void host_free(struct host *host)
{
	if (!host)
		return;
	pthread_mutex_lock(&host->lock);
	leave(host);
}

static int resolve(const struct host *host, int flags, struct addresses *ret_addresses)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
	struct addresses found = {.count = 0};
	struct addrinfo *list = NULL;
	int code = getaddrinfo(host->name, host->port, &hints, &list);

	if (code)
		return code == EAI_MEMORY ? -ENOMEM : -EHOSTDOWN;
	for (struct addrinfo *i = list; i && found.count < ADDRESSES_MAX; i = i->ai_next) {
		if (i->ai_addrlen > sizeof(found.list[0]))
			continue;
		memcpy(&found.list[found.count], i->ai_addr, i->ai_addrlen);
		found.lengths[found.count++] = i->ai_addrlen;
	}
	freeaddrinfo(list);
	if (found.count == 0)
		return -EHOSTDOWN;
	*ret_addresses = found;
	return 0;
}

static void *look_up(void *argument)
{
	struct host *host = argument;
	struct addresses found;
	int r = resolve(host, 0, &found);

	pthread_mutex_lock(&host->lock);
	if (!r)
		host->found = found;
	host->error = r;
	host->looked_up_at = clock_monotonic();
	host->looking_up = false;
	pthread_cond_broadcast(&host->looked_up);
	leave(host);
	return NULL;
}

/* The lock is held. */
static int start_lookup(struct host *host)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, LOOKUP_STACK);
	int r = thread_start(&thread, &attributes, look_up, host);

	pthread_attr_destroy(&attributes);
	if (r)
		return r;
	host->looking_up = true;
	host->owners++;
	return 0;
}

/* Waits for the first result. The lock is held. */
static int wait_for_lookup(struct host *host, int64_t deadline)
{
	while (host->looking_up && !host->found.count &&
	       wait_until(&host->looked_up, &host->lock, deadline))
		;
	if (host->found.count)
		return 0;
	return host->looking_up ? -ETIMEDOUT : host->error;
}

int host_find(struct host *host, int64_t deadline, struct addresses *ret_addresses)
{
	int r = 0;

	pthread_mutex_lock(&host->lock);
	bool old = !host->found.count || clock_monotonic() - host->looked_up_at > host->fresh_for;

	if (!host->numeric && old && !host->looking_up)
		r = start_lookup(host);
	if (!host->found.count && !r)
		r = wait_for_lookup(host, deadline);
	if (host->found.count) {
		*ret_addresses = host->found;
		r = 0;
	}
	pthread_mutex_unlock(&host->lock);
	return r;
}

int host_create(const char *name, const char *port, int64_t fresh_for, struct host **ret_host)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return -ENOMEM;
	host->owners = 1;
	host->fresh_for = fresh_for;
	pthread_mutex_init(&host->lock, NULL);
	wait_init(&host->looked_up);
	host->name = strdup(name);
	host->port = strdup(port);
	if (!host->name || !host->port) {
		release(host);
		return -ENOMEM;
	}
	host->numeric = resolve(host, AI_NUMERICHOST, &host->found) == 0;
	*ret_host = host;
	return 0;
}
