#include "product/migrations.h"

#include "product/currency.h"
#include "responder/idempotency.h"

/*
 * seq numbers products in order of creation. It is the row's address in SQLite and the document
 * number of the full-text index. keyed makes SQLite store a table inside its primary key. Names
 * sort bytewise, as in SQLite, whatever the language of a PostgreSQL database. Every sort order has
 * an index over live products that ends with its sort keys.
 */
#define SCHEMA(seq, keyed, bytewise)                                                               \
	"CREATE TABLE products ("                                                                  \
	" " seq ","                                                                                \
	" id TEXT NOT NULL UNIQUE,"                                                                \
	" name TEXT" bytewise " NOT NULL,"                                                         \
	" price BIGINT NOT NULL CHECK (price >= 0),"                                               \
	" inventory BIGINT NOT NULL CHECK (inventory >= 0),"                                       \
	" reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),"                               \
	" shipped BIGINT NOT NULL DEFAULT 0 CHECK (shipped >= 0),"                                 \
	" sku TEXT,"                                                                               \
	" category TEXT,"                                                                          \
	" tags TEXT NOT NULL," /* a JSON array, written as it is answered */                       \
	" image_url TEXT,"                                                                         \
	" low_stock_threshold BIGINT,"                                                             \
	" version BIGINT NOT NULL DEFAULT 1,"                                                      \
	" created_at BIGINT NOT NULL,"                                                             \
	" updated_at BIGINT NOT NULL,"                                                             \
	" deleted_at BIGINT,"                                                                      \
	" description TEXT NOT NULL);" /* last: the others are read without it */                  \
	"CREATE UNIQUE INDEX products_sku ON products (sku) WHERE deleted_at IS NULL;"             \
	"CREATE INDEX products_created_at ON products (created_at, id)"                            \
	" WHERE deleted_at IS NULL;"                                                               \
	"CREATE INDEX products_name ON products (name, id) WHERE deleted_at IS NULL;"              \
	"CREATE INDEX products_price ON products (price, id) WHERE deleted_at IS NULL;"            \
	"CREATE INDEX products_category_created_at ON products (category, created_at, id)"         \
	" WHERE deleted_at IS NULL AND category IS NOT NULL;"                                      \
	"CREATE INDEX products_category_name ON products (category, name, id)"                     \
	" WHERE deleted_at IS NULL AND category IS NOT NULL;"                                      \
	"CREATE INDEX products_category_price ON products (category, price, id)"                   \
	" WHERE deleted_at IS NULL AND category IS NOT NULL;"                                      \
	"CREATE INDEX products_low_stock ON products (created_at, id)"                             \
	" WHERE deleted_at IS NULL AND inventory <= low_stock_threshold;"                          \
                                                                                                   \
	"CREATE TABLE product_tags ("                                                              \
	" tag TEXT NOT NULL,"                                                                      \
	" product_created_at BIGINT NOT NULL," /* listings by tag need no sorting */               \
	" product_id TEXT NOT NULL REFERENCES products (id),"                                      \
	" PRIMARY KEY (tag, product_created_at, product_id))" keyed ";"                            \
                                                                                                   \
	"CREATE TABLE stock_movements ("                                                           \
	" product_id TEXT NOT NULL REFERENCES products (id),"                                      \
	" id TEXT NOT NULL,"                                                                       \
	" delta BIGINT NOT NULL,"                                                                  \
	" reason TEXT NOT NULL,"                                                                   \
	" reference TEXT,"                                                                         \
	" created_at BIGINT NOT NULL,"                                                             \
	" PRIMARY KEY (product_id, id))" keyed ";"                                                 \
                                                                                                   \
	"CREATE TABLE reservations ("                                                              \
	" order_id TEXT NOT NULL PRIMARY KEY,"                                                     \
	" state TEXT NOT NULL CHECK (state IN ('held', 'shipped', 'released')),"                   \
	" created_at BIGINT NOT NULL,"                                                             \
	" updated_at BIGINT NOT NULL)" keyed ";"                                                   \
                                                                                                   \
	"CREATE TABLE reservation_items ("                                                         \
	" order_id TEXT NOT NULL REFERENCES reservations (order_id),"                              \
	" product_id TEXT NOT NULL REFERENCES products (id),"                                      \
	" quantity BIGINT NOT NULL CHECK (quantity > 0),"                                          \
	" name TEXT NOT NULL,"                                                                     \
	" price BIGINT NOT NULL,"                                                                  \
	" PRIMARY KEY (order_id, product_id))" keyed ";"

/*
 * FTS5 writes an index segment at every savepoint, and each transaction of a group is one. So the
 * triggers only note which rows changed and how they are indexed: FTS5 keeps no copy of the texts
 * and needs them to remove a row (section 4.4.3 of its documentation). word_index_update() then
 * indexes all of them before the group's commit, so no note outlives its transaction. The update
 * trigger compares the columns, so stock movements do not touch the index.
 */
#define FTS_COLUMNS "sku, name, category, tags, description"
#define FTS_NEW     "new.sku, new.name, new.category, new.tags, new.description"
#define FTS_OLD     "old.sku, old.name, old.category, old.tags, old.description"
#define FTS_NOTE_OLD                                                                               \
	"INSERT OR IGNORE INTO product_search_changes"                                             \
	" VALUES (old.seq, old.deleted_at IS NULL, " FTS_OLD ");"

static const char sqlite_search[] =
	"CREATE TABLE product_search_changes"
	" (seq INTEGER PRIMARY KEY, was_indexed, " FTS_COLUMNS ");"
	"CREATE VIEW searchable_products AS SELECT seq, " FTS_COLUMNS " FROM products"
	" WHERE deleted_at IS NULL;"
	"CREATE VIRTUAL TABLE product_search USING fts5(" FTS_COLUMNS ","
	" content='searchable_products', content_rowid='seq', columnsize=0,"
	" tokenize='unicode61 remove_diacritics 2');"
	"CREATE TRIGGER products_search_insert AFTER INSERT ON products BEGIN"
	" INSERT OR IGNORE INTO product_search_changes (seq, was_indexed) VALUES (new.seq, 0); END;"
	"CREATE TRIGGER products_search_update AFTER UPDATE OF " FTS_COLUMNS ", deleted_at"
	" ON products WHEN (" FTS_OLD ", old.deleted_at) IS NOT (" FTS_NEW ", new.deleted_at)"
	" BEGIN " FTS_NOTE_OLD " END;"
	"CREATE TRIGGER products_search_delete AFTER DELETE ON products BEGIN " FTS_NOTE_OLD
	" END;";

/* Comparing code points needs no language. COLLATE "C" saves a look-up of the database's collation
 * for each character. */
static const char postgres_search[] =
	"CREATE FUNCTION product_words(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS"
	" $$SELECT regexp_replace(regexp_replace(normalize(value, NFD) COLLATE \"C\","
	" '[\\u0300-\\u036f]+', '',"
	" 'g'), '[\\u0001-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u00bf\\u2000-\\u206f"
	"\\u3000-\\u303f]+', ' ', 'g')$$;"
	"CREATE FUNCTION product_query(typed text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT AS"
	" $$SELECT to_tsquery('simple', string_agg(quote_literal(words), ' & '))"
	" FROM (SELECT product_words(word) AS words"
	"  FROM regexp_split_to_table(typed, '\\s+') AS word) AS parts"
	" WHERE words <> '' AND words <> ' '$$;"
	"ALTER TABLE products ADD COLUMN search tsvector GENERATED ALWAYS AS ("
	" setweight(to_tsvector('simple', product_words(coalesce(sku, ''))), 'A') ||"
	" setweight(to_tsvector('simple', product_words(name)), 'B') ||"
	" setweight(to_tsvector('simple', product_words(coalesce(category, '') || ' ' || tags)),"
	" 'C') ||"
	" setweight(to_tsvector('simple', product_words(description)), 'D')) STORED;"
	"CREATE INDEX products_search ON products USING gin (search) WHERE deleted_at IS NULL;";

/*
 * Words by words.h replace the two stores' own (word_index.h). The SQLite table of FTS5 keeps the
 * words it was given, so it can remove them again. The triggers note which products changed, and
 * before the group's commit all of them are indexed at once, because FTS5 writes a segment at every
 * savepoint. The tokenizer only has to split at spaces.
 */
#define WORDS_OLDER "CREATE TABLE product_words_older (top BIGINT NOT NULL PRIMARY KEY);" ALL_OLDER
#define ALL_OLDER                                                                                  \
	"INSERT INTO product_words_older SELECT max(seq) FROM products HAVING max(seq) IS NOT "    \
	"NULL;"

static const char sqlite_words[] =
	"DROP TRIGGER products_search_insert;"
	"DROP TRIGGER products_search_update;"
	"DROP TRIGGER products_search_delete;"
	"DROP TABLE product_search;"
	"DROP VIEW searchable_products;"
	"DROP TABLE product_search_changes;"
	"CREATE TABLE product_search_changes (seq INTEGER PRIMARY KEY);"
	"CREATE VIRTUAL TABLE product_search USING fts5(sku, name, labels, description,"
	" columnsize=0, tokenize='ascii');"
	"CREATE TRIGGER products_search_insert AFTER INSERT ON products BEGIN"
	" INSERT OR IGNORE INTO product_search_changes VALUES (new.seq); END;"
	"CREATE TRIGGER products_search_update AFTER UPDATE OF " FTS_COLUMNS ", deleted_at"
	" ON products WHEN (" FTS_OLD ", old.deleted_at) IS NOT (" FTS_NEW ", new.deleted_at)"
	" BEGIN INSERT OR IGNORE INTO product_search_changes VALUES (new.seq); END;"
	"CREATE TRIGGER products_search_delete AFTER DELETE ON products BEGIN"
	" INSERT OR IGNORE INTO product_search_changes VALUES (old.seq); END;" WORDS_OLDER;

/*
 * Until they stop, replicas of the previous version write and search with the functions above. What
 * they write is noted as due for new words. Until it gets them, a new product has the words of the
 * old functions, a changed one its previous words. Derived data is not copied from another store
 * (copy.h).
 */
static const char postgres_words[] =
	"ALTER TABLE products ALTER COLUMN search DROP EXPRESSION;"
	"COMMENT ON COLUMN products.search IS 'derived';"
	"CREATE TABLE product_words_due (seq BIGINT PRIMARY KEY);"
	"COMMENT ON TABLE product_words_due IS 'derived';"
	"CREATE FUNCTION product_words_missing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
	" IF TG_OP = 'INSERT' THEN"
	"  NEW.search := setweight(to_tsvector('simple',"
	"    product_words(coalesce(NEW.sku, ''))), 'A') ||"
	"   setweight(to_tsvector('simple', product_words(NEW.name)), 'B') ||"
	"   setweight(to_tsvector('simple',"
	"    product_words(coalesce(NEW.category, '') || ' ' || NEW.tags)), 'C') ||"
	"   setweight(to_tsvector('simple', product_words(NEW.description)), 'D');"
	" END IF;"
	" INSERT INTO product_words_due VALUES (NEW.seq) ON CONFLICT DO NOTHING;"
	" RETURN NEW; END $$;"
	"CREATE TRIGGER products_words_insert BEFORE INSERT ON products FOR EACH ROW"
	" WHEN (new.search IS NULL) EXECUTE FUNCTION product_words_missing();"
	"CREATE TRIGGER products_words_update BEFORE UPDATE OF " FTS_COLUMNS " ON products"
	" FOR EACH ROW WHEN (new.search IS NOT DISTINCT FROM old.search"
	"  AND (" FTS_NEW ") IS DISTINCT FROM (" FTS_OLD "))"
	" EXECUTE FUNCTION product_words_missing();" WORDS_OLDER;

/*
 * If a table has a trigger, a statement keeps a copy of every page it changes, to undo itself
 * should it fail in the middle. OR FAIL tells SQLite that this is not needed (product_store.c). But
 * it also applies to conflicts inside the triggers, so a product may be noted more than once.
 */
#define NOTE_NEW " BEGIN INSERT INTO product_search_changes VALUES (new.seq); END;"
#define NOTE_OLD " BEGIN INSERT INTO product_search_changes VALUES (old.seq); END;"

static const char sqlite_notes[] =
	"DROP TRIGGER products_search_insert;"
	"DROP TRIGGER products_search_update;"
	"DROP TRIGGER products_search_delete;"
	"DROP TABLE product_search_changes;"
	"CREATE TABLE product_search_changes (seq INTEGER NOT NULL);"
	"CREATE TRIGGER products_search_insert AFTER INSERT ON products" NOTE_NEW
	"CREATE TRIGGER products_search_update AFTER UPDATE OF " FTS_COLUMNS ", deleted_at"
	" ON products WHEN (" FTS_OLD ", old.deleted_at) IS NOT (" FTS_NEW
	", new.deleted_at)" NOTE_NEW
	"CREATE TRIGGER products_search_delete AFTER DELETE ON products" NOTE_OLD;

/* Refused orders leave tombstones. Reservations that held stock and were released stay, and are not
 * in the index. */
static const char tombstones[] = "CREATE INDEX reservations_tombstones ON reservations (created_at)"
				 " WHERE state = 'released' AND updated_at = created_at;";

/*
 * A sale changes inventory. When PostgreSQL updates a product, it writes it into every index again,
 * the index of words too, if an indexed column has changed (heap-only tuples, section 73.7 of its
 * documentation). This column changes only when stock becomes low or is no longer low. The fill
 * factor leaves room for the new version on the same page, which also spares the indexes.
 */
#define LOW_STOCK(type, none, kept)                                                                \
	"ALTER TABLE products ADD COLUMN is_low_stock " type                                       \
	" GENERATED ALWAYS AS (coalesce(inventory <= low_stock_threshold, " none ")) " kept ";"    \
	"DROP INDEX products_low_stock;"                                                           \
	"CREATE INDEX products_low_stock ON products (created_at, id)"                             \
	" WHERE deleted_at IS NULL AND is_low_stock;"

/*
 * Products by their last change, deleted ones apart, for listings by updated_at. A sale changes
 * updated_at, so an index on products would undo the purpose of LOW_STOCK. PostgreSQL therefore has
 * a separate table with one row per product, kept by a trigger, which also covers processes of an
 * older version. The product is locked whenever its row is written.
 */
static const char sqlite_changes[] =
	"CREATE INDEX products_changes ON products ((deleted_at IS NOT NULL), updated_at, id);"
	"CREATE VIEW product_changes (deleted, changed_at, product_id) AS"
	" SELECT (deleted_at IS NOT NULL), updated_at, id FROM products;";

/* A copy from SQLite fills this table before it copies the products. */
static const char postgres_changes[] =
	"CREATE TABLE product_changes ("
	" deleted INTEGER NOT NULL,"
	" changed_at BIGINT NOT NULL,"
	" product_id TEXT NOT NULL);"
	"CREATE FUNCTION product_changed() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
	" IF TG_OP = 'INSERT' THEN"
	"  INSERT INTO product_changes"
	"   VALUES ((NEW.deleted_at IS NOT NULL)::integer, NEW.updated_at, NEW.id)"
	"   ON CONFLICT DO NOTHING;"
	" ELSE"
	"  UPDATE product_changes SET deleted = (NEW.deleted_at IS NOT NULL)::integer,"
	"   changed_at = NEW.updated_at"
	"   WHERE deleted = (OLD.deleted_at IS NOT NULL)::integer"
	"   AND changed_at = OLD.updated_at AND product_id = OLD.id;"
	" END IF;"
	" RETURN NULL; END$$;"
	"CREATE TRIGGER product_changed AFTER INSERT OR UPDATE OF updated_at, deleted_at ON "
	"products"
	" FOR EACH ROW EXECUTE FUNCTION product_changed();"
	"INSERT INTO product_changes"
	" SELECT (deleted_at IS NOT NULL)::integer, updated_at, id FROM products;"
	"ALTER TABLE product_changes ADD PRIMARY KEY (deleted, changed_at, product_id);";

/*
 * Sold-out products are marked for the same reason. Adding a generated column would make PostgreSQL
 * rewrite the whole table while nobody can buy. The trigger writes a mark only when it changes,
 * also for replicas that do not know it.
 */
#define OUT_OF_STOCK                                                                               \
	"CREATE INDEX products_out_of_stock ON products (created_at, id)"                          \
	" WHERE deleted_at IS NULL AND is_out_of_stock;"

static const char sqlite_out_of_stock[] =
	"ALTER TABLE products ADD COLUMN is_out_of_stock INTEGER"
	" GENERATED ALWAYS AS (inventory = 0) VIRTUAL;" OUT_OF_STOCK;

static const char postgres_out_of_stock[] =
	"ALTER TABLE products ADD COLUMN is_out_of_stock BOOLEAN NOT NULL DEFAULT false;"
	"CREATE FUNCTION product_mark_out_of_stock() RETURNS trigger LANGUAGE plpgsql AS"
	" $$BEGIN NEW.is_out_of_stock := NEW.inventory = 0; RETURN NEW; END$$;"
	"CREATE TRIGGER products_out_of_stock BEFORE INSERT OR UPDATE ON products FOR EACH ROW"
	" WHEN (NEW.is_out_of_stock <> (NEW.inventory = 0))"
	" EXECUTE FUNCTION product_mark_out_of_stock();"
	"UPDATE products SET is_out_of_stock = true WHERE inventory = 0;" OUT_OF_STOCK;

/* Which words the index has, and where: to find the words that begin with a typed one
 * (beginnings.h). This table stores nothing. */
static const char sqlite_places[] =
	"CREATE VIRTUAL TABLE product_search_places USING fts5vocab(product_search, instance);";

const struct db_migration product_migrations[PRODUCT_MIGRATION_COUNT] = {
	{
		.version = 1,
		.name = "catalogue, stock, reservations",
		.sql = IDEMPOTENCY_SCHEMA,
		.sqlite = SCHEMA("seq INTEGER PRIMARY KEY", " WITHOUT ROWID", ""),
		.postgres = SCHEMA("seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "",
				   " COLLATE \"C\""),
	},
	{
		.version = 2,
		.name = "full-text search",
		.sqlite = sqlite_search,
		.postgres = postgres_search,
	},
	{.version = 3, .name = "tombstones by age", .sql = tombstones},
	{.version = 4, .name = "currency of the prices", .sql = CURRENCY_SCHEMA},
	{
		.version = 5,
		.name = "sales leave the indexes alone",
		.sqlite = LOW_STOCK("INTEGER", "0", "VIRTUAL"),
		.postgres = "ALTER TABLE products SET (fillfactor = 85);" LOW_STOCK(
			"BOOLEAN", "false", "STORED"),
	},
	{
		.version = 6,
		.name = "products by their last change",
		.sqlite = sqlite_changes,
		.postgres = postgres_changes,
	},
	{
		.version = 7,
		.name = "products out of stock",
		.sqlite = sqlite_out_of_stock,
		.postgres = postgres_out_of_stock,
	},
	{
		.version = 8,
		.name = "words of our own",
		.sqlite = sqlite_words,
		.postgres = postgres_words,
	},
	{.version = 9, .name = "notes of changed words", .sqlite = sqlite_notes},
	{.version = 10, .name = "what keyed requests mean", .sql = IDEMPOTENCY_MEANING},
	{.version = 11, .name = "the list of words", .sqlite = sqlite_places},
	{.version = 12,
	 .name = "texts without what never shows",
	 .sql = "DELETE FROM product_words_older;" ALL_OLDER},
	{.version = 13,
	 .name = "who changed the stock",
	 .sql = "ALTER TABLE stock_movements ADD COLUMN actor TEXT;"},
};
