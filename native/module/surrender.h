/*
 * What the service asks of a call under way, or says of it: SURRENDER, READ, BACK and TRACE. (PUT:
 * connection.c.)
 */
#ifndef SOFTOKI_SURRENDER_H
#define SOFTOKI_SURRENDER_H

#include "call.h"

/* Whether the frame is one of these; otherwise it is the answer. */
bool surrender_is_request(const struct frame *frame);

/*
 * Answers a READ, whose call was read, from the data. False where it makes no sense; then nothing is
 * answered.
 */
bool surrender_read(const struct exchange *exchange, struct reader *reader, const uint8_t *data,
                    size_t data_length);

/*
 * Serves the request that call->reader stands at, in this thread, holding no lock. Where the request
 * makes no sense the call is malformed. After a callback the process may be another one (fork).
 */
void surrender_serve(struct call *call);

#endif
