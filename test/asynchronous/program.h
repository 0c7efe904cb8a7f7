/* What the C programs of these tests share: the list of 3.2, asynchronous sessions, polling. */
#ifndef SOFTOKI_ASYNCHRONOUS_PROGRAM_H
#define SOFTOKI_ASYNCHRONOUS_PROGRAM_H

#include "../foreign/program.h"

static CK_FUNCTION_LIST_3_2 *p32;

#define NAME(function) ((CK_UTF8CHAR *)(uintptr_t)(function))

/* Loads the module and takes its list of 3.2 by C_GetInterface, before C_Initialize. */
static inline void take_lists(const char *path) {
  void *library = load(path);
  CK_RV (*get)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS) = NULL;
  CK_VERSION version = {3, 2};
  CK_INTERFACE *interface = NULL;
  *(void **)&get = dlsym(library, "C_GetInterface");
  CHECK(get != NULL);
  ANSWERS(get(NAME("PKCS 11"), &version, &interface, 0), CKR_OK);
  p32 = interface->pFunctionList;
  p11 = functions_of(library);
}

static inline CK_SESSION_HANDLE open_asynchronous(void) {
  CK_SESSION_HANDLE session;
  CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION | CKF_ASYNC_SESSION;
  ANSWERS(p11->C_OpenSession(token_slot(), flags, NULL, NULL, &session), CKR_OK);
  return session;
}

static inline CK_RV complete(CK_SESSION_HANDLE session, const char *function,
                             CK_ASYNC_DATA *result) {
  return p32->C_AsyncComplete(session, NAME(function), result);
}

/* Asks every ten milliseconds; answers what came, and in `polls` how often it was still pending. */
static inline CK_RV await(CK_SESSION_HANDLE session, const char *function, CK_ASYNC_DATA *result,
                          int *polls) {
  for (*polls = 0;; ++*polls) {
    CK_RV rv = complete(session, function, result);
    if (rv != CKR_PENDING) return rv;
    usleep(10000);
  }
}

/* A private key whose signatures take long: SLH-DSA-SHA2-256s. */
static inline void slh_dsa(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE pair[2]) {
  CK_MECHANISM mechanism = {CKM_SLH_DSA_KEY_PAIR_GEN, NULL, 0};
  CK_SLH_DSA_PARAMETER_SET_TYPE set = CKP_SLH_DSA_SHA2_256S;
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE name = {CKA_LABEL, "slh", 3};
  CK_ATTRIBUTE token = {CKA_TOKEN, &yes, sizeof yes};
  CK_ATTRIBUTE public_key[] = {
      name, token, {CKA_VERIFY, &yes, sizeof yes}, {CKA_PARAMETER_SET, &set, sizeof set}};
  CK_ATTRIBUTE private_key[] = {name, token, {CKA_SIGN, &yes, sizeof yes}};
  ANSWERS(p11->C_GenerateKeyPair(session, &mechanism, public_key, COUNT(public_key), private_key,
                                 COUNT(private_key), &pair[0], &pair[1]),
          CKR_OK);
}

#endif
