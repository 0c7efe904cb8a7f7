/* The sessions opened with a callback: what to call, and with what. */
#ifndef SOFTOKI_SESSIONS_H
#define SOFTOKI_SESSIONS_H

#include "call.h"

struct session {
  struct session *next;
  CK_SESSION_HANDLE handle;
  CK_SLOT_ID slot;
  CK_NOTIFY notify;
  CK_VOID_PTR application;
};

/* `y`: whether there is a callback. Takes the memory for it now, while the call can still fail. */
void put_notify(struct call *call, CK_VOID_PTR application, CK_NOTIFY notify);

/* After C_OpenSession, C_CloseSession and C_CloseAllSessions; nothing where the call failed. */
void session_opened(struct call *call, CK_SLOT_ID slot, const CK_SESSION_HANDLE *handle);
void session_closed(struct call *call, CK_SESSION_HANDLE handle);
void slot_closed(struct call *call, CK_SLOT_ID slot);

/* CKR_FUNCTION_FAILED inside a callback of one of the slot's sessions. */
void refuse_within_slot(struct call *call, CK_SLOT_ID slot);

/* The callback of a session and what to pass to it; NULL where it has none. */
CK_NOTIFY session_notify(CK_SESSION_HANDLE handle, CK_VOID_PTR *application);

void sessions_free(struct session *first);

#endif
