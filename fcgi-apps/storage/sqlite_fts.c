/*
 * An auxiliary function for FTS5 (https://www.sqlite.org/fts5.html#custom_auxiliary_functions):
 *
 *	weighted_words(table, kinds, weight of column 0, weight of column 1, …)
 *
 * is the sum of the weights of the columns in which each phrase of the query is, in the current
 * row; columns without a weight count nothing. kinds has a letter for each phrase, in order:
 *
 *	1	it counts by itself
 *	B	it begins a set, of which any counts, once
 *	b	it is of the set before it
 *	w	both: it counts by itself, and begins a set
 *
 * Phrases beyond it count nothing. Unlike bm25() it looks at this row's positions only: not at how
 * many rows match, and not at the texts.
 */
#include "storage/sqlite.h"

/* Columns that can have a weight. */
#define COLUMNS_MAX 16

struct sum {
	const int *weights;
	int columns;
	sqlite3_int64 total;
	bool in_set[COLUMNS_MAX]; /* columns that have a phrase of the set */
};

static void add_column(struct sum *sum, char kind, int column)
{
	if (kind == '1' || kind == 'w')
		sum->total += sum->weights[column];
	if (kind != '1' && !sum->in_set[column]) {
		sum->in_set[column] = true;
		sum->total += sum->weights[column];
	}
}

static int add_phrase(const Fts5ExtensionApi *api, Fts5Context *context, int phrase, char kind,
		      struct sum *sum)
{
	Fts5PhraseIter place;
	int column;
	int code = api->xPhraseFirstColumn(context, phrase, &place, &column);

	if (kind == 'B' || kind == 'w')
		memset(sum->in_set, 0, sizeof(sum->in_set));
	for (; code == SQLITE_OK && column >= 0; api->xPhraseNextColumn(context, &place, &column)) {
		if (column < sum->columns)
			add_column(sum, kind, column);
	}
	return code;
}

static void weighted_words(const Fts5ExtensionApi *api, Fts5Context *context,
			   sqlite3_context *result, int count, sqlite3_value **values)
{
	const char *kinds = count > 0 ? (const char *)sqlite3_value_text(values[0]) : NULL;
	int weights[COLUMNS_MAX];
	struct sum sum = {.weights = weights};
	int code = kinds ? SQLITE_OK : SQLITE_ERROR;

	for (; sum.columns + 1 < count && sum.columns < COLUMNS_MAX; sum.columns++)
		weights[sum.columns] = sqlite3_value_int(values[sum.columns + 1]);
	for (int i = 0; code == SQLITE_OK && kinds[i] && i < api->xPhraseCount(context); i++)
		code = add_phrase(api, context, i, kinds[i], &sum);
	if (code == SQLITE_OK)
		sqlite3_result_int64(result, sum.total);
	else
		sqlite3_result_error_code(result, code);
}

/* FTS5 passes its API through a pointer value (section 7 of its documentation). */
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
