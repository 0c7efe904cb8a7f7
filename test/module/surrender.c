/* The callback: in which thread, with what, and what may be called from inside it. */
#include "check.h"

#include <pthread.h>

static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE first, second, third, silent;
static int called, called_within;
static pthread_t caller;
static char application[1];

static CK_RV within(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  CHECK(session == second && event == CKN_SURRENDER && given == NULL);
  called_within++;
  ANSWERS(p11->C_DigestInit(first, NULL), CKR_OPERATION_ACTIVE);
  ANSWERS(p11->C_DigestInit(second, NULL), CKR_OPERATION_ACTIVE);
  ANSWERS(p11->C_CloseAllSessions(8), CKR_FUNCTION_FAILED);
  ANSWERS(p11->C_DigestInit(third, NULL), CKR_OK);
  return CKR_OK;
}

static void *call_elsewhere(void *unused) {
  CK_ULONG count;
  ANSWERS(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
  ANSWERS(p11->C_GetFunctionStatus(first), CKR_FUNCTION_NOT_PARALLEL);
  return unused;
}

static void call_from_another_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, call_elsewhere, NULL);
  pthread_join(thread, NULL);
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  CK_SESSION_INFO info;
  CK_ULONG count;
  CHECK(pthread_equal(pthread_self(), caller));
  CHECK(session == first && event == CKN_SURRENDER && given == application);
  called++;
  ANSWERS(p11->C_GetSessionInfo(first, &info), CKR_OK);
  ANSWERS(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
  ANSWERS(p11->C_GetFunctionStatus(first), CKR_FUNCTION_NOT_PARALLEL);
  ANSWERS(p11->C_DigestInit(first, NULL), CKR_OPERATION_ACTIVE);
  ANSWERS(p11->C_Login(first, CKU_USER, NULL, 0), CKR_OPERATION_ACTIVE);
  ANSWERS(p11->C_CloseSession(first), CKR_FUNCTION_FAILED);
  ANSWERS(p11->C_CloseAllSessions(7), CKR_FUNCTION_FAILED);
  ANSWERS(p11->C_CloseAllSessions(9), CKR_OK);
  ANSWERS(p11->C_Finalize(NULL), CKR_FUNCTION_FAILED);
  ANSWERS(p11->C_GetSessionInfo(first, NULL), CKR_ARGUMENTS_BAD);
  call_from_another_thread();
  return CKR_OK;
}

static CK_RV generate(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_OBJECT_HANDLE key = 0;
  CK_RV rv = p11->C_GenerateKey(session, &mechanism, NULL, 0, &key);
  CHECK((rv == CKR_OK) == (key == 77));
  return rv;
}

static CK_RV nests(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  CK_RV rv = notify(session, event, given);
  if (called_within == 0) {
    ANSWERS(generate(second), CKR_OK);
    CHECK(called_within == 3);
  }
  ANSWERS(p11->C_DigestInit(second, NULL), CKR_OK);
  return rv;
}

static CK_RV cancels(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  (void)session, (void)event, (void)given;
  return ++called == 2 ? CKR_CANCEL : CKR_OK;
}

static void *generates(void *unused) {
  caller = pthread_self();
  ANSWERS(generate(first), CKR_OK);
  CHECK(called == 3 && called_within == 3);
  return unused;
}

static CK_SESSION_HANDLE open(CK_SLOT_ID slot, CK_VOID_PTR given, CK_NOTIFY callback) {
  CK_SESSION_HANDLE session;
  ANSWERS(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, given, callback, &session), CKR_OK);
  return session;
}

int main(int count, char **arguments) {
  pthread_t thread;
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  first = open(7, application, nests);
  second = open(8, NULL, within);
  third = open(9, NULL, NULL);
  silent = open(7, application, NULL);

  pthread_create(&thread, NULL, generates, NULL);
  pthread_join(thread, NULL);

  called = 0;
  ANSWERS(generate(silent), CKR_OK);
  CHECK(called == 0);

  ANSWERS(p11->C_CloseSession(first), CKR_OK);
  ANSWERS(p11->C_CloseAllSessions(8), CKR_OK);
  first = open(7, application, cancels);
  ANSWERS(generate(first), CKR_FUNCTION_CANCELED);
  CHECK(called == 2);
  ANSWERS(generate(second), CKR_OK);
  CHECK(called_within == 3);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
