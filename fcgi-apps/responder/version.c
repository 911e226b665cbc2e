#include "responder/version.h"

const char service_version[] = SERVICE_VERSION;
