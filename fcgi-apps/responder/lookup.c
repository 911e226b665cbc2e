#include "responder/lookup.h"

#include <assert.h>

int lookup_run(const struct lookup *lookup, struct db_conn *conn, struct request *request,
	       struct response *response)
{
	struct db_statement statement CLEANUP(db_statement_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = lookup->ask(request, response, &statement);
	assert(r != LOOKUP_DECLINED);
	if (r || !statement.sql)
		return r;
	r = db_query_statement(conn, &statement, &rows);
	return r ? r : lookup->answer(request, response, rows);
}
