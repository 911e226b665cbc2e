#include "order/service.h"

int main(int argc, char **argv)
{
	return service_main(&order_service, argc, argv);
}
