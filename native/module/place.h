/* Where the service listens: docs/WIRE.md, "Where the service listens". */
#ifndef SOFTOKI_PLACE_H
#define SOFTOKI_PLACE_H

#include <stdbool.h>
#include <sys/un.h>

/* The address of the socket of this user and this home; false, after a log line, where there is none. */
bool place_of_service(struct sockaddr_un *address);

/* Whether the folder that the socket lies in is the user's own and nobody else's to write or read. */
bool place_is_private(const struct sockaddr_un *address);

#endif
