#include "product/answer.h"

#include "responder/service.h"

void product_answer(const struct request *request, struct response *response, int status,
		    struct db_rows *row)
{
	product_write(response_json(response, status), row, request->runtime->currency);
	response_version(response, db_column_int(row, PRODUCT_VERSION));
}

int product_answer_not_found(struct response *response)
{
	response_not_found(response, "Product");
	return 0;
}
