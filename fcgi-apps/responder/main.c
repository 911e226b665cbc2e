/* The program of every service: compiled once per service, with SERVICE defined as its struct
 * service. */
#include "responder/server.h"

extern const struct service SERVICE;

int main(int argc, char **argv)
{
	return server_main(&SERVICE, argc, argv);
}
