#include "upstream/address.h"

#include <netdb.h>

#include "base/clock.h"
#include "base/wait.h"

#define FRESH_FOR    (10 * CLOCK_SECOND)
#define LOOKUP_STACK (256u << 10)
#define DEFAULT_PORT "80"

struct address {
	char *host;
	char port[6];
	char *authority;
	char *prefix;
	bool numeric; /* found for good */

	pthread_mutex_t lock; /* for everything below */
	pthread_cond_t looked_up;
	unsigned owners; /* one, and a second while a lookup runs: it may outlive the first */
	bool looking_up;
	int error; /* of the last lookup */
	int64_t looked_up_at;
	struct addresses found;
};

static void release(struct address *address)
{
	free(address->host);
	free(address->authority);
	free(address->prefix);
	pthread_cond_destroy(&address->looked_up);
	pthread_mutex_destroy(&address->lock);
	free(address);
}

/* Ends one ownership; called with the lock held. */
static void leave(struct address *address)
{
	bool last = --address->owners == 0;

	pthread_mutex_unlock(&address->lock);
	if (last)
		release(address);
}

void address_free(struct address *address)
{
	if (!address)
		return;
	pthread_mutex_lock(&address->lock);
	leave(address);
}

const char *address_authority(const struct address *address)
{
	return address->authority;
}

const char *address_prefix(const struct address *address)
{
	return address->prefix;
}

static int resolve(const struct address *address, int flags, struct addresses *ret_addresses)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
	struct addresses found = {.count = 0};
	struct addrinfo *list = NULL;
	int code = getaddrinfo(address->host, address->port, &hints, &list);

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
	struct address *address = argument;
	struct addresses found;
	int error = resolve(address, 0, &found);

	pthread_mutex_lock(&address->lock);
	if (!error)
		address->found = found;
	address->error = error;
	address->looked_up_at = clock_monotonic();
	address->looking_up = false;
	pthread_cond_broadcast(&address->looked_up);
	leave(address);
	return NULL;
}

/* Called with the lock held. */
static int start_lookup(struct address *address)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, LOOKUP_STACK);
	int error = pthread_create(&thread, &attributes, look_up, address);

	pthread_attr_destroy(&attributes);
	if (error)
		return -ENOMEM;
	address->looking_up = true;
	address->owners++;
	return 0;
}

/* Waits for the first result; called with the lock held. */
static int wait_for_lookup(struct address *address, int64_t deadline)
{
	while (address->looking_up && !address->found.count &&
	       wait_until(&address->looked_up, &address->lock, deadline))
		;
	if (address->found.count)
		return 0;
	return address->looking_up ? -ETIMEDOUT : address->error;
}

int address_find(struct address *address, int64_t deadline, struct addresses *ret_addresses)
{
	int error = 0;

	pthread_mutex_lock(&address->lock);
	bool old = !address->found.count || clock_monotonic() - address->looked_up_at > FRESH_FOR;

	if (!address->numeric && old && !address->looking_up)
		error = start_lookup(address);
	if (!address->found.count && !error)
		error = wait_for_lookup(address, deadline);
	if (address->found.count) {
		*ret_addresses = address->found;
		error = 0;
	}
	pthread_mutex_unlock(&address->lock);
	return error;
}

/* host, or [IPv6 address], then [":" port] [path]. */
static int set_parts(struct address *address, const char *url)
{
	static const char scheme[] = "http://";

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return -EINVAL;

	const char *authority = url + sizeof(scheme) - 1;
	const char *path = authority + strcspn(authority, "/");
	bool bracketed = *authority == '[';
	const char *host = authority + bracketed;
	size_t host_length = strcspn(host, bracketed ? "]" : ":/");
	const char *port = host + host_length + (bracketed && host[host_length]);
	size_t port_length = *port == ':' ? (size_t)(path - port) - 1 : 0;

	if (host_length == 0 || path - authority > ADDRESS_AUTHORITY_MAX ||
	    port_length >= sizeof(address->port))
		return -EINVAL;
	address->host = strndup(host, host_length);
	address->authority = strndup(authority, (size_t)(path - authority));
	address->prefix = strdup(path);
	snprintf(address->port, sizeof(address->port), "%.*s",
		 port_length ? (int)port_length : (int)sizeof(DEFAULT_PORT) - 1,
		 port_length ? port + 1 : DEFAULT_PORT);
	return address->host && address->authority && address->prefix ? 0 : -ENOMEM;
}

int address_create(const char *base_url, struct address **ret_address)
{
	struct address *address = calloc(1, sizeof(*address));

	if (!address)
		return -ENOMEM;
	address->owners = 1;
	pthread_mutex_init(&address->lock, NULL);
	wait_init(&address->looked_up);

	int error = set_parts(address, base_url);

	if (error) {
		release(address);
		return error;
	}
	address->numeric = resolve(address, AI_NUMERICHOST, &address->found) == 0;
	*ret_address = address;
	return 0;
}
