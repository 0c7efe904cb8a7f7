/* A session that opts in is told of progress ahead of each surrender; no other session is. */
#include "check.h"

#include "softoki.h"

static CK_FUNCTION_LIST *p11;
static const CK_SOFTOKI_FUNCTION_LIST *softoki;
static char application[1];
static int told, surrendered, cancel_at;

/* CK_INTERFACE, which a header of 2.40 does not have. */
struct interface {
  CK_UTF8CHAR *name;
  const void *functions;
  CK_FLAGS flags;
};

static const CK_SOFTOKI_FUNCTION_LIST *vendor_functions(void *library) {
  CK_RV (*get)(CK_UTF8CHAR *, CK_VERSION *, struct interface **, CK_FLAGS) = NULL;
  struct interface *interface = NULL;
  *(void **)&get = dlsym(library, "C_GetInterface");
  CHECK(get != NULL);
  ANSWERS(get((CK_UTF8CHAR *)SOFTOKI_INTERFACE, NULL, &interface, 0), CKR_OK);
  return interface->functions;
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  CHECK(session != CK_INVALID_HANDLE);
  if (event == CKN_SURRENDER) {
    CHECK(given == application);
    surrendered++;
    printf("surrender\n");
    return CKR_OK;
  }
  const CK_SOFTOKI_PROGRESS *progress = given;
  CHECK(event == CKN_SOFTOKI_PROGRESS && progress->ulVersion == 0);
  CHECK(progress->pApplication == application);
  printf("%ld %ld %ld\n", (long)progress->ulDone, (long)progress->ulElapsed, (long)progress->ulUsual);
  return ++told == cancel_at ? CKR_CANCEL : CKR_OK;
}

static CK_RV generate(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_OBJECT_HANDLE key;
  told = surrendered = 0;
  return p11->C_GenerateKey(session, &mechanism, NULL, 0, &key);
}

static CK_SESSION_HANDLE open(CK_NOTIFY callback) {
  CK_SESSION_HANDLE session;
  ANSWERS(p11->C_OpenSession(7, CKF_SERIAL_SESSION, application, callback, &session), CKR_OK);
  return session;
}

static void refusals(CK_SESSION_HANDLE silent) {
  ANSWERS(softoki->C_NotifyProgress(silent, CK_TRUE), CKR_ARGUMENTS_BAD);
  ANSWERS(softoki->C_NotifyProgress(silent, CK_FALSE), CKR_OK);
  ANSWERS(softoki->C_NotifyProgress(CK_INVALID_HANDLE, CK_TRUE), CKR_SESSION_HANDLE_INVALID);
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  void *library = load(arguments[1]);
  p11 = functions_of(library);
  softoki = vendor_functions(library);
  CHECK(softoki->version.major == 1 && softoki->version.minor == 0);
  ANSWERS(softoki->C_NotifyProgress(1, CK_TRUE), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE eager = open(notify), plain = open(notify);
  refusals(open(NULL));

  ANSWERS(softoki->C_NotifyProgress(eager, CK_TRUE), CKR_OK);
  ANSWERS(generate(eager), CKR_OK);
  CHECK(told == 3 && surrendered == 3);
  ANSWERS(generate(plain), CKR_OK);
  CHECK(told == 0 && surrendered == 3);

  cancel_at = 2;
  ANSWERS(generate(eager), CKR_FUNCTION_CANCELED);
  CHECK(told == 2 && surrendered == 1);
  ANSWERS(softoki->C_NotifyProgress(eager, CK_FALSE), CKR_OK);
  ANSWERS(generate(eager), CKR_OK);
  CHECK(told == 0 && surrendered == 3);
  ANSWERS(p11->C_CloseSession(eager), CKR_OK);
  ANSWERS(softoki->C_NotifyProgress(eager, CK_TRUE), CKR_SESSION_HANDLE_INVALID);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
