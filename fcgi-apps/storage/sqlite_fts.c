/*
 * An auxiliary function for FTS5 (https://www.sqlite.org/fts5.html#custom_auxiliary_functions):
 *
 *	weighted_words(table, weight of column 0, weight of column 1, …)
 *
 * is the sum of the weights of the columns in which each phrase of the query is, in the current
 * row; columns without a weight count nothing. Unlike bm25() it looks at this row's positions only:
 * not at how many rows match, and not at the texts.
 */
#include "storage/sqlite.h"

static int add_columns(const Fts5ExtensionApi *api, Fts5Context *context, int phrase, int count,
		       sqlite3_value **weights, sqlite3_int64 *sum)
{
	Fts5PhraseIter place;
	int column;
	int code = api->xPhraseFirstColumn(context, phrase, &place, &column);

	for (; code == SQLITE_OK && column >= 0; api->xPhraseNextColumn(context, &place, &column)) {
		if (column < count)
			*sum += sqlite3_value_int(weights[column]);
	}
	return code;
}

static void weighted_words(const Fts5ExtensionApi *api, Fts5Context *context,
			   sqlite3_context *result, int count, sqlite3_value **weights)
{
	sqlite3_int64 sum = 0;
	int code = SQLITE_OK;

	for (int i = 0; i < api->xPhraseCount(context) && code == SQLITE_OK; i++)
		code = add_columns(api, context, i, count, weights, &sum);
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
	return api->xCreateFunction(api, "weighted_words", NULL, weighted_words, NULL);
}
