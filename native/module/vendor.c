/* The interface "Vendor Softoki" of include/softoki.h. */
#include "call.h"
#include "interfaces.h"
#include "module.h"
#include "sessions.h"

#define NAME "C_NotifyProgress"

static const char *reason_of(CK_RV rv) {
  if (rv == CKR_SESSION_HANDLE_INVALID) return "there is no such session";
  return rv == CKR_ARGUMENTS_BAD ? "the session was opened without a callback" : NULL;
}

static CK_RV notify_progress(CK_SESSION_HANDLE hSession, CK_BBOOL bWanted) {
  uint32_t generation;
  if (!module_enter(&generation)) return say(NAME, CKR_CRYPTOKI_NOT_INITIALIZED, NULL);
  CK_RV rv = session_want_progress(hSession, bWanted != CK_FALSE);
  module_leave(generation);
  return rv == CKR_OK ? rv : say(NAME, rv, reason_of(rv));
}

const CK_SOFTOKI_FUNCTION_LIST softoki_function_list = {{1, 0}, notify_progress};
