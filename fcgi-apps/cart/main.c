#include "cart/service.h"

int main(int argc, char **argv)
{
	return service_main(&cart_service, argc, argv);
}
