/* The pace of surrender callbacks that the application's user wishes. */
#ifndef SOFTOKI_PACE_H
#define SOFTOKI_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * SOFTOKI_SURRENDER_MS in milliseconds; WIRE_PACE_NONE where it is not set. False, after a complaint,
 * where it is no number from 0 to WIRE_PACE_MAX.
 */
bool pace_of_application(uint64_t *pace);

#endif
