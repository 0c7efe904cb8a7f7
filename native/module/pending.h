/*
 * Functions of asynchronous sessions (PKCS #11 3.2, 5.22): where the output of one goes that answered
 * CKR_PENDING. Nothing is written there before C_AsyncComplete, and nothing after the session closed.
 */
#ifndef SOFTOKI_PENDING_H
#define SOFTOKI_PENDING_H

#include "call.h"

/* A function answered: where it is pending, its session keeps the caller's buffer. */
void pending_begun(struct call *call);

/* The request and the answer of C_AsyncComplete. `result` may be NULL. */
void put_async_data(struct call *call, const char *name, const CK_ASYNC_DATA *result);
void get_async_data(struct call *call, CK_ASYNC_DATA *result);

/* The buffer of C_AsyncJoin, and what becomes of it where the function was joined. */
void put_async_room(struct call *call, const char *name, CK_BYTE_PTR room, CK_ULONG length);
void pending_joined(struct call *call, CK_BYTE_PTR room, CK_ULONG length);

#endif
