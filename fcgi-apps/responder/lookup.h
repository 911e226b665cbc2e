/*
 * A look-up: a read by one short statement, as two functions that run once each. Meanwhile the
 * request waits for the store, and those that arrived together share a round trip to a server. Runs
 * on the event thread, so neither function may block.
 *
 *	static int ask(struct request *request, struct response *response UNUSED,
 *		       struct db_statement *ret_statement)
 *	{
 *		db_statement_set(ret_statement, "SELECT name FROM visitors WHERE id = $1",
 *				 DB_VALUES(db_text(request_resource_id(request))));
 *		return 0;
 *	}
 *
 *	static int answer(struct request *request UNUSED, struct response *response,
 *			  struct db_rows *rows)
 *	{
 *		int r = db_next(rows);
 *		if (r == 0)
 *			response_not_found(response, "Visitor");
 *		else if (r > 0)
 *			write_visitor(response, rows);
 *		return r < 0 ? r : 0;
 *	}
 *
 *	const struct lookup visitor_api_get = {.ask = ask, .answer = answer};
 */
#ifndef RESPONDER_LOOKUP_H
#define RESPONDER_LOOKUP_H

#include "responder/request.h"
#include "responder/response.h"

/* Returned if one statement cannot answer this request: its operation's handler runs instead. */
#define LOOKUP_DECLINED 1

struct lookup {
	/* Sets the statement, whose texts may belong to the request, or fills the response if that
	 * needs no rows. 0, LOOKUP_DECLINED, or a negative error for response_error(). */
	int (*ask)(struct request *request, struct response *response,
		   struct db_statement *ret_statement);

	/* Fills the response from the rows; there may be none. 0, or a negative error. */
	int (*answer)(struct request *request, struct response *response, struct db_rows *rows);
};

/* Runs a look-up that never declines inside db_read or db_transaction: 0, its error or the
 * store's. */
int lookup_run(const struct lookup *lookup, struct db_conn *conn, struct request *request,
	       struct response *response);

#endif
