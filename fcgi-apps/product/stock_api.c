#include "base/clock.h"
#include "base/uuid.h"
#include "product/product_api.h"
#include "product/stock_store.h"
#include "responder/ownership.h"
#include "responder/paging.h"
#include "responder/service.h"

static void refuse_taking(struct response *response, int64_t available)
{
	struct json_writer *writer =
		response_problem_begin(response, 409, "insufficient-stock",
				       "There is less in stock than would be removed");

	json_member_int(writer, "available", available);
	response_problem_end(response);
}

int product_api_adjust_stock(struct request *request, struct response *response)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	const char *id = request_path_parameter(request, "id");
	int64_t delta = json_int(json_get(request->body, "delta"));
	int64_t available = 0;
	char actor[ACTOR_SIZE];
	int r = product_stock_adjust(
		request->db, id, delta, json_get_string(request->body, "reason", ""),
		ownership_actor(request, actor), clock_now(), &rows, &available);

	if (r == -ENOENT)
		return product_answer_not_found(response);
	if (r == -ERANGE) {
		if (delta < 0)
			refuse_taking(response, available);
		else
			product_answer_stock_limit(response, available);
		return 0;
	}
	if (r < 0)
		return r;
	product_answer(request, response, 200, rows);
	return 0;
}

static void write_movement(struct json_writer *writer, struct db_rows *row)
{
	json_object_begin(writer);
	json_member_string(writer, "id", db_column_text(row, MOVEMENT_ID, NULL));
	json_member_int(writer, "delta", db_column_int(row, MOVEMENT_DELTA));
	json_member_string(writer, "reason", db_column_text(row, MOVEMENT_REASON, NULL));
	if (!db_column_is_null(row, MOVEMENT_REFERENCE))
		json_member_string(writer, "reference",
				   db_column_text(row, MOVEMENT_REFERENCE, NULL));
	if (!db_column_is_null(row, MOVEMENT_ACTOR))
		json_member_string(writer, "actor", db_column_text(row, MOVEMENT_ACTOR, NULL));
	json_member_time(writer, "created_at", db_column_int(row, MOVEMENT_CREATED_AT));
	json_object_end(writer);
}

static int write_movements(struct request *request, struct response *response, const char *id,
			   const char *before)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int64_t limit = request_query_int(request, "limit", PAGE_LIMIT_DEFAULT);
	char last[UUID_TEXT_SIZE] = "";
	int64_t count = 0;
	int r = product_movements(request->db, id, before, limit + 1, &rows);

	if (r < 0)
		return r;
	struct json_writer *writer = response_json(response, 200);
	json_array_begin(writer);
	while ((r = db_next(rows)) == 1 && count < limit) {
		write_movement(writer, rows);
		if (++count == limit)
			snprintf(last, sizeof(last), "%s", db_column_text(rows, MOVEMENT_ID, NULL));
	}
	if (r < 0)
		return r;
	json_array_end(writer);
	if (r == 1)
		paging_next(request, response, "movements", (const char *const[]){last}, 1);
	return 0;
}

int product_api_list_movements(struct request *request, struct response *response)
{
	struct cursor cursor CLEANUP(cursor_release) = {0};
	const char *id = request_path_parameter(request, "id");
	int64_t count;
	int r = product_has_ledger(request->db, id);

	if (r < 0)
		return r;
	if (r == 0)
		return product_answer_not_found(response);
	if (!cursor_read(request, response, "movements", 1, &cursor))
		return 0;
	r = write_movements(request, response, id, cursor.count ? cursor.fields[0] : NULL);
	if (r < 0 || !request_query_bool(request, "count", false))
		return r;
	r = product_movements_count(request->db, id, &count);
	if (r < 0)
		return r;
	paging_total(response, count, true);
	return 0;
}
