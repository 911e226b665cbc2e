/*
 * Purchases as fast as they go: every shopper makes a cart, puts one product into it and orders it,
 * over one kept connection to the cart sidecar and one to the order sidecar, then starts again.
 * A purchase counts when its order is answered 201 within the measured time.
 *
 * Usage: checkout CART_PORT ORDER_PORT SHOPPERS SECONDS PRODUCT_IDS
 * PRODUCT_IDS is a file of ids, one a line. Ends with one line of JSON, as load.lua does.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define SHOPPERS_MAX 1024
#define PRODUCTS_MAX 10000
#define ID_SIZE      64
#define ANSWER_MAX   16384
#define SAMPLES_MAX  1000000
#define PATIENCE     INT64_C(10000000) /* microseconds the last purchases may take */

enum step { MAKE_CART, ADD_ITEM, PLACE_ORDER };

struct shopper {
	enum step step;
	int cart_fd;
	int order_fd;
	int64_t started; /* of this purchase, microseconds */
	char cart_id[ID_SIZE];
	char answer[ANSWER_MAX];
	size_t length;
};

static struct shopper shoppers[SHOPPERS_MAX];
static char products[PRODUCTS_MAX][ID_SIZE];
static size_t product_count;
static uint32_t samples[SAMPLES_MAX]; /* microseconds a purchase */
static size_t purchases;
static size_t refused;
static size_t shopping; /* shoppers with a request under way */
static const char *cart_port;
static const char *order_port;
static int64_t end;
static int epoll_fd;

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

static int connect_to(const char *port, struct shopper *shopper)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = shopper};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		err(1, "connecting to port %s", port);
	return fd;
}

static void post(struct shopper *shopper, int fd, const char *path, const char *body)
{
	char request[1024];
	int length = snprintf(request, sizeof(request),
			      "POST %s HTTP/1.1\r\nHost: localhost\r\n"
			      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			      path, strlen(body), body);

	/* Smaller than any socket buffer, and nothing else is under way on this connection. */
	if (write(fd, request, (size_t)length) != length)
		err(1, "sending to %s", path);
	shopper->length = 0;
}

static void take_step(struct shopper *shopper)
{
	char path[ID_SIZE + 32];
	char body[256];
	size_t number = (size_t)(shopper - shoppers);

	switch (shopper->step) {
	case MAKE_CART:
		shopper->started = now();
		snprintf(body, sizeof(body), "{\"user_id\":\"shopper-%zu\"}", number);
		post(shopper, shopper->cart_fd, "/carts", body);
		break;
	case ADD_ITEM:
		snprintf(path, sizeof(path), "/carts/%s/items", shopper->cart_id);
		snprintf(body, sizeof(body), "{\"product_id\":\"%s\",\"quantity\":1}",
			 products[(size_t)random() % product_count]);
		post(shopper, shopper->cart_fd, path, body);
		break;
	case PLACE_ORDER:
		snprintf(body, sizeof(body), "{\"user_id\":\"shopper-%zu\",\"cart_id\":\"%s\"}",
			 number, shopper->cart_id);
		post(shopper, shopper->order_fd, "/orders", body);
		break;
	}
}

/* Whether the answer has arrived to its end: Content-Length bytes or the last chunk. */
static bool answer_is_whole(const struct shopper *shopper)
{
	const char *body = strstr(shopper->answer, "\r\n\r\n");
	const char *length = strcasestr(shopper->answer, "\r\nContent-Length:");

	if (!body)
		return false;
	if (length && length < body)
		return strlen(body + 4) >=
		       strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	return strstr(body, "\r\n0\r\n\r\n") != NULL;
}

static bool read_cart_id(struct shopper *shopper)
{
	const char *id = strstr(shopper->answer, "\"id\":\"");

	if (!id)
		return false;
	id += strlen("\"id\":\"");
	size_t length = strcspn(id, "\"");
	if (length >= ID_SIZE)
		return false;
	memcpy(shopper->cart_id, id, length);
	shopper->cart_id[length] = '\0';
	return true;
}

static void count_purchase(const struct shopper *shopper)
{
	int64_t done = now();

	if (done >= end)
		return;
	if (purchases < SAMPLES_MAX)
		samples[purchases] = (uint32_t)(done - shopper->started);
	purchases++;
}

static void take_answer(struct shopper *shopper)
{
	int status = (int)strtol(shopper->answer + strlen("HTTP/1.1 "), NULL, 10);
	bool good = status == 200 || status == 201;

	if (shopper->step == MAKE_CART)
		good = good && read_cart_id(shopper);
	if (!good) {
		if (refused++ == 0)
			fprintf(stderr, "checkout: first refused answer:\n%s\n", shopper->answer);
		shopper->step = MAKE_CART;
	} else if (shopper->step == PLACE_ORDER) {
		count_purchase(shopper);
		shopper->step = MAKE_CART;
	} else {
		shopper->step++;
	}
	if (shopper->step == MAKE_CART && now() >= end)
		shopping--;
	else
		take_step(shopper);
}

static void receive(struct shopper *shopper)
{
	bool ordering = shopper->step == PLACE_ORDER;
	int *fd = ordering ? &shopper->order_fd : &shopper->cart_fd;
	ssize_t got =
		read(*fd, shopper->answer + shopper->length, ANSWER_MAX - 1 - shopper->length);

	if (got <= 0)
		err(1, "connection lost");
	shopper->length += (size_t)got;
	shopper->answer[shopper->length] = '\0';
	if (!answer_is_whole(shopper))
		return;
	/* nginx ends a connection after keepalive_requests of them. */
	if (strcasestr(shopper->answer, "\r\nConnection: close\r\n")) {
		close(*fd);
		*fd = connect_to(ordering ? order_port : cart_port, shopper);
	}
	take_answer(shopper);
}

static void read_products(const char *path)
{
	FILE *file = fopen(path, "re");

	if (!file)
		err(1, "%s", path);
	while (product_count < PRODUCTS_MAX && fgets(products[product_count], ID_SIZE, file)) {
		products[product_count][strcspn(products[product_count], "\n")] = '\0';
		product_count++;
	}
	fclose(file);
	if (product_count == 0)
		errx(1, "%s: no product ids", path);
}

static int by_size(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static void print_result(int64_t elapsed)
{
	size_t count = purchases < SAMPLES_MAX ? purchases : SAMPLES_MAX;

	qsort(samples, count, sizeof(samples[0]), by_size);
	printf("{\"requests\":%zu,\"seconds\":%.6f,\"p50_us\":%u,\"p99_us\":%u,\"refused\":%zu,"
	       "\"broken\":0}\n",
	       purchases, (double)elapsed / 1e6, count ? samples[count / 2] : 0,
	       count ? samples[count * 99 / 100] : 0, refused);
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];

	if (argc != 6)
		errx(2, "usage: checkout CART_PORT ORDER_PORT SHOPPERS SECONDS PRODUCT_IDS");
	size_t count = strtoul(argv[3], NULL, 10);
	if (count < 1 || count > SHOPPERS_MAX)
		errx(2, "SHOPPERS: 1 to %d", SHOPPERS_MAX);
	cart_port = argv[1];
	order_port = argv[2];
	read_products(argv[5]);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		err(1, "epoll_create1");
	for (size_t i = 0; i < count; i++) {
		shoppers[i].cart_fd = connect_to(cart_port, &shoppers[i]);
		shoppers[i].order_fd = connect_to(order_port, &shoppers[i]);
	}

	int64_t start = now();
	end = start + (int64_t)(strtod(argv[4], NULL) * 1e6);
	shopping = count;
	for (size_t i = 0; i < count; i++)
		take_step(&shoppers[i]);
	while (shopping > 0 && now() < end + PATIENCE) {
		int ready = epoll_wait(epoll_fd, events, 64, 100);

		for (int i = 0; i < ready; i++)
			receive(events[i].data.ptr);
	}
	if (shopping > 0)
		errx(1, "%zu purchases were never answered", shopping);
	print_result(end - start);
	return 0;
}
