/* product/product_search, words: whatever is typed is a query that SQLite's index understands, and
 * it finds the product whose name it is, unless it has no words. The first three lines are q,
 * category and tag. */
#include <ftw.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "product/list_store.h"
#include "product/migrations.h"
#include "product/word_index.h"
#include "product/words.h"

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
		.before_commit = word_index_update,
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
	return r < 0 ? (int)r : word_index_update(conn, NULL);
}

/* How many there are, or an error of the store. */
static int search(struct db_conn *conn, const struct typed *typed)
{
	const struct product_filter filter = {.q = typed->q,
					      .category = typed->category,
					      .tag = typed->tag,
					      .min_price = -1,
					      .max_price = -1,
					      .in_stock = -1,
					      .low_stock = -1};
	struct product_listing listing CLEANUP(product_listing_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = product_listing_init(conn, &filter, product_order_find(NULL, true), 0, &listing);
	if (r == 0)
		r = product_listing_page(conn, &listing, NULL, NULL, 10, &rows);
	return r < 0 ? r : db_next(rows);
}

static bool has_words(const char *text)
{
	struct text words CLEANUP(text_release) = TEXT_INIT(65536);
	bool begins;
	return words_of_typed(&words, text, strlen(text), &begins) > 0;
}

/* In a transaction that is rolled back: nothing has to reach the disk. */
static int check_search(struct db_conn *conn, void *argument)
{
	const struct typed *typed = argument;
	const struct typed words = {typed->q, NULL, NULL};
	fuzz_check(add_product(conn, typed->q) == 0);
	int narrow = search(conn, typed);
	int wide = search(conn, &words);
	fuzz_check(narrow == 0 || narrow == -EINVAL); /* it has neither category nor tag */
	fuzz_check((narrow == -EINVAL) == (wide == -EINVAL));
	fuzz_check(wide == -EINVAL || wide == has_words(typed->q));
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
