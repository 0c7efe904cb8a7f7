/*
 * How frames go and come: by the memory that the connection shares with the service, or by the socket.
 * For connection.c; it says who may read when.
 */
#ifndef SOFTOKI_TRANSPORT_H
#define SOFTOKI_TRANSPORT_H

#include "connection.h"

bool connection_has_channel(const struct connection *connection);

/*
 * Sleeps until the service rings, or what is waited for is there; one thread listens at the socket, and
 * for others it counts the bells. The table is locked before and after. False at the end of the socket.
 */
bool connection_wait_for_bell(struct connection *connection, enum waiting waiting);

/* Reads one frame as the leader, without the table; NULL where the connection ended or a bound is broken. */
struct frame *connection_read_frame(struct connection *connection, uint32_t *code);

/* Wakes a thread that sleeps, which then leads, where nobody does. The table is locked. */
void connection_pass_the_lead(struct connection *connection);

#endif
