/*
 * A line of a bulk import: its content, the product it concerns, and its result. One owner, one
 * thread at a time.
 */
#ifndef PRODUCT_IMPORT_LINE_H
#define PRODUCT_IMPORT_LINE_H

#include "base/uuid.h"
#include "contract/contract.h"
#include "product/ndjson.h"
#include "product/product_store.h"

/* How to read lines; the same for the whole import. */
struct import_rules {
	const struct contract *contract;
	struct currency currency;
	bool merge;        /* absent members keep their values */
	uint64_t lacking;  /* scopes that the sender does not have */
	const char *actor; /* who sends it, or NULL */
};

enum import_status { LINE_CREATED, LINE_UPDATED, LINE_REFUSED };

struct import_line {
	int64_t number;
	struct json *value; /* NULL: refused before it was stored */
	const char *sku;    /* points into value */
	struct json *whole; /* with merge: the product as it should become */
	struct product_input input;
	struct violations violations; /* why it was refused */
	enum import_status status;
	char id[UUID_TEXT_SIZE];
	bool repeats;                   /* the sku of an earlier line */
	struct product_current current; /* if status is LINE_UPDATED */
};

/* Parses and checks a text, of which nothing is kept. A refused line is not an error. -ENOMEM. */
int import_line_read(struct import_line *line, const struct import_rules *rules, int64_t number,
		     const struct product_ndjson_line *text);
void import_line_release(struct import_line *line);

/* Before products are looked up, or looked up again: no product has this sku. */
void import_line_forget(struct import_line *line);

/* Remembers the row of the product that the line changes. -ENOMEM, -EIO if the row is damaged. */
int import_line_remember(struct import_line *line, const struct import_rules *rules,
			 struct db_rows *row);

/* Posts the change, unless the resulting product is refused, which is not an error. */
int import_line_post(struct import_line *line, const struct import_rules *rules,
		     struct db_conn *conn, int64_t now);

/* Appends the result; error is the outcome of the transaction. */
void import_line_write(const struct import_line *line, int error, struct text *out);

/* Appends the result of a line that was not read. */
void import_line_write_refusal(int64_t number, const char *detail, struct text *out);

#endif
