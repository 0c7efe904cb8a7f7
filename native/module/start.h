/*
 * Reaching the service: connects to it, and starts it where none listens.
 *
 * The service is nobody's child: it is started by way of a process that ends at once, so that the
 * application never has to wait for it and sees no SIGCHLD. Of the application's descriptors and
 * signal settings it inherits none, of its environment what it needs. A set-uid program starts none.
 */
#ifndef SOFTOKI_START_H
#define SOFTOKI_START_H

#include "pkcs11.h"

/* A connected socket on which both sides speak the extension. CKR_FUNCTION_FAILED where there is none. */
CK_RV start_connect(int *fd);

#endif
