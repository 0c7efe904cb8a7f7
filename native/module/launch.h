/* Launching the service's process. */
#ifndef SOFTOKI_LAUNCH_H
#define SOFTOKI_LAUNCH_H

#include <stdbool.h>

/* Launches the service, which is to write one byte to `ready` once it listens. */
bool launch_service(int ready);

#endif
