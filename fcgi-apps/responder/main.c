/* The program of each service: compiled once for each, with SERVICE its struct service. */
#include "responder/service.h"

extern const struct service SERVICE;

int main(int argc, char **argv)
{
	return service_main(&SERVICE, argc, argv);
}
