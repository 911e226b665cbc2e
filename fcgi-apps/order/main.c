#include "order/service.h"

int main(void)
{
	return service_main(&order_service);
}
