#include "storage/postgres_hosts.h"

#include <netdb.h>

#include "base/clock.h"
#include "base/host.h"
#include "base/text.h"

/* If a name gets a new address, the second attempt to connect uses it. */
#define FRESH_FOR CLOCK_SECOND

#define DEFAULT_PORT "5432"

struct postgres_hosts {
	char *names;
	size_t count;
	struct entry {
		char *name;
		char *port;
		struct host *host; /* NULL: a folder with a Unix socket */
	} list[POSTGRES_HOSTS_MAX];
};

static size_t length_of_list(const char *list)
{
	size_t count = 1;
	for (; *list; list++)
		count += *list == ',';
	return count;
}

/* A copy of that part of the list. */
static char *part_of(const char *list, size_t number)
{
	while (number--)
		list = strchr(list, ',') + 1;
	return strndup(list, strcspn(list, ","));
}

/* Empty means libpq's default, a folder. */
static bool is_folder(const char *name)
{
	return !*name || *name == '/' || *name == '@';
}

static int add(struct postgres_hosts *hosts, char *name, char *port)
{
	struct entry *entry = &hosts->list[hosts->count++];
	*entry = (struct entry){.name = name, .port = port};
	if (!name || !port)
		return -ENOMEM;
	if (is_folder(name))
		return 0;
	return host_create(name, *port ? port : DEFAULT_PORT, FRESH_FOR, &entry->host);
}

static bool has_names(const struct postgres_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->list[i].host)
			return true;
	return false;
}

int postgres_hosts_create(const char *names, const char *ports, struct postgres_hosts **ret_hosts)
{
	size_t count = length_of_list(names), port_count = length_of_list(ports);
	*ret_hosts = NULL;
	if (count > POSTGRES_HOSTS_MAX || (port_count != 1 && port_count != count) ||
	    strspn(ports, "0123456789,") != strlen(ports))
		return 0;
	struct postgres_hosts *hosts = calloc(1, sizeof(*hosts));
	if (!hosts)
		return -ENOMEM;
	hosts->names = strdup(names);
	int r = hosts->names ? 0 : -ENOMEM;
	for (size_t i = 0; !r && i < count; i++)
		r = add(hosts, part_of(names, i), part_of(ports, port_count == 1 ? 0 : i));
	if (r || !has_names(hosts)) {
		postgres_hosts_free(hosts);
		return r;
	}
	*ret_hosts = hosts;
	return 0;
}

void postgres_hosts_free(struct postgres_hosts *hosts)
{
	if (!hosts)
		return;
	for (size_t i = 0; i < hosts->count; i++) {
		free(hosts->list[i].name);
		free(hosts->list[i].port);
		host_free(hosts->list[i].host);
	}
	free(hosts->names);
	free(hosts);
}

const char *postgres_hosts_names(const struct postgres_hosts *hosts)
{
	return hosts->names;
}

struct lists {
	struct text host, hostaddr, port;
	size_t count;
};

static void append(struct lists *lists, const struct entry *entry, const char *address)
{
	const char *comma = lists->count++ ? "," : "";
	text_printf(&lists->host, "%s%s", comma, entry->name);
	text_printf(&lists->hostaddr, "%s%s", comma, address);
	text_printf(&lists->port, "%s%s", comma, entry->port);
}

static void append_all(struct lists *lists, const struct entry *entry,
		       const struct addresses *addresses)
{
	char address[NI_MAXHOST];
	for (size_t i = 0; i < addresses->count; i++)
		if (getnameinfo((const struct sockaddr *)&addresses->list[i], addresses->lengths[i],
				address, sizeof(address), NULL, 0, NI_NUMERICHOST) == 0)
			append(lists, entry, address);
}

int postgres_hosts_find(struct postgres_hosts *hosts, int64_t deadline,
			struct postgres_addresses *ret_addresses)
{
	struct lists lists = {.count = 0};
	text_init_fixed(&lists.host, ret_addresses->host, sizeof(ret_addresses->host));
	text_init_fixed(&lists.hostaddr, ret_addresses->hostaddr, sizeof(ret_addresses->hostaddr));
	text_init_fixed(&lists.port, ret_addresses->port, sizeof(ret_addresses->port));
	for (size_t i = 0; i < hosts->count; i++) {
		const struct entry *entry = &hosts->list[i];
		struct addresses addresses;
		if (!entry->host)
			append(&lists, entry, "");
		else if (host_find(entry->host, deadline, &addresses) == 0)
			append_all(&lists, entry, &addresses);
	}
	if (text_error(&lists.host) || text_error(&lists.hostaddr) || text_error(&lists.port))
		return -ENOMEM;
	return lists.count ? 0 : -EHOSTDOWN;
}
