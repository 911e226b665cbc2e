/* The commands of a service's program for its operator (docs/OPERATIONS.md). */
#ifndef RESPONDER_COMMAND_H
#define RESPONDER_COMMAND_H

#include "responder/service.h"

/*
 * Carries out the arguments, of which there is at least one besides the program's name, on the
 * database of DATABASE_URL. Results go to stdout. The exit status: 0 where all is well, 1 where
 * --check or --copy-to found violations, 2 where it could not be done.
 *
 * --routes needs no database. It prints a line for each operation of the service's document, from
 * which nginx/render.sh makes its locations: the callers ("public", siblings, "operator", separated
 * by commas), the method, the longest body in bytes (0: none is taken), the path's
 * template, the operationId.
 */
int command_run(const struct service *service, int argc, char **argv);

#endif
