/*
 * Calls every function that has an answer, over and over, while the service answers nonsense. What
 * the calls answer is open; memory that was not given to them must stay as it was.
 */
#include "check.h"

#define GUARD 64

static CK_FUNCTION_LIST *p11;

/* A buffer of exactly `length` bytes on the heap, where AddressSanitizer sees its ends, with guards. */
static CK_BYTE *guarded(size_t length) {
  CK_BYTE *bytes = malloc(length + 2 * GUARD);
  memset(bytes, 0xa5, length + 2 * GUARD);
  return bytes + GUARD;
}

static void released(CK_BYTE *bytes, size_t length) {
  for (size_t i = 0; i < GUARD; i++) CHECK(bytes[-1 - (long)i] == 0xa5 && bytes[length + i] == 0xa5);
  free(bytes - GUARD);
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR given) {
  (void)session, (void)event, (void)given;
  return CKR_OK;
}

static void structures(void) {
  CK_BYTE *info = guarded(sizeof(CK_TOKEN_INFO));
  p11->C_GetInfo((CK_INFO *)info);
  p11->C_GetSlotInfo(1, (CK_SLOT_INFO *)info);
  p11->C_GetTokenInfo(1, (CK_TOKEN_INFO *)info);
  p11->C_GetSessionInfo(1, (CK_SESSION_INFO *)info);
  p11->C_GetMechanismInfo(1, CKM_SHA256, (CK_MECHANISM_INFO *)info);
  released(info, sizeof(CK_TOKEN_INFO));
}

static void lists(void) {
  CK_ULONG count = 4;
  CK_BYTE *list = guarded(4 * sizeof count);
  p11->C_GetSlotList(CK_TRUE, (CK_SLOT_ID *)list, &count);
  count = 4;
  p11->C_GetMechanismList(1, (CK_MECHANISM_TYPE *)list, &count);
  p11->C_GetMechanismList(1, NULL, &count);
  p11->C_FindObjects(1, (CK_OBJECT_HANDLE *)list, 4, &count);
  released(list, 4 * sizeof count);
}

static void rooms(CK_SESSION_HANDLE session) {
  CK_ULONG length = 48;
  CK_BYTE data[100] = "data", *room = guarded(48);
  p11->C_Encrypt(session, data, sizeof data, room, &length);
  length = 48;
  p11->C_Digest(session, data, sizeof data, room, &length);
  p11->C_Sign(session, data, sizeof data, NULL, &length);
  p11->C_GenerateRandom(session, room, 48);
  released(room, 48);
}

/* What is pending: the memory goes at once, whatever the service sends for it still. */
static void pending(CK_SESSION_HANDLE session) {
  CK_ULONG size = 2 << 20;
  CK_BYTE *data = guarded(size), *room = guarded(size);
  for (int i = 0; i < 3; i++) {
    CK_ULONG length = size;
    p11->C_Encrypt(session, data, size, room, &length);
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  released(data, size);
  released(room, size);
}

static void attributes(void) {
  CK_BYTE *label = guarded(16), *one = guarded(8), *other = guarded(8);
  CK_BYTE *array = guarded(2 * sizeof(CK_ATTRIBUTE));
  CK_ATTRIBUTE inner[2] = {{0, one, 8}, {0, other, 8}};
  memcpy(array, inner, sizeof inner);
  CK_ATTRIBUTE asked[] = {
      {CKA_LABEL, label, 16}, {CKA_VALUE, NULL, 20}, {CKA_WRAP_TEMPLATE, array, sizeof inner}};
  p11->C_GetAttributeValue(1, 1, asked, 3);
  released(label, 16);
  released(one, 8);
  released(other, 8);
  released(array, sizeof inner);
}

static void handles(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_OBJECT_HANDLE key, other;
  p11->C_GenerateKey(session, &mechanism, NULL, 0, &key);
  p11->C_GenerateKeyPair(session, &mechanism, NULL, 0, NULL, 0, &key, &other);
  p11->C_Login(session, CKU_USER, NULL, 0);
}

/* A parameter whose layout the service made up, and in which it wants to write. */
static void parameter(CK_SESSION_HANDLE session) {
  CK_BYTE *iv = guarded(12), *aad = guarded(5), *whole = guarded(sizeof(CK_GCM_PARAMS));
  CK_GCM_PARAMS given = {iv, 12, 96, aad, 5, 128};
  CK_MECHANISM mechanism = {CKM_AES_GCM, whole, sizeof given};
  CK_OBJECT_HANDLE key;
  memcpy(whole, &given, sizeof given);
  p11->C_GenerateKey(session, &mechanism, NULL, 0, &key);
  p11->C_DeriveKey(session, &mechanism, 1, NULL, 0, &key);
  memcpy(&given, whole, sizeof given);
  CHECK(given.pIv == iv && given.pAAD == aad);
  released(iv, 12);
  released(aad, 5);
  released(whole, sizeof given);
}

static void (*const parts[])(void) = {structures, lists, attributes};
static void (*const parts_of_session[])(CK_SESSION_HANDLE) = {rooms, handles, parameter, pending};

int main(int count, char **arguments) {
  CK_SESSION_HANDLE session;
  CHECK(count == 3);
  p11 = functions_of(load(arguments[1]));
  for (int i = atoi(arguments[2]); i > 0; i--) {
    if (p11->C_Initialize(NULL) != CKR_OK) continue;
    if (i % 7 < 3)
      parts[i % 7]();
    else if (p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, notify, &session) == CKR_OK)
      parts_of_session[i % 7 - 3](session);
    p11->C_Finalize(NULL);
  }
  return 0;
}
