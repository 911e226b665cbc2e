#include "product/product_api.h"

#include "base/clock.h"
#include "product/product_store.h"
#include "responder/ownership.h"
#include "responder/refusal.h"
#include "responder/service.h"

void product_answer(const struct request *request, struct response *response, int status,
		    struct db_rows *row)
{
	product_write(response_json(response, status), row, request->runtime->currency);
	response_version(response, db_column_int(row, PRODUCT_VERSION));
}

void product_answer_stock_limit(struct response *response, int64_t available)
{
	struct json_writer *writer = response_problem_begin(
		response, 409, "stock-limit",
		"Inventory and reserved together would exceed their limit of 9007199254740991");

	json_member_int(writer, "available", available);
	response_problem_end(response);
}

int product_answer_not_found(struct response *response)
{
	response_not_found(response, "Product");
	return 0;
}

static struct currency currency_of(const struct request *request)
{
	return request->runtime->currency;
}

/* The input points into the buffer. */
static int read_input(const struct request *request, const struct json *document,
		      char actor[ACTOR_SIZE], struct product_input *ret_input)
{
	int r = product_input_read(document, currency_of(request), ret_input);

	if (r == 0)
		ret_input->actor = ownership_actor(request, actor);
	return r;
}

static int sku_taken(struct response *response)
{
	response_problem(response, 409, "sku-taken", "Another product has this sku");
	return 0;
}

int product_api_create(struct request *request, struct response *response)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct product_input input;
	char actor[ACTOR_SIZE];
	int r = read_input(request, request->body, actor, &input);

	if (r < 0)
		return r;
	r = product_insert(request->db, &input, clock_now(), &rows);
	if (r == -EEXIST)
		return sku_taken(response);
	if (r < 0)
		return r;
	product_answer(request, response, 201, rows);
	response_location(response, request, "/products/%s",
			  db_column_text(rows, PRODUCT_ID, NULL));
	return 0;
}

static int ask_product(struct request *request, struct response *response UNUSED,
		       struct db_statement *ret_statement)
{
	product_ask(request_resource_id(request), ret_statement);
	return 0;
}

static int answer_product(struct request *request, struct response *response, struct db_rows *rows)
{
	int r = db_next(rows);

	if (r == 0)
		return product_answer_not_found(response);
	if (r < 0)
		return r;
	product_answer(request, response, 200, rows);
	return 0;
}

const struct lookup product_api_get = {.ask = ask_product, .answer = answer_product};

/*
 * Loads what a change needs. 1: continue; 0: the response is a 404 or 412; negative: an error.
 * ret_document, where given, gets the writable members.
 */
static int load(struct request *request, struct response *response, const char *id,
		struct json **ret_document, struct product_current *ret_current)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = product_find_to_change(request->db, id, &rows);

	if (r == -ENOENT)
		return product_answer_not_found(response);
	if (r < 0)
		return r;
	if (!request_precondition(request, response, db_column_int(rows, PRODUCT_VERSION)))
		return 0;
	r = product_current_read(rows, ret_current);
	if (r == 0 && ret_document)
		r = product_input_document(rows, currency_of(request), ret_document);
	return r < 0 ? r : 1;
}

static int replace(struct request *request, struct response *response, const char *id,
		   const struct product_current *current, const struct product_input *input)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	uint64_t scope = contract_scope(request->runtime->contract, "stock:write");

	/* Stock that is not sent is set to its default. */
	if (input->inventory != current->inventory &&
	    authorize_lacking(scope, &request->principal)) {
		refuse_scopes(request, response, scope);
		return 0;
	}
	int r = product_replace(request->db, id, current, input, "set", clock_now(), &rows);

	if (r == -EEXIST)
		return sku_taken(response);
	if (r == -ERANGE) {
		product_answer_stock_limit(response, current->inventory);
		return 0;
	}
	if (r < 0)
		return r;
	product_answer(request, response, 200, rows);
	return 0;
}

int product_api_replace(struct request *request, struct response *response)
{
	struct product_current current CLEANUP(product_current_release) = {0};
	const char *id = request_path_parameter(request, "id");
	struct product_input input;
	char actor[ACTOR_SIZE];
	int r = load(request, response, id, NULL, &current);

	if (r <= 0)
		return r;
	r = read_input(request, request->body, actor, &input);
	return r < 0 ? r : replace(request, response, id, &current, &input);
}

/* RFC 7396 over the writable members. The patch's members were checked like those of PUT. The
 * remaining members are not checked: they may be older than a rule. */
int product_api_patch(struct request *request, struct response *response)
{
	struct product_current current CLEANUP(product_current_release) = {0};
	struct json *document CLEANUP(json_free_p) = NULL;
	const char *id = request_path_parameter(request, "id");
	struct product_input input;
	char actor[ACTOR_SIZE];
	int r = load(request, response, id, &document, &current);

	if (r <= 0)
		return r;
	r = json_merge_patch(&document, request->body);
	if (r == 0)
		r = read_input(request, document, actor, &input);
	return r < 0 ? r : replace(request, response, id, &current, &input);
}

int product_api_delete(struct request *request, struct response *response)
{
	struct product_current current CLEANUP(product_current_release) = {0};
	const char *id = request_path_parameter(request, "id");
	int r = load(request, response, id, NULL, &current);

	if (r <= 0)
		return r;
	r = product_delete(request->db, id, &current, clock_now());
	if (r < 0)
		return r;
	response_empty(response, 204);
	return 0;
}

int product_api_restore(struct request *request, struct response *response)
{
	struct product_current current CLEANUP(product_current_release) = {0};
	struct db_rows *before CLEANUP(db_rows_close_p) = NULL;
	struct db_rows *after CLEANUP(db_rows_close_p) = NULL;
	const char *id = request_path_parameter(request, "id");
	int r = product_find_any_to_change(request->db, id, &before);

	if (r == -ENOENT)
		return product_answer_not_found(response);
	if (r < 0)
		return r;
	if (!request_precondition(request, response, db_column_int(before, PRODUCT_VERSION)))
		return 0;
	if (db_column_is_null(before, PRODUCT_DELETED_AT)) {
		product_answer(request, response, 200, before);
		return 0;
	}
	r = product_current_read(before, &current);
	if (r == 0)
		r = product_restore(request->db, id, &current, clock_now(), &after);
	if (r == -EEXIST)
		return sku_taken(response);
	if (r < 0)
		return r;
	product_answer(request, response, 200, after);
	return 0;
}
