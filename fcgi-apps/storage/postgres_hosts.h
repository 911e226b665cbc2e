/*
 * The hosts of a PostgreSQL URL, looked up without libpq, whose PQconnect* waits for the system's
 * resolver however long that takes. libpq is given addresses beside the names, which it checks
 * certificates and finds passwords by ("hostaddr" in PostgreSQL 15, section 34.1.2). Thread-safe.
 */
#ifndef STORAGE_POSTGRES_HOSTS_H
#define STORAGE_POSTGRES_HOSTS_H

#include "base/base.h"

#define POSTGRES_HOSTS_MAX 8

struct postgres_hosts;

/* Values of libpq's parameters of these names. A host with several addresses is there several
 * times.
 */
struct postgres_addresses {
	char host[2048];
	char hostaddr[2048];
	char port[512];
};

/*
 * names and ports: libpq's parameters, lists with commas. NULL is returned in *ret_hosts where
 * nothing is to be looked up, or where libpq is to say what is wrong with them. -ENOMEM.
 */
int postgres_hosts_create(const char *names, const char *ports, struct postgres_hosts **ret_hosts);
void postgres_hosts_free(struct postgres_hosts *hosts);

/* As they were given, for messages. */
const char *postgres_hosts_names(const struct postgres_hosts *hosts);

/* Those of which an address is known. For names of which none is, it waits until the deadline
 * (clock_monotonic()), or not at all (0). -EHOSTDOWN: nothing is known; -ENOMEM. */
int postgres_hosts_find(struct postgres_hosts *hosts, int64_t deadline,
			struct postgres_addresses *ret_addresses);

#endif
