#include "upstream/address.h"

#include <sys/un.h>

#include "base/clock.h"

#define FRESH_FOR    (10 * CLOCK_SECOND)
#define DEFAULT_PORT "80"
#define PORT_SIZE    6

struct address {
	struct host *host;       /* NULL: a Unix socket */
	struct addresses socket; /* that one */
	char *authority;
	char *prefix;
};

void address_free(struct address *address)
{
	if (!address)
		return;
	host_free(address->host);
	free(address->authority);
	free(address->prefix);
	free(address);
}

const char *address_authority(const struct address *address)
{
	return address->authority;
}

const char *address_prefix(const struct address *address)
{
	return address->prefix;
}

int address_find(struct address *address, int64_t deadline, struct addresses *ret_addresses)
{
	if (address->host)
		return host_find(address->host, deadline, ret_addresses);
	*ret_addresses = address->socket;
	return 0;
}

static int set_socket(struct address *address, const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	if (!*path || strlen(path) >= sizeof(name.sun_path))
		return -EINVAL;
	memcpy(name.sun_path, path, strlen(path));
	memcpy(&address->socket.list[0], &name, sizeof(name));
	address->socket.lengths[0] = sizeof(name);
	address->socket.count = 1;
	address->authority = strdup("localhost");
	address->prefix = strdup("");
	return address->authority && address->prefix ? 0 : -ENOMEM;
}

/* host, or [IPv6 address], then [":" port] [path]. */
static int set_parts(struct address *address, const char *url)
{
	static const char scheme[] = "http://";
	static const char socket_scheme[] = "unix:";

	if (strncmp(url, socket_scheme, sizeof(socket_scheme) - 1) == 0)
		return set_socket(address, url + sizeof(socket_scheme) - 1);
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
	    port_length >= PORT_SIZE)
		return -EINVAL;

	char name[ADDRESS_AUTHORITY_MAX + 1];
	char number[PORT_SIZE];

	snprintf(name, sizeof(name), "%.*s", (int)host_length, host);
	snprintf(number, sizeof(number), "%.*s",
		 port_length ? (int)port_length : (int)sizeof(DEFAULT_PORT) - 1,
		 port_length ? port + 1 : DEFAULT_PORT);
	address->authority = strndup(authority, (size_t)(path - authority));
	address->prefix = strdup(path);
	if (!address->authority || !address->prefix)
		return -ENOMEM;
	return host_create(name, number, FRESH_FOR, &address->host);
}

int address_create(const char *base_url, struct address **ret_address)
{
	struct address *address = calloc(1, sizeof(*address));

	if (!address)
		return -ENOMEM;

	int r = set_parts(address, base_url);

	if (r) {
		address_free(address);
		return r;
	}
	*ret_address = address;
	return 0;
}
