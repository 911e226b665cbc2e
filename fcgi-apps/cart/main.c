#include "cart/service.h"

int main(void)
{
	return service_main(&cart_service);
}
