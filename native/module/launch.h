/* Launching the service's process. */
#ifndef SOFTOKI_LAUNCH_H
#define SOFTOKI_LAUNCH_H

#include <stdbool.h>

/*
 * Launches the service, which is to write one byte to `ready` once it listens, and on its standard
 * error, `errors`, why it does not. False, after a complaint, where it cannot be run.
 */
bool launch_service(int ready, int errors);

#endif
