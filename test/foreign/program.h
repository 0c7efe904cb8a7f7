/* What the C programs of these tests share. They print one JSON object a line and end with 0. */
#ifndef SOFTOKI_PROGRAM_H
#define SOFTOKI_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "../module/check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static CK_FUNCTION_LIST *p11;

/* Milliseconds since some moment in the past. */
static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The slot of the first token that is initialised. */
static inline CK_SLOT_ID token_slot(void) {
  CK_SLOT_ID slots[16];
  CK_ULONG count = COUNT(slots);
  ANSWERS(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
  for (CK_ULONG i = 0; i < count; i++) {
    CK_TOKEN_INFO info;
    ANSWERS(p11->C_GetTokenInfo(slots[i], &info), CKR_OK);
    if (info.flags & CKF_TOKEN_INITIALIZED) return slots[i];
  }
  CHECK(!"a token");
  return 0;
}

static inline CK_SESSION_HANDLE open_session(CK_NOTIFY notify, void *application) {
  CK_SESSION_HANDLE session;
  CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
  ANSWERS(p11->C_OpenSession(token_slot(), flags, application, notify, &session), CKR_OK);
  return session;
}

static inline void login(CK_SESSION_HANDLE session, const char *pin) {
  ANSWERS(p11->C_Login(session, CKU_USER, (CK_BYTE *)(uintptr_t)pin, strlen(pin)), CKR_OK);
}

/* Objects that fit a template; the first of them to `first`. */
static inline CK_ULONG find_all(CK_SESSION_HANDLE session, CK_OBJECT_CLASS *class, const char *label,
                                CK_OBJECT_HANDLE *first) {
  CK_ATTRIBUTE template[2];
  CK_OBJECT_HANDLE found[256];
  CK_ULONG count = 0, conditions = 0;
  if (label != NULL)
    template[conditions++] = (CK_ATTRIBUTE){CKA_LABEL, (char *)(uintptr_t)label, strlen(label)};
  if (class != NULL) template[conditions++] = (CK_ATTRIBUTE){CKA_CLASS, class, sizeof *class};
  ANSWERS(p11->C_FindObjectsInit(session, template, conditions), CKR_OK);
  ANSWERS(p11->C_FindObjects(session, found, COUNT(found), &count), CKR_OK);
  ANSWERS(p11->C_FindObjectsFinal(session), CKR_OK);
  if (first != NULL && count > 0) *first = found[0];
  return count;
}

/* Objects with this label, or all but those that tell the token's profiles where it is NULL. */
static inline CK_ULONG find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS *class, const char *label,
                            CK_OBJECT_HANDLE *first) {
  CK_OBJECT_CLASS profile = CKO_PROFILE;
  CK_ULONG all = find_all(session, class, label, first);
  return class != NULL || label != NULL ? all : all - find_all(session, &profile, NULL, NULL);
}

static inline CK_OBJECT_HANDLE key_named(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
                                         const char *label) {
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  CHECK(find(session, &class, label, &key) == 1);
  return key;
}

static inline CK_RV generate_rsa(CK_SESSION_HANDLE session, CK_ULONG bits, const char *label,
                                 CK_OBJECT_HANDLE pair[2]) {
  CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE name = {CKA_LABEL, (char *)(uintptr_t)label, strlen(label)};
  CK_ATTRIBUTE token = {CKA_TOKEN, &yes, sizeof yes};
  CK_ATTRIBUTE public_key[] = {
      name, token, {CKA_VERIFY, &yes, sizeof yes}, {CKA_MODULUS_BITS, &bits, sizeof bits}};
  CK_ATTRIBUTE private_key[] = {name, token, {CKA_SIGN, &yes, sizeof yes}};
  return p11->C_GenerateKeyPair(session, &mechanism, public_key, COUNT(public_key), private_key,
                                COUNT(private_key), &pair[0], &pair[1]);
}

static inline void generate_p256(CK_SESSION_HANDLE session, const char *label,
                                 CK_OBJECT_HANDLE pair[2]) {
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
  CK_BYTE prime256v1[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE name = {CKA_LABEL, (char *)(uintptr_t)label, strlen(label)};
  CK_ATTRIBUTE token = {CKA_TOKEN, &yes, sizeof yes};
  CK_ATTRIBUTE public_key[] = {
      name, token, {CKA_VERIFY, &yes, sizeof yes}, {CKA_EC_PARAMS, prime256v1, sizeof prime256v1}};
  CK_ATTRIBUTE private_key[] = {name, token, {CKA_SIGN, &yes, sizeof yes}};
  ANSWERS(p11->C_GenerateKeyPair(session, &mechanism, public_key, COUNT(public_key), private_key,
                                 COUNT(private_key), &pair[0], &pair[1]),
          CKR_OK);
}

/* One C_SignInit and C_Sign. */
static inline CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE type,
                         const void *data, CK_ULONG length) {
  CK_MECHANISM mechanism = {type, NULL, 0};
  CK_BYTE signature[2048];
  CK_ULONG room = sizeof signature;
  CK_RV rv = p11->C_SignInit(session, &mechanism, key);
  if (rv != CKR_OK) return rv;
  return p11->C_Sign(session, (CK_BYTE *)(uintptr_t)data, length, signature, &room);
}

#endif
