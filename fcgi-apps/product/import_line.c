#include "product/import_line.h"

#include "base/json_writer.h"

/* 1: the input is filled; 0: the line is refused. */
static int read_input(struct import_line *line, const struct import_rules *rules,
		      const struct json *document)
{
	int r = product_input_read(document, rules->currency, &line->input);

	if (r < 0)
		violations_add(&line->violations, "body", "/price", "is not a price");
	line->input.actor = rules->actor;
	return r == 0;
}

/* Whether it sends nothing that it takes a scope to send (x-scope). */
static bool check_scopes(struct import_line *line, const struct import_rules *rules,
			 const char *schema)
{
	if (!(contract_schema_scopes(rules->contract, schema, line->value) & rules->lacking))
		return true;
	violations_add(&line->violations, "body", "/inventory", "needs the scope stock:write");
	return false;
}

/* 1: the value is valid; 0: the violations say why not. */
static int check(struct import_line *line, const struct import_rules *rules,
		 const struct product_ndjson_line *text)
{
	const char *schema = rules->merge ? "ProductMerge" : "ProductImport";
	struct json_error error;

	if (text->too_long) {
		violations_add(&line->violations, "body", "", "is longer than %u bytes",
			       NDJSON_LINE_MAX);
		return 0;
	}
	int r = json_parse_input(text->text, text->length, &line->value, &error);
	if (r == -EINVAL) {
		violations_add(&line->violations, "body", "", "is not JSON: %s (column %zu)",
			       error.detail, error.column);
		return 0;
	}
	if (r < 0)
		return r;
	if (!contract_check_schema(rules->contract, schema, line->value, &line->violations) ||
	    !check_scopes(line, rules, schema))
		return 0;
	line->sku = json_get_string(line->value, "sku", "");
	return rules->merge || read_input(line, rules, line->value);
}

int import_line_read(struct import_line *line, const struct import_rules *rules, int64_t number,
		     const struct product_ndjson_line *text)
{
	*line = (struct import_line){.number = number, .status = LINE_REFUSED};
	int r = check(line, rules, text);
	if (r > 0)
		return 0;
	json_free(line->value);
	line->value = NULL;
	return r;
}

void import_line_forget(struct import_line *line)
{
	product_current_release(&line->current);
	violations_release(&line->violations);
	json_free(line->whole);
	line->violations = (struct violations){0};
	line->whole = NULL;
	line->status = LINE_CREATED;
}

void import_line_release(struct import_line *line)
{
	import_line_forget(line);
	json_free(line->value);
}

int import_line_remember(struct import_line *line, const struct import_rules *rules,
			 struct db_rows *row)
{
	int r = product_current_read(row, &line->current);

	if (r < 0)
		return r;
	snprintf(line->id, sizeof(line->id), "%s", db_column_text(row, PRODUCT_ID, NULL));
	line->status = LINE_UPDATED;
	return rules->merge ? product_input_document(row, rules->currency, &line->whole) : 0;
}

/* With merge: completes the line with the product's members. 1: complete; 0: refused. */
static int merge(struct import_line *line, const struct import_rules *rules)
{
	if (!line->whole)
		line->whole = json_new_object();
	if (!line->whole)
		return -ENOMEM;
	int r = json_merge_patch(&line->whole, line->value);
	if (r < 0)
		return r;
	if (line->status == LINE_CREATED &&
	    !contract_check_schema(rules->contract, "ProductImport", line->whole,
				   &line->violations)) {
		violations_add(&line->violations, "body", "/sku",
			       "is of no product, and to make one the line must be complete");
		return 0;
	}
	return read_input(line, rules, line->whole);
}

/* Stock that is not sent is set to its default. */
static bool sets_stock(const struct import_line *line)
{
	return line->status == LINE_UPDATED && line->input.inventory != line->current.inventory;
}

static int post(struct import_line *line, const struct import_rules *rules, struct db_conn *conn,
		int64_t now)
{
	uint64_t scope = contract_scope(rules->contract, "stock:write");

	if ((rules->lacking & scope) && sets_stock(line)) {
		violations_add(&line->violations, "body", "/inventory",
			       "is set to its default, which needs the scope stock:write");
		return 0;
	}
	if (line->status == LINE_UPDATED)
		return product_post_replace(conn, line->id, &line->current, &line->input, "import",
					    now);
	uuid_make(line->id);
	return product_post_insert(conn, line->id, &line->input, now);
}

int import_line_post(struct import_line *line, const struct import_rules *rules,
		     struct db_conn *conn, int64_t now)
{
	int r = rules->merge ? merge(line, rules) : 1;

	if (r > 0)
		r = post(line, rules, conn, now);
	if (r == -ERANGE) {
		violations_add(&line->violations, "body", "/inventory",
			       "is more than fits beside what is reserved");
		r = 0;
	}
	if (line->violations.total > 0)
		line->status = LINE_REFUSED;
	return r;
}

static void write_violation(struct json_writer *writer, const char *detail)
{
	struct violations violations CLEANUP(violations_release) = {0};

	violations_add(&violations, "body", "", "%s", detail);
	violations_write(&violations, writer);
}

static void write_errors(const struct import_line *line, int error, struct json_writer *writer)
{
	if (line->violations.total > 0)
		violations_write(&line->violations, writer);
	else
		write_violation(writer, error < 0 ? "was not stored: the store is unavailable, "
						    "send the line again"
						  : "was refused by the store");
}

void import_line_write(const struct import_line *line, int error, struct text *out)
{
	static const char *const names[] = {"created", "updated", "error"};
	enum import_status status = error < 0 ? LINE_REFUSED : line->status;
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_object_begin(&writer);
	json_member_int(&writer, "line", line->number);
	json_member_string(&writer, "status", names[status]);
	if (status != LINE_REFUSED)
		json_member_string(&writer, "id", line->id);
	if (line->value)
		json_member_string(&writer, "sku", line->sku);
	if (status == LINE_REFUSED)
		write_errors(line, error, &writer);
	json_object_end(&writer);
	text_append_char(out, '\n');
}

void import_line_write_refusal(int64_t number, const char *detail, struct text *out)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_object_begin(&writer);
	json_member_int(&writer, "line", number);
	json_member_string(&writer, "status", "error");
	write_violation(&writer, detail);
	json_object_end(&writer);
	text_append_char(out, '\n');
}
