/* product/product_search: whatever is typed is a query that SQLite's index understands, and it
 * finds the product whose name it is. The first three lines are q, category and tag. */
#include <ftw.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "product/migrations.h"
#include "product/product_search.h"

static char folder[] = "/tmp/fuzz-search-XXXXXX";
static struct db *db;

static int remove_entry(const char *path, UNUSED const struct stat *status, UNUSED int type,
			UNUSED struct FTW *place)
{
	return remove(path);
}

static void close_store(void)
{
	db_close(db);
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void open_store(void)
{
	char url[64], error[256] = "";
	struct db_options options = {
		.url = url,
		.readers = 1,
		.busy_timeout = 2000000,
		.queue_limit = 16,
		.before_commit = product_search_update,
		.migrations = product_migrations,
		.migration_count = PRODUCT_MIGRATION_COUNT,
	};
	log_start("fuzz", LOG_ERROR);
	fuzz_check(mkdtemp(folder));
	snprintf(url, sizeof(url), "sqlite:///%s/fuzz.db", folder);
	if (db_open(&options, &db, error, sizeof(error)) < 0) {
		fprintf(stderr, "%s\n", error);
		exit(2);
	}
	atexit(close_store);
}

struct typed {
	const char *q;
	const char *category;
	const char *tag;
};

static int add_product(struct db_conn *conn, const char *name)
{
	struct db_value values[] = {db_text(name)};
	int64_t r = db_run(conn,
			   "INSERT INTO products (id, name, price, inventory, reserved, shipped,"
			   " tags, created_at, updated_at, description)"
			   " VALUES ('p', $1, 1, 0, 0, 0, '[]', 1, 1, '')",
			   values, ARRAY_SIZE(values));
	return r < 0 ? (int)r : product_search_update(conn, NULL);
}

/* Whether there is a hit, or an error of the store. */
static int search(struct db_conn *conn, const struct typed *typed)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct text query CLEANUP(text_release);
	text_init(&query, 65536);
	int r = product_search_match(DB_SQLITE, typed->q, typed->category, typed->tag, &query);
	if (r < 0)
		return r;
	struct db_value values[] = {db_text(text_string(&query)), db_int(INT64_MAX)};
	r = db_query(conn, product_search_hits(DB_SQLITE, true), values, ARRAY_SIZE(values), &rows);
	return r < 0 ? r : db_next(rows);
}

static bool has_ascii_word(const char *text)
{
	return strpbrk(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* In a transaction that is rolled back: nothing has to reach the disk. */
static int check_search(struct db_conn *conn, void *argument)
{
	const struct typed *typed = argument;
	const struct typed words = {typed->q, NULL, NULL};
	fuzz_check(add_product(conn, typed->q) == 0);
	int narrow = search(conn, typed);
	int wide = search(conn, &words);
	fuzz_check(narrow == 0 || narrow == 1 || narrow == -EINVAL);
	fuzz_check((narrow == -EINVAL) == (wide == -EINVAL));
	/* What is neither a letter nor a digit to the index is not found, not even by itself. */
	fuzz_check(wide == 1 || wide == -EINVAL || (wide == 0 && !has_ascii_word(typed->q)));
	return -ECANCELED;
}

/* Texts reach a store only as valid UTF-8: everything that comes in is checked for it. */
static bool is_utf8(const char *text)
{
	return utf8_is_valid(text, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	char *q CLEANUP(free_p) = fuzz_line(&input);
	char *category CLEANUP(free_p) = fuzz_line(&input);
	char *tag CLEANUP(free_p) = fuzz_line(&input);
	struct typed typed = {q, category, tag};

	if (!db)
		open_store();
	if (!is_utf8(q) || !is_utf8(category) || !is_utf8(tag))
		return 0;
	fuzz_check(db_transaction(db, check_search, &typed) == -ECANCELED);
	return 0;
}
