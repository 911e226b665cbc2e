#include "product/product.h"

/* The writable members of one product, fully escaped. */
#define INPUT_TEXT_MAX (256u << 10)

static int read_price(const struct json *value, struct currency currency, int64_t *ret_price)
{
	const char *text = json_number_text(value);

	return money_parse(text, strlen(text), currency, ret_price);
}

int product_input_read(const struct json *object, struct currency currency,
		       struct product_input *ret_input)
{
	struct product_input input = {
		.name = json_get_string(object, "name", ""),
		.description = json_get_string(object, "description", ""),
		.sku = json_get_string(object, "sku", NULL),
		.category = json_get_string(object, "category", NULL),
		.image_url = json_get_string(object, "image_url", NULL),
		.tags = json_get(object, "tags"),
		.low_stock_threshold = -1,
	};
	const struct json *inventory = json_get(object, "inventory");
	const struct json *threshold = json_get(object, "low_stock_threshold");
	int r = read_price(json_get(object, "price"), currency, &input.price);

	if (r == -EDOM)
		return -EINVAL;
	if (r < 0)
		return r;
	if (inventory)
		input.inventory = json_int(inventory);
	if (threshold)
		input.low_stock_threshold = json_int(threshold);
	*ret_input = input;
	return 0;
}

static void write_text(struct json_writer *writer, const char *name, struct db_rows *row,
		       enum product_column column)
{
	size_t length = 0;
	const char *text = db_column_text(row, column, &length);

	if (!text)
		return;
	json_key(writer, name);
	json_write_bytes(writer, text, length);
}

static void write_writable(struct json_writer *writer, struct db_rows *row,
			   struct currency currency, bool with_stock)
{
	size_t length = 0;

	write_text(writer, "name", row, PRODUCT_NAME);
	write_text(writer, "description", row, PRODUCT_DESCRIPTION);
	json_member_money(writer, "price", db_column_int(row, PRODUCT_PRICE), currency);
	if (with_stock)
		json_member_int(writer, "inventory", db_column_int(row, PRODUCT_INVENTORY));
	write_text(writer, "sku", row, PRODUCT_SKU);
	write_text(writer, "category", row, PRODUCT_CATEGORY);
	const char *tags = db_column_text(row, PRODUCT_TAGS, &length);
	json_key(writer, "tags");
	json_write_raw(writer, tags, length);
	write_text(writer, "image_url", row, PRODUCT_IMAGE_URL);
	if (!db_column_is_null(row, PRODUCT_LOW_STOCK_THRESHOLD))
		json_member_int(writer, "low_stock_threshold",
				db_column_int(row, PRODUCT_LOW_STOCK_THRESHOLD));
}

void product_write(struct json_writer *writer, struct db_rows *row, struct currency currency)
{
	json_object_begin(writer);
	write_text(writer, "id", row, PRODUCT_ID);
	write_writable(writer, row, currency, true);
	json_member_string(writer, "currency", currency.code);
	json_member_int(writer, "reserved", db_column_int(row, PRODUCT_RESERVED));
	json_member_int(writer, "version", db_column_int(row, PRODUCT_VERSION));
	json_member_time(writer, "created_at", db_column_int(row, PRODUCT_CREATED_AT));
	json_member_time(writer, "updated_at", db_column_int(row, PRODUCT_UPDATED_AT));
	if (!db_column_is_null(row, PRODUCT_DELETED_AT))
		json_member_time(writer, "deleted_at", db_column_int(row, PRODUCT_DELETED_AT));
	json_object_end(writer);
}

void product_write_input(struct json_writer *writer, struct db_rows *row, struct currency currency,
			 bool with_stock)
{
	json_object_begin(writer);
	write_writable(writer, row, currency, with_stock);
	json_object_end(writer);
}

int product_input_document(struct db_rows *row, struct currency currency,
			   struct json **ret_document)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(INPUT_TEXT_MAX);
	struct json_writer writer;
	struct json_error error;

	json_writer_init(&writer, &text);
	product_write_input(&writer, row, currency, true);
	int r = text_error(&text);
	if (r == 0)
		r = json_parse(text_string(&text), text.length, JSON_DEPTH_MAX, ret_document,
			       &error);
	return r == -EINVAL ? -EIO : r;
}
