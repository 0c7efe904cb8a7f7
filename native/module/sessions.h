/* The sessions: what to call back, and with what; which mechanisms their messages are of. */
#ifndef SOFTOKI_SESSIONS_H
#define SOFTOKI_SESSIONS_H

#include "call.h"

/* The message-based operations of a session. */
enum message_operation { MESSAGE_ENCRYPT, MESSAGE_DECRYPT, MESSAGE_SIGN, MESSAGE_VERIFY };
#define MESSAGE_OPERATIONS 4

struct session {
  struct session *next;
  CK_SESSION_HANDLE handle;
  CK_SLOT_ID slot;
  CK_NOTIFY notify;
  CK_VOID_PTR application;
  /* It wants CKN_SOFTOKI_PROGRESS. */
  bool progress;
  /* The mechanism that each operation was begun with last; 0 for none. */
  CK_MECHANISM_TYPE messages[MESSAGE_OPERATIONS];
  /* The buffer of the function that is pending in it (pending.h). */
  CK_BYTE_PTR room;
  CK_ULONG room_length;
};

/* `y`: whether its functions surrender: to a callback, or to the progress that we draw. Takes the session's memory now, while the call can still fail. */
void put_notify(struct call *call, CK_VOID_PTR application, CK_NOTIFY notify);

/* After C_OpenSession, C_CloseSession and C_CloseAllSessions; nothing where the call failed. */
void session_opened(struct call *call, CK_SLOT_ID slot, const CK_SESSION_HANDLE *handle);
void session_closed(struct call *call, CK_SESSION_HANDLE handle);
void slot_closed(struct call *call, CK_SLOT_ID slot);

/* CKR_FUNCTION_FAILED inside a callback of one of the slot's sessions. */
void refuse_within_slot(struct call *call, CK_SLOT_ID slot);

/* The callback of a session, NULL where it has none; what to pass to it; whether it wants progress. */
CK_NOTIFY session_notify(CK_SESSION_HANDLE handle, CK_VOID_PTR *application, bool *progress);
/*
 * Has the session's callback be told of progress, or not. CKR_SESSION_HANDLE_INVALID where there is
 * no session, CKR_ARGUMENTS_BAD where it has no callback and wants progress.
 */
CK_RV session_want_progress(CK_SESSION_HANDLE handle, bool progress);

/* After C_MessageEncryptInit and its likes; nothing where the call failed. */
void message_begun(struct call *call, enum message_operation operation,
                   const CK_MECHANISM *mechanism);
/* What the session's operation was begun with; 0 for none. */
CK_MECHANISM_TYPE message_mechanism(CK_SESSION_HANDLE handle, enum message_operation operation);

/* Keeps the buffer of a function that is pending in the session. */
void session_keep_room(CK_SESSION_HANDLE handle, CK_BYTE_PTR room, CK_ULONG length);
/* That buffer; NULL where there is none. */
CK_BYTE_PTR session_room(CK_SESSION_HANDLE handle, size_t *length);

void sessions_free(struct session *first);

#endif
