#include "product/answer.h"

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
