/* The hosts of a PostgreSQL URL are looked up in another thread, whatever the resolver does. This
 * file has its own resolver. */
#include "storage/postgres_hosts.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "unit.h"

#define LONG (20 * CLOCK_SECOND)

static atomic_int lookups;
static atomic_uint moved_to = 1;
static atomic_bool hangs;

/* "three.test" has three addresses, "moves.test" has one that changes, other names have none. */
int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	static const struct addrinfo none;
	unsigned first = strcmp(name, "moves.test") == 0 ? moved_to : 1;
	unsigned count = strcmp(name, "three.test") == 0   ? 3
			 : strcmp(name, "moves.test") == 0 ? 1
							   : 0;
	if (hints->ai_flags & AI_NUMERICHOST) {
		count = strncmp(name, "10.0.0.", 7) == 0;
		first = count ? (unsigned)strtoul(name + 7, NULL, 10) : 0;
	} else {
		lookups++;
		while (hangs)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	*ret_list = NULL;
	for (unsigned i = count; i > 0; i--) {
		struct addrinfo *entry = malloc(sizeof(*entry) + sizeof(struct sockaddr_in));
		struct sockaddr_in *address = (struct sockaddr_in *)(entry + 1);
		*address =
			(struct sockaddr_in){.sin_family = AF_INET,
					     .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
					     .sin_addr.s_addr = htonl(0x0a000000 + first + i - 1)};
		*entry = none;
		entry->ai_addr = (struct sockaddr *)address;
		entry->ai_addrlen = sizeof(*address);
		entry->ai_next = *ret_list;
		*ret_list = entry;
	}
	return count ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;
		free(list);
		list = next;
	}
}

static struct postgres_hosts *make(const char *names, const char *ports)
{
	struct postgres_hosts *hosts = NULL;
	ck_assert_int_eq(postgres_hosts_create(names, ports, &hosts), 0);
	return hosts;
}

static const struct {
	const char *names, *ports;
	const char *host, *hostaddr, *port; /* host NULL: nothing to look up */
} urls[] = {
	{"three.test", "", "three.test,three.test,three.test", "10.0.0.1,10.0.0.2,10.0.0.3", ",,"},
	{"moves.test", "7", "moves.test", "10.0.0.1", "7"},
	{"moves.test,/run,10.0.0.9", "1,2,3", "moves.test,/run,10.0.0.9", "10.0.0.1,,10.0.0.9",
	 "1,2,3"},
	{"unknown.test,moves.test", "5", "moves.test", "10.0.0.1", "5"},
	{"moves.test,", "5", "moves.test,", "10.0.0.1,", "5,5"},
	{"", "", NULL, NULL, NULL},
	{"/run", "5433", NULL, NULL, NULL},
	{"a.test,b.test", "1,2,3", NULL, NULL, NULL}, /* libpq says what is wrong */
	{"a.test", "http", NULL, NULL, NULL},
	{"a,b,c,d,e,f,g,h,i", "", NULL, NULL, NULL},
};

START_TEST(libpq_gets_addresses_beside_the_names)
{
	struct postgres_addresses found;
	struct postgres_hosts *hosts = make(urls[_i].names, urls[_i].ports);
	ck_assert_int_eq(hosts != NULL, urls[_i].host != NULL);
	if (!hosts)
		return;
	ck_assert_int_eq(postgres_hosts_find(hosts, clock_monotonic() + LONG, &found), 0);
	ck_assert_str_eq(found.host, urls[_i].host);
	ck_assert_str_eq(found.hostaddr, urls[_i].hostaddr);
	ck_assert_str_eq(found.port, urls[_i].port);
	postgres_hosts_free(hosts);
}
END_TEST

START_TEST(an_unknown_name_is_down)
{
	struct postgres_addresses found;
	struct postgres_hosts *hosts = make("unknown.test", "");
	ck_assert_int_eq(postgres_hosts_find(hosts, clock_monotonic() + LONG, &found), -EHOSTDOWN);
	postgres_hosts_free(hosts);
}
END_TEST

START_TEST(a_resolver_that_hangs_is_not_waited_for)
{
	struct postgres_addresses found;
	struct postgres_hosts *hosts = make("moves.test", "");
	hangs = true;
	/* Nothing is known: waits until the deadline. */
	ck_assert_int_eq(postgres_hosts_find(hosts, clock_monotonic() + 10000, &found), -EHOSTDOWN);
	hangs = false;
	ck_assert_int_eq(postgres_hosts_find(hosts, clock_monotonic() + LONG, &found), 0);
	ck_assert_str_eq(found.hostaddr, "10.0.0.1");
	/* A known address is returned at once, and one thread looks for newer ones. */
	nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 100000000}, NULL);
	hangs = true;
	moved_to = 2;
	lookups = 0;
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(postgres_hosts_find(hosts, clock_monotonic() + LONG, &found), 0);
		ck_assert_str_eq(found.hostaddr, "10.0.0.1");
	}
	hangs = false;
	while (strcmp(found.hostaddr, "10.0.0.2") != 0)
		ck_assert_int_eq(postgres_hosts_find(hosts, clock_monotonic() + LONG, &found), 0);
	ck_assert_int_eq(lookups, 1);
	postgres_hosts_free(hosts);
}
END_TEST

int main(void)
{
	TCase *hosts = tcase_create("hosts");
	tcase_add_loop_test(hosts, libpq_gets_addresses_beside_the_names, 0, ARRAY_SIZE(urls));
	tcase_add_test(hosts, an_unknown_name_is_down);
	tcase_add_test(hosts, a_resolver_that_hangs_is_not_waited_for);
	return unit_run(hosts, "postgres_hosts");
}
