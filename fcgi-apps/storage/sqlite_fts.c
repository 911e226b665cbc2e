/*
 * An auxiliary function for FTS5 (https://www.sqlite.org/fts5.html#custom_auxiliary_functions):
 *
 *	weighted_hits(table, weight of column 0, weight of column 1, …)
 *
 * is the sum over the current row's hits of the weight of the column each is in; columns without a
 * weight count nothing. Unlike bm25() it looks at this row's positions only: not at how many rows
 * match, and not at the texts.
 */
#include "storage/sqlite.h"

static void weighted_hits(const Fts5ExtensionApi *api, Fts5Context *context,
			  sqlite3_context *result, int count, sqlite3_value **weights)
{
	sqlite3_int64 sum = 0;
	int hits = 0;
	int code = api->xInstCount(context, &hits);

	for (int i = 0; i < hits && code == SQLITE_OK; i++) {
		int phrase, column, offset;

		code = api->xInst(context, i, &phrase, &column, &offset);
		if (code == SQLITE_OK && column < count)
			sum += sqlite3_value_int(weights[column]);
	}
	if (code == SQLITE_OK)
		sqlite3_result_int64(result, sum);
	else
		sqlite3_result_error_code(result, code);
}

/* FTS5 hands its functions out through a pointer value, section 7 of its documentation. */
static fts5_api *find_api(sqlite3 *handle)
{
	fts5_api *api = NULL;
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &statement, NULL) == SQLITE_OK) {
		sqlite3_bind_pointer(statement, 1, (void *)&api, "fts5_api_ptr", NULL);
		sqlite3_step(statement);
	}
	sqlite3_finalize(statement);
	return api;
}

int sqlite_add_fts_functions(sqlite3 *handle)
{
	fts5_api *api = find_api(handle);

	if (!api || api->iVersion < 2)
		return SQLITE_ERROR;
	return api->xCreateFunction(api, "weighted_hits", NULL, weighted_hits, NULL);
}
