#include "product/product.h"
#include "product/product_api.h"
#include "responder/service.h"

#define NDJSON "application/x-ndjson"

/* Products per page, and their size if every character has to be escaped. */
#define PAGE_ROWS 100
#define PAGE_MAX  (16u << 20)

/* One owner. */
struct export_page {
	struct currency currency;
	bool with_stock;
	int64_t after; /* seq of the last product before the page */
	int64_t last;  /* out: seq of the page's last product */
	size_t rows;   /* out */
	struct text text;
};

static void export_page_release(struct export_page *page)
{
	text_release(&page->text);
}

/* Exports only products with a sku, because the import identifies products by sku. */
static int read_page(struct db_conn *conn, void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct export_page *page = argument;
	int r = db_query(conn,
			 "SELECT " PRODUCT_COLUMNS ", seq FROM products"
			 " WHERE deleted_at IS NULL AND sku IS NOT NULL AND seq > $1"
			 " ORDER BY seq LIMIT $2",
			 DB_VALUES(db_int(page->after), db_int(PAGE_ROWS)), &rows);

	if (r < 0)
		return r;
	text_reset(&page->text);
	page->rows = 0;
	while ((r = db_next(rows)) == 1) {
		struct json_writer writer;

		json_writer_init(&writer, &page->text);
		product_write_input(&writer, rows, page->currency, page->with_stock);
		text_append_char(&page->text, '\n');
		page->last = db_column_int(rows, PRODUCT_COLUMN_COUNT);
		page->rows++;
	}
	return r < 0 ? r : text_error(&page->text);
}

int product_api_export(struct request *request, struct response *response)
{
	struct export_page page CLEANUP(export_page_release) = {
		.text = TEXT_INIT(PAGE_MAX),
		.currency = request->runtime->currency,
		.with_stock = request_query_bool(request, "stock", true),
	};
	int r;

	do {
		r = db_read(request->runtime->db, read_page, &page);
		if (r == 0 && !response->streaming)
			r = response_stream_begin(response, 200, NDJSON);
		if (r < 0 || strcmp(request->method, "HEAD") == 0)
			return r;
		r = response_stream_write(response, text_string(&page.text), page.text.length);
		page.after = page.last;
	} while (r == 0 && page.rows == PAGE_ROWS);
	return r;
}
