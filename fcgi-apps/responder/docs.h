/*
 * The pages that render the service's document: Swagger UI at /docs, Redoc at /redoc. Their scripts
 * and styles come from npm and are packed into the program (scripts/docs-ui.sh); in a build without
 * npm both pages say that this is missing. Each page brings its Content-Security-Policy (CSP level
 * 3), under which nothing inline and nothing from elsewhere runs. Thread-safe, without state.
 *
 * /docs says so where AUTH=off. Where people can sign in (responder/sign_in.h), it is also the page
 * that the provider sends them back to, and its policy lets it call the provider.
 */
#ifndef RESPONDER_DOCS_H
#define RESPONDER_DOCS_H

#include "responder/request.h"
#include "responder/response.h"

/* Whether the program was built with the pages. */
bool docs_present(void);

/* Handlers, RUN_DIRECT. A file's name contains its hash, so it may be cached for ever. */
int docs_get_swagger(struct request *request, struct response *response);
int docs_get_redoc(struct request *request, struct response *response);
int docs_get_file(struct request *request, struct response *response);

#endif
