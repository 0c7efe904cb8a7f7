#include "sessions.h"

#include <stdlib.h>

#include "module.h"

void put_notify(struct call *call, CK_VOID_PTR application, CK_NOTIFY notify) {
  message_u8(&call->message, notify != NULL || module.draws);
  if (!call_is_well(call)) return;
  call->opening = calloc(1, sizeof *call->opening);
  if (call->opening == NULL) {
    call_fail(call, CKR_HOST_MEMORY, "no memory for the session's callback");
    return;
  }
  call->opening->notify = notify;
  call->opening->application = application;
}

void session_opened(struct call *call, CK_SLOT_ID slot, const CK_SESSION_HANDLE *handle) {
  struct session *session = call->opening;
  if (!call_is_well(call) || session == NULL) return;
  session->handle = *handle;
  session->slot = slot;
  lock_take(&module.connection.table);
  session->next = module.sessions;
  module.sessions = session;
  lock_release(&module.connection.table);
  call->opening = NULL;
}

static bool has_handle(const struct session *session, CK_ULONG handle) {
  return session->handle == handle;
}

static bool lies_in_slot(const struct session *session, CK_ULONG slot) {
  return session->slot == slot;
}

static void forget(bool (*matches)(const struct session *, CK_ULONG), CK_ULONG wanted) {
  lock_take(&module.connection.table);
  for (struct session **at = &module.sessions; *at != NULL;) {
    struct session *session = *at;
    if (matches(session, wanted)) {
      *at = session->next;
      free(session);
    } else
      at = &session->next;
  }
  lock_release(&module.connection.table);
}

void session_closed(struct call *call, CK_SESSION_HANDLE handle) {
  if (call_is_well(call)) forget(has_handle, handle);
}

void slot_closed(struct call *call, CK_SLOT_ID slot) {
  if (call_is_well(call)) forget(lies_in_slot, slot);
}

/* The table is locked. */
static struct session *find(CK_SESSION_HANDLE handle) {
  struct session *at = module.sessions;
  while (at != NULL && at->handle != handle) at = at->next;
  return at;
}

static bool session_in_slot(CK_SESSION_HANDLE handle, CK_ULONG slot) {
  const struct session *session = find(handle);
  return session != NULL && session->slot == slot;
}

void refuse_within_slot(struct call *call, CK_SLOT_ID slot) {
  if (exchange_within(&module.connection, session_in_slot, slot))
    call_fail(call, CKR_FUNCTION_FAILED, "called inside a callback of one of these sessions");
}

CK_NOTIFY session_notify(CK_SESSION_HANDLE handle, CK_VOID_PTR *application, bool *progress) {
  CK_NOTIFY notify = NULL;
  lock_take(&module.connection.table);
  const struct session *session = find(handle);
  if (session != NULL) {
    notify = session->notify;
    *application = session->application;
    *progress = session->progress;
  }
  lock_release(&module.connection.table);
  return notify;
}

CK_RV session_want_progress(CK_SESSION_HANDLE handle, bool progress) {
  CK_RV rv = CKR_OK;
  lock_take(&module.connection.table);
  struct session *session = find(handle);
  if (session == NULL)
    rv = CKR_SESSION_HANDLE_INVALID;
  else if (progress && session->notify == NULL)
    rv = CKR_ARGUMENTS_BAD;
  else
    session->progress = progress;
  lock_release(&module.connection.table);
  return rv;
}

void message_begun(struct call *call, enum message_operation operation,
                   const CK_MECHANISM *mechanism) {
  if (!call_is_well(call) || mechanism == NULL) return;
  lock_take(&module.connection.table);
  struct session *session = find(call->exchange.session);
  if (session != NULL) session->messages[operation] = mechanism->mechanism;
  lock_release(&module.connection.table);
}

CK_MECHANISM_TYPE message_mechanism(CK_SESSION_HANDLE handle, enum message_operation operation) {
  lock_take(&module.connection.table);
  const struct session *session = find(handle);
  CK_MECHANISM_TYPE type = session == NULL ? 0 : session->messages[operation];
  lock_release(&module.connection.table);
  return type;
}

void session_keep_room(CK_SESSION_HANDLE handle, CK_BYTE_PTR room, CK_ULONG length) {
  lock_take(&module.connection.table);
  struct session *session = find(handle);
  if (session != NULL) {
    session->room = room;
    session->room_length = length;
  }
  lock_release(&module.connection.table);
}

CK_BYTE_PTR session_room(CK_SESSION_HANDLE handle, size_t *length) {
  lock_take(&module.connection.table);
  const struct session *session = find(handle);
  CK_BYTE_PTR room = session == NULL ? NULL : session->room;
  *length = session == NULL ? 0 : session->room_length;
  lock_release(&module.connection.table);
  return room;
}

void sessions_free(struct session *first) {
  while (first != NULL) {
    struct session *next = first->next;
    free(first);
    first = next;
  }
}
