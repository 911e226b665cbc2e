#include "product/service.h"
#include "responder/service.h"

int main(int argc, char **argv)
{
	return service_main(&product_service, argc, argv);
}
