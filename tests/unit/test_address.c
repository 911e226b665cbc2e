#include "upstream/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/clock.h"
#include "unit.h"

static const struct {
	const char *url;
	const char *authority; /* NULL: refused */
	const char *prefix;
	const char *ip;
	unsigned port;
} urls[] = {
	{"http://127.0.0.1:9001", "127.0.0.1:9001", "", "127.0.0.1", 9001},
	{"http://127.0.0.1", "127.0.0.1", "", "127.0.0.1", 80},
	{"http://10.1.2.3:65535/a/b", "10.1.2.3:65535", "/a/b", "10.1.2.3", 65535},
	{"http://127.0.0.1/x:y", "127.0.0.1", "/x:y", "127.0.0.1", 80},
	{"http://[::1]:8080", "[::1]:8080", "", "::1", 8080},
	{"http://[::1]/p", "[::1]", "/p", "::1", 80},
	{"unix:", NULL, NULL, NULL, 0},
	{"https://127.0.0.1", NULL, NULL, NULL, 0},
	{"http://", NULL, NULL, NULL, 0},
	{"http://:80", NULL, NULL, NULL, 0},
	{"http://127.0.0.1:123456", NULL, NULL, NULL, 0},
};

static unsigned port_of(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET
			     ? ((const struct sockaddr_in *)address)->sin_port
			     : ((const struct sockaddr_in6 *)address)->sin6_port);
}

static const void *ip_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return &((const struct sockaddr_in *)address)->sin_addr;
	return &((const struct sockaddr_in6 *)address)->sin6_addr;
}

START_TEST(parts_of_a_url)
{
	struct address *address = NULL;
	struct addresses found;
	char ip[INET6_ADDRSTRLEN];
	int r = address_create(urls[_i].url, &address);

	if (!urls[_i].authority) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_ptr_null(address);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(address_authority(address), urls[_i].authority);
	ck_assert_str_eq(address_prefix(address), urls[_i].prefix);
	/* Numeric addresses need no time. */
	ck_assert_int_eq(address_find(address, 0, &found), 0);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_uint_eq(port_of(&found.list[0]), urls[_i].port);
	ck_assert_ptr_nonnull(
		inet_ntop(found.list[0].ss_family, ip_of(&found.list[0]), ip, sizeof(ip)));
	ck_assert_str_eq(ip, urls[_i].ip);
	address_free(address);
}
END_TEST

START_TEST(a_path_is_a_unix_socket)
{
	struct address *address = NULL;
	struct addresses found;
	char url[128] = "unix:/tmp/socket";

	ck_assert_int_eq(address_create(url, &address), 0);
	ck_assert_str_eq(address_authority(address), "localhost");
	ck_assert_str_eq(address_prefix(address), "");
	ck_assert_int_eq(address_find(address, 0, &found), 0);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_int_eq(found.list[0].ss_family, AF_UNIX);
	ck_assert_str_eq(((struct sockaddr_un *)&found.list[0])->sun_path, "/tmp/socket");
	address_free(address);
	address = NULL;
	memset(url + strlen(url), 'a', sizeof(url) - 1 - strlen(url));
	ck_assert_int_eq(address_create(url, &address), -EINVAL);
	ck_assert_ptr_null(address);
}
END_TEST

START_TEST(names_are_looked_up)
{
	struct address *address = NULL;
	struct addresses found = {.count = 0};

	ck_assert_int_eq(address_create("http://localhost:8080", &address), 0);
	ck_assert_int_eq(address_find(address, clock_monotonic() + 20 * CLOCK_SECOND, &found), 0);
	ck_assert_uint_ge(found.count, 1);
	ck_assert_uint_eq(port_of(&found.list[0]), 8080);
	/* Already known by now. */
	ck_assert_int_eq(address_find(address, 0, &found), 0);
	address_free(address);
}
END_TEST

/* The lookup continues without its owner, and ends by itself. */
START_TEST(no_waiting_beyond_the_deadline)
{
	struct address *address = NULL;
	struct addresses found = {.count = 0};

	ck_assert_int_eq(address_create("http://name.invalid", &address), 0);
	int r = address_find(address, 0, &found);

	ck_assert(r == -ETIMEDOUT || r == -EHOSTDOWN);
	ck_assert_uint_eq(found.count, 0);
	address_free(address);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("address");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, parts_of_a_url, 0, ARRAY_SIZE(urls));
	tcase_add_test(tests, a_path_is_a_unix_socket);
	tcase_add_test(tests, names_are_looked_up);
	tcase_add_test(tests, no_waiting_beyond_the_deadline);
	return unit_run(tests, "address");
}
