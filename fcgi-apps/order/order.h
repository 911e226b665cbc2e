/*
 * An order: its lines, its money and the states it goes through. Pure data; one owner, one thread
 * at a time.
 */
#ifndef ORDER_ORDER_H
#define ORDER_ORDER_H

#include "base/base.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/money.h"
#include "base/uuid.h"

/* The limit of a cart as well. */
#define ORDER_LINES_MAX 100

/* From this length of the history on, an order takes no more remarks that leave its status. Changes
 * of status are still possible; there can be only a few. */
#define ORDER_REMARKS_MAX 100

#define ORDER_USER_ID_LENGTH 255 /* characters */

/* Size of the longest cart id that is passed on, with its NUL. */
#define ORDER_CART_ID_SIZE 65

/* No lease of a checkout or effect, and no pause before another try, is longer. A later time was
 * written by a clock that has been set back since, and counts as over: otherwise the wait would
 * last until then. */
#define ORDER_LEASE_MAX (60 * CLOCK_SECOND)

/* In the order in which clients see them listed. */
enum order_status {
	ORDER_PENDING,
	ORDER_PROCESSING,
	ORDER_SHIPPED,
	ORDER_DELIVERED,
	ORDER_CANCELLED,
};
#define ORDER_STATUS_COUNT 5

const char *order_status_name(enum order_status status);

/* -EINVAL: no status has this name. */
int order_status_parse(const char *name, enum order_status *ret_status);

/* Keeping the status is not a transition. */
bool order_transition_allowed(enum order_status from, enum order_status to);

/* Writes the array of statuses that may follow. */
void order_write_transitions(enum order_status from, struct json_writer *json);

/* A line to be ordered, held or added; the texts are borrowed. */
struct order_item {
	const char *product_id;
	const char *name;
	int64_t price; /* minor units, per piece */
	int64_t quantity;
};

/* A line of an order, which owns the texts. */
struct order_line {
	char *product_id;
	char *name;
	int64_t price; /* minor units, per piece */
	int64_t quantity;
	int64_t line_total;
};

/* An event to be added; the texts are borrowed. */
struct order_note {
	enum order_status status;
	const char *reason;          /* or NULL */
	const char *tracking_number; /* or NULL */
	const char *actor;           /* or NULL: nobody was asked */
	int64_t at;
};

/* An entry of an order's history, which owns the texts. */
struct order_event {
	enum order_status status;
	char *reason;          /* or NULL */
	char *tracking_number; /* given with this event, or NULL */
	char *actor;           /* who did it, or NULL */
	int64_t at;
};

/* All zero is an order without lines; the order owns the strings. */
struct order {
	char id[UUID_TEXT_SIZE];
	char cart_id[ORDER_CART_ID_SIZE];
	char *user_id;
	char *tracking_number; /* or NULL */
	struct currency currency;
	struct order_line *lines;
	size_t line_count;
	struct order_event *history; /* oldest first */
	size_t event_count;
	int64_t total_amount;
	enum order_status status;
	int64_t version;
	int64_t created_at;
	int64_t updated_at;
};

/* Whether a cart's id can be part of a path: letters, digits, '-', '_', at most 64. */
bool order_cart_id_valid(const char *cart_id);

/* Adds a copy as the last line, without a total. -ENOMEM, -EMSGSIZE beyond ORDER_LINES_MAX. */
int order_add_line(struct order *order, const struct order_item *item);

/* Adds a copy as the last event. -ENOMEM. */
int order_add_event(struct order *order, const struct order_note *note);

/* Computes line totals and the total. -ERANGE if one overflows; then nothing is changed. */
int order_price(struct order *order);

/* Writes the order as clients see it; who did what is for staff. */
void order_write(const struct order *order, bool with_actors, struct json_writer *json);

void order_release(struct order *order);

#endif
