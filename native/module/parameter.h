/* The values of a parameter's structure into the request, and those that come back into its memory. */
#ifndef SOFTOKI_PARAMETER_H
#define SOFTOKI_PARAMETER_H

#include "call.h"

/*
 * Values by layout; the call remembers the structure for what comes back. Where a pointer is NULL that
 * must not be, or a length or count has no sense: CKR_MECHANISM_PARAM_INVALID.
 */
void put_values(struct call *call, void *structure, const char *layout);

/* Serves BACK, which call->reader stands in, behind the number of the call. */
void take_back(struct call *call);

#endif
