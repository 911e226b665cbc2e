#include "product/tags_store.h"

/* Runs a statement of ($1 tag, $2 created_at, $3 product_id) for each tag. */
static int each_tag(struct db_conn *conn, const char *sql, const struct json *tags,
		    int64_t created_at, const char *id)
{
	for (size_t i = 0; tags && i < json_length(tags); i++) {
		size_t length;
		const char *tag = json_string(json_at(tags, i), &length);
		int r = db_post(conn, sql,
				DB_VALUES(db_bytes(tag, length), db_int(created_at), db_text(id)),
				DB_ANY_ROWS);

		if (r < 0)
			return r;
	}
	return 0;
}

int product_tags_add(struct db_conn *conn, const struct json *tags, int64_t created_at,
		     const char *id)
{
	return each_tag(conn,
			"INSERT INTO product_tags (tag, product_created_at, product_id)"
			" VALUES ($1, $2, $3)",
			tags, created_at, id);
}

int product_tags_remove(struct db_conn *conn, const struct json *tags, int64_t created_at,
			const char *id)
{
	return each_tag(conn,
			"DELETE FROM product_tags WHERE tag = $1 AND product_created_at = $2"
			" AND product_id = $3",
			tags, created_at, id);
}
