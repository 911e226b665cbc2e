/* The program of each service: compiled once for each, with SERVICE its struct service. */
#include "responder/server.h"

extern const struct service SERVICE;

int main(int argc, char **argv)
{
	return server_main(&SERVICE, argc, argv);
}
