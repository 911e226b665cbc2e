#include "product/service.h"
#include "responder/service.h"

int main(void)
{
	return service_main(&product_service);
}
