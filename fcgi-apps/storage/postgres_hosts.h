/*
 * Looks up the hosts of a PostgreSQL URL without libpq, whose PQconnect* waits for the system's
 * resolver without limit. libpq gets addresses besides the names, by which it checks certificates
 * and finds passwords ("hostaddr" in PostgreSQL 15, section 34.1.2). Thread-safe.
 */
#ifndef STORAGE_POSTGRES_HOSTS_H
#define STORAGE_POSTGRES_HOSTS_H

#include "base/base.h"

#define POSTGRES_HOSTS_MAX 8

struct postgres_hosts;

/* Values of libpq's parameters of these names. A host with several addresses occurs several times.
 */
struct postgres_addresses {
	char host[2048];
	char hostaddr[2048];
	char port[512];
};

/*
 * names and ports: libpq's parameters, lists with commas. *ret_hosts is NULL if there is nothing to
 * look up, or if libpq should report what is wrong with the lists. -ENOMEM.
 */
int postgres_hosts_create(const char *names, const char *ports, struct postgres_hosts **ret_hosts);
void postgres_hosts_free(struct postgres_hosts *hosts);

/* As they were given, for messages. */
const char *postgres_hosts_names(const struct postgres_hosts *hosts);

/* The hosts with a known address. For names without one, waits until the deadline
 * (clock_monotonic()), or not at all (0). -EHOSTDOWN: no address is known; -ENOMEM. */
int postgres_hosts_find(struct postgres_hosts *hosts, int64_t deadline,
			struct postgres_addresses *ret_addresses);

#endif
