#include "product/currency.h"

#include "base/config.h"
#include "base/log.h"

struct currency_codes {
	const char *wanted;
	char stored[4];
};

static int read_stored(struct db_conn *conn, void *argument)
{
	struct currency_codes *codes = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, "SELECT currency FROM prices", DB_NO_VALUES, &rows);

	if (r < 0)
		return r;
	const char *code = db_column_text(rows, 0, NULL);
	if (!code)
		return -EIO;
	snprintf(codes->stored, sizeof(codes->stored), "%s", code);
	return 0;
}

static int store_wanted(struct db_conn *conn, void *argument)
{
	const struct currency_codes *codes = argument;
	/* Another replica may have set it first. */
	int64_t r = db_run(conn,
			   "INSERT INTO prices (id, currency) VALUES (1, $1)"
			   " ON CONFLICT (id) DO NOTHING",
			   DB_VALUES(db_text(codes->wanted)));

	return r < 0 ? (int)r : read_stored(conn, argument);
}

int product_currency_check(struct runtime *runtime)
{
	const char *code = runtime->currency.code;
	struct currency_codes codes = {.wanted = code};
	char expected[80];
	int r = db_read(runtime->db, read_stored, &codes);

	if (r == -ENOENT)
		r = db_transaction(runtime->db, store_wanted, &codes);
	if (r < 0) {
		log_write(LOG_ERROR, "cannot read the currency of the prices", log_error_code(r));
		return r;
	}
	if (strcmp(codes.stored, code) == 0)
		return 0;
	snprintf(expected, sizeof(expected), "%s, the currency of the prices in this database",
		 codes.stored);
	config_reject("CURRENCY", code, expected);
	return -EINVAL;
}
