/*
 * A line of a bulk import: what it says, the product it is about, and its result. One owner, one
 * thread at a time.
 */
#ifndef PRODUCT_IMPORT_LINE_H
#define PRODUCT_IMPORT_LINE_H

#include "base/uuid.h"
#include "contract/contract.h"
#include "product/ndjson.h"
#include "product/product_store.h"

/* What lines mean; of the whole import. */
struct import_rules {
	const struct contract *contract;
	struct currency currency;
	bool merge; /* members that are absent stay as they are */
};

enum import_status { LINE_CREATED, LINE_UPDATED, LINE_REFUSED };

struct import_line {
	int64_t number;
	struct json *value; /* NULL: refused before it came to the store */
	const char *sku;    /* of value */
	struct json *whole; /* with merge: the product as the line wants it */
	struct product_input input;
	struct violations violations; /* why it was refused */
	enum import_status status;
	char id[UUID_TEXT_SIZE];
	bool repeats;                   /* the sku of an earlier line */
	struct product_current current; /* where status is LINE_UPDATED */
};

/* Parses and checks a text; it is not kept. A line that is refused is no error. -ENOMEM. */
int import_line_read(struct import_line *line, const struct import_rules *rules, int64_t number,
		     const struct product_ndjson_line *text);
void import_line_release(struct import_line *line);

/* Before products are looked for, again too: none has this sku. */
void import_line_forget(struct import_line *line);

/* Takes the row for the product that the line changes. -ENOMEM, -EIO for a row that is damaged. */
int import_line_remember(struct import_line *line, const struct import_rules *rules,
			 struct db_rows *row);

/* Posts what the line wants, unless the product it would make is refused, which is no error. */
int import_line_post(struct import_line *line, const struct import_rules *rules,
		     struct db_conn *conn, int64_t now);

/* Appends the result; error is what the transaction ended with. */
void import_line_write(const struct import_line *line, int error, struct text *out);

/* Appends the result of a line that is not read. */
void import_line_write_refusal(int64_t number, const char *detail, struct text *out);

#endif
