/*
 * A cart and its rules, without HTTP or SQL: lines, totals, adding, merging, JSON.
 *
 * Money is in minor units of the shop's currency, times in microseconds (base/clock.h). A struct
 * cart has one owner and no thread-safety of its own; the names in its lines belong to it.
 */
#ifndef CART_CART_H
#define CART_CART_H

#include "base/base.h"
#include "base/json_writer.h"
#include "base/money.h"
#include "base/uuid.h"

#define CART_LINES_MAX    100
#define CART_QUANTITY_MAX 999

/* Ids of carts and orders: 1 to 64 of [0-9A-Za-z_-], and the NUL. */
#define CART_ID_SIZE 65

#define CART_USER_ID_LENGTH 255 /* characters */
#define CART_USER_ID_SIZE   (4 * CART_USER_ID_LENGTH + 1)

/* 200 characters of at most four bytes, and the NUL. */
#define CART_NAME_SIZE 801

/* A line to be added; the texts are borrowed. */
struct cart_item {
	const char *product_id;
	const char *name;
	int64_t unit_price;
	int64_t quantity;
	int64_t position;
	int64_t seen_at;
};

/* A line of a cart, which owns the name. */
struct cart_line {
	char product_id[UUID_TEXT_SIZE];
	char *name;
	int64_t unit_price;
	int64_t quantity;
	int64_t position; /* lines are listed by position, in the order they were added */
	int64_t seen_at;  /* when Product was asked for name and price */
};

struct cart {
	char id[CART_ID_SIZE];
	char user_id[CART_USER_ID_SIZE];
	int64_t version;
	int64_t created_at;
	int64_t updated_at;
	int64_t expires_at;
	int64_t emptied_version;          /* the version in which an order left it empty, or 0 */
	char last_order_id[CART_ID_SIZE]; /* "": none */
	char merged_into[CART_ID_SIZE];   /* "": not merged */
	size_t line_count;
	struct cart_line lines[CART_LINES_MAX];
};

/* What Product says about a product. name is owned; NULL: no such product. */
struct cart_product {
	char id[UUID_TEXT_SIZE];
	char *name;
	int64_t price;
	int64_t inventory;
};

/* Frees the names; the cart is empty ({0}) and usable again. */
void cart_release(struct cart *cart);

void cart_product_release(struct cart_product *product);

/* Whether the id could belong to a cart or an order; if not, there is no need to look it up. */
bool cart_id_is_valid(const char *id);

/* Whether an id has the shape of a UUID (RFC 9562 section 4): safe inside a sibling's URL. */
bool cart_product_id_is_valid(const char *id);

/* NULL when there is no such line. Valid until the next change of the lines. */
struct cart_line *cart_find_line(struct cart *cart, const char *product_id);

/* Adds a copy of a line that isn't there yet. -EMSGSIZE: full, -ENOMEM. */
int cart_append_line(struct cart *cart, const struct cart_item *item);

/* Whether the line was there. */
bool cart_remove_line(struct cart *cart, const char *product_id);

/* Whether the line's name and price are newer than data seen at seen_at. A time in the future does
 * not count as newer: it comes from a clock that has been set back since. */
bool cart_line_is_newer(const struct cart_line *line, int64_t seen_at);

/* Takes over name and price, unless the line's are newer. 1: something changed; 0: nothing did;
 * -ENOMEM. */
int cart_update_line(struct cart_line *line, const struct cart_product *product, int64_t seen_at);

enum cart_reason {
	CART_FINE,
	CART_FULL,           /* more than CART_LINES_MAX lines */
	CART_QUANTITY_LIMIT, /* more than CART_QUANTITY_MAX in a line */
	CART_SHORT_STOCK,    /* more than Product has in stock */
};

/* Why a change is refused, and for which product. */
struct cart_refusal {
	enum cart_reason reason;
	char product_id[UUID_TEXT_SIZE];
	int64_t requested;
	int64_t allowed;
};

/*
 * Sets the line of a known product to quantity (above 0), or adds that quantity to it, with the
 * name and price seen last. CART_FINE; another cart_reason with *ret_refusal filled and the cart
 * unchanged; or -ENOMEM.
 */
int cart_set(struct cart *cart, const struct cart_product *product, int64_t quantity,
	     int64_t seen_at, struct cart_refusal *ret_refusal);
int cart_add(struct cart *cart, const struct cart_product *product, int64_t quantity,
	     int64_t seen_at, struct cart_refusal *ret_refusal);

/*
 * Adds the source's lines to the target's: quantities are summed, and name and price are the ones
 * seen last. All or nothing. Results as cart_set(); after -ENOMEM the target may only be released.
 */
int cart_merge(struct cart *target, const struct cart *source, struct cart_refusal *ret_refusal);

/* Records a change: next version, new lifetime. */
void cart_touch(struct cart *cart, int64_t now, int64_t lifetime);

/* Sums of unit prices times quantities. -ERANGE on overflow. */
int cart_line_total(const struct cart_line *line, int64_t *ret_total);
int cart_total(const struct cart *cart, int64_t *ret_total);

/* Writes the cart as clients see it. -ERANGE as cart_total(), after half of the object is
 * written. */
int cart_write(const struct cart *cart, struct currency currency, struct json_writer *writer);

#endif
