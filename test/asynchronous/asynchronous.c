/*
 * Long work in asynchronous sessions. usage:
 *   asynchronous MODULE PIN poll             a key pair, other work meanwhile, both handles
 *   asynchronous MODULE PIN leave            begins a key pair and a signature, prints their ids, exits
 *   asynchronous MODULE PIN join PAIR SIGN   takes both up in another process
 *   asynchronous MODULE PIN cancel           C_SessionCancel, and what answers afterwards
 *   asynchronous MODULE PIN refuse           wrong ids, names and buffers
 *   asynchronous MODULE PIN data             a digest over 256 MiB of this program's memory
 */
#include "program.h"

#define PAIR "C_GenerateKeyPair"
#define BITS 8192
#define LONGEST 49856

static CK_OBJECT_HANDLE handles[2];
static CK_BYTE signature[LONGEST];

static CK_RV begin_pair(CK_SESSION_HANDLE session, CK_ULONG bits, const char *label) {
  return generate_rsa(session, bits, label, handles);
}

static CK_RV begin_signature(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ULONG room) {
  CK_MECHANISM mechanism = {CKM_SLH_DSA, NULL, 0};
  ANSWERS(p11->C_SignInit(session, &mechanism, key), CKR_OK);
  return p11->C_Sign(session, (CK_BYTE *)"message", 7, signature, &room);
}

static CK_RV verify(CK_SESSION_HANDLE session, const CK_BYTE *given, CK_ULONG length) {
  CK_MECHANISM mechanism = {CKM_SLH_DSA, NULL, 0};
  CK_OBJECT_HANDLE key = key_named(session, CKO_PUBLIC_KEY, "slh");
  ANSWERS(p11->C_VerifyInit(session, &mechanism, key), CKR_OK);
  return p11->C_Verify(session, (CK_BYTE *)"message", 7, (CK_BYTE *)(uintptr_t)given, length);
}

static void poll_pair(CK_SESSION_HANDLE plain) {
  CK_SESSION_HANDLE session = open_asynchronous();
  CK_ASYNC_DATA result = {0};
  CK_OBJECT_HANDLE pair[2];
  int polls, signatures = 0;
  generate_p256(plain, "meanwhile", pair);
  ANSWERS(begin_pair(session, BITS, "polled"), CKR_PENDING);
  CK_RV rv;
  while ((rv = complete(session, PAIR, &result)) == CKR_PENDING) {
    ANSWERS(sign(plain, pair[1], CKM_ECDSA, "12345678901234567890", 20), CKR_OK);
    signatures++;
  }
  ANSWERS(rv, CKR_OK);
  CHECK(result.hObject != CK_INVALID_HANDLE && result.hAdditionalObject != CK_INVALID_HANDLE);
  ANSWERS(sign(plain, result.hAdditionalObject, CKM_SHA256_RSA_PKCS, "x", 1), CKR_OK);
  ANSWERS(complete(session, PAIR, &result), CKR_OPERATION_NOT_INITIALIZED);

  slh_dsa(plain, pair);
  ANSWERS(begin_signature(session, pair[1], sizeof signature), CKR_PENDING);
  ANSWERS(await(session, "C_Sign", &result, &polls), CKR_OK);
  CHECK(result.pValue == signature);
  ANSWERS(verify(plain, signature, result.ulValue), CKR_OK);
  printf("{\"signatures\":%d,\"polls\":%d,\"found\":%lu}\n", signatures, polls,
         find(plain, NULL, "polled", NULL));
}

static void leave(CK_SESSION_HANDLE plain) {
  CK_SESSION_HANDLE session = open_asynchronous(), signing = open_asynchronous();
  CK_OBJECT_HANDLE pair[2];
  CK_ULONG pair_id, sign_id;
  slh_dsa(plain, pair);
  ANSWERS(begin_pair(session, BITS, "joined"), CKR_PENDING);
  ANSWERS(p32->C_AsyncGetID(session, NAME(PAIR), &pair_id), CKR_OK);
  ANSWERS(begin_signature(signing, pair[1], sizeof signature), CKR_PENDING);
  ANSWERS(p32->C_AsyncGetID(signing, NAME("C_Sign"), &sign_id), CKR_OK);
  printf("{\"pair\":\"%lu\",\"sign\":\"%lu\"}\n", pair_id, sign_id);
}

static void join(CK_SESSION_HANDLE plain, CK_ULONG pair_id, CK_ULONG sign_id) {
  CK_SESSION_HANDLE session = open_asynchronous(), signing = open_asynchronous();
  CK_ASYNC_DATA result = {0};
  CK_BYTE *buffer = malloc(LONGEST);
  int polls;
  CHECK(buffer != NULL);
  CHECK(find(plain, NULL, "joined", NULL) == 0);
  ANSWERS(p32->C_AsyncJoin(session, NAME(PAIR), pair_id, NULL, 0), CKR_OK);
  ANSWERS(p32->C_AsyncJoin(signing, NAME(PAIR), pair_id, NULL, 0), CKR_SAVED_STATE_INVALID);
  ANSWERS(p32->C_AsyncJoin(signing, NAME("C_Sign"), sign_id, buffer, 100), CKR_BUFFER_TOO_SMALL);
  ANSWERS(p32->C_AsyncJoin(signing, NAME("C_Sign"), sign_id, buffer, LONGEST), CKR_OK);
  ANSWERS(await(session, PAIR, &result, &polls), CKR_OK);
  CHECK(result.hObject != CK_INVALID_HANDLE && result.hAdditionalObject != CK_INVALID_HANDLE);
  ANSWERS(sign(plain, result.hAdditionalObject, CKM_SHA256_RSA_PKCS, "x", 1), CKR_OK);
  ANSWERS(await(signing, "C_Sign", &result, &polls), CKR_OK);
  CHECK(result.pValue == buffer);
  ANSWERS(verify(plain, buffer, result.ulValue), CKR_OK);
  ANSWERS(p32->C_AsyncJoin(session, NAME(PAIR), pair_id, NULL, 0), CKR_SAVED_STATE_INVALID);
  printf("{\"found\":%lu}\n", find(plain, NULL, "joined", NULL));
  free(buffer);
}

static void cancel(CK_SESSION_HANDLE plain) {
  CK_SESSION_HANDLE session = open_asynchronous();
  CK_ASYNC_DATA result = {0};
  CK_ULONG id;
  ANSWERS(begin_pair(session, 16384, "cancelled"), CKR_PENDING);
  ANSWERS(p32->C_AsyncGetID(session, NAME(PAIR), &id), CKR_OK);
  ANSWERS(p32->C_SessionCancel(session, CKF_GENERATE_KEY_PAIR), CKR_OK);
  ANSWERS(complete(session, PAIR, &result), CKR_OPERATION_NOT_INITIALIZED);
  ANSWERS(p32->C_AsyncJoin(session, NAME(PAIR), id, NULL, 0), CKR_SAVED_STATE_INVALID);
  ANSWERS(begin_pair(session, 16384, "cancelled"), CKR_PENDING);
  ANSWERS(p11->C_CloseSession(session), CKR_OK);
  printf("{\"found\":%lu}\n", find(plain, NULL, "cancelled", NULL));
}

static void refuse(CK_SESSION_HANDLE plain) {
  CK_SESSION_HANDLE session = open_asynchronous();
  CK_OBJECT_HANDLE pair[2];
  CK_ASYNC_DATA result = {0}, newer = {.ulVersion = 1};
  CK_ULONG id, length = 0;
  int polls;
  CK_MECHANISM mechanism = {CKM_SLH_DSA, NULL, 0};
  slh_dsa(plain, pair);
  ANSWERS(complete(session, PAIR, &result), CKR_OPERATION_NOT_INITIALIZED);
  ANSWERS(complete(session, "C_Nothing", &result), CKR_ARGUMENTS_BAD);
  ANSWERS(p32->C_AsyncComplete(session, NULL, &result), CKR_ARGUMENTS_BAD);
  ANSWERS(p32->C_AsyncGetID(session, NAME(PAIR), &id), CKR_OPERATION_NOT_INITIALIZED);
  ANSWERS(p32->C_AsyncJoin(session, NAME(PAIR), 1, NULL, 0), CKR_SAVED_STATE_INVALID);
  ANSWERS(p32->C_AsyncJoin(session, NAME("C_Nothing"), 1, NULL, 0), CKR_ARGUMENTS_BAD);
  ANSWERS(p11->C_SignInit(session, &mechanism, pair[1]), CKR_OK);
  ANSWERS(p11->C_Sign(session, (CK_BYTE *)"message", 7, NULL, &length), CKR_OK);
  CHECK(length == 29792);
  length = 100;
  ANSWERS(p11->C_Sign(session, (CK_BYTE *)"message", 7, signature, &length), CKR_BUFFER_TOO_SMALL);
  CHECK(length == 29792);
  length = sizeof signature;
  ANSWERS(p11->C_Sign(session, (CK_BYTE *)"message", 7, signature, &length), CKR_PENDING);
  ANSWERS(p11->C_SignInit(session, &mechanism, pair[1]), CKR_OPERATION_ACTIVE);
  ANSWERS(complete(session, "C_Sign", &newer), CKR_ARGUMENTS_BAD);
  ANSWERS(await(session, "C_Sign", NULL, &polls), CKR_ARGUMENTS_BAD);
  ANSWERS(complete(session, "C_Sign", &result), CKR_OK);
  CHECK(result.pValue == signature && result.ulValue == 29792);
  ANSWERS(verify(plain, signature, result.ulValue), CKR_OK);
  printf("{\"refused\":true}\n");
}

static void digest(void) {
  size_t length = (size_t)256 << 20;
  CK_BYTE *data = calloc(length, 1), told[32], again[32];
  CK_ULONG room = sizeof told;
  CK_ASYNC_DATA result = {0};
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_SESSION_HANDLE session = open_asynchronous(), plain = open_session(NULL, NULL);
  int polls = 0;
  CHECK(data != NULL);
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  CK_RV rv = p11->C_Digest(session, data, length, told, &room);
  bool pending = rv == CKR_PENDING;
  if (pending) rv = await(session, "C_Digest", &result, &polls);
  ANSWERS(rv, CKR_OK);
  ANSWERS(p11->C_DigestInit(plain, &mechanism), CKR_OK);
  room = sizeof again;
  ANSWERS(p11->C_Digest(plain, data, length, again, &room), CKR_OK);
  CHECK(memcmp(told, again, sizeof told) == 0);
  printf("{\"pending\":%s,\"polls\":%d}\n", pending ? "true" : "false", polls);
  free(data);
}

int main(int argc, char **argv) {
  CHECK(argc >= 4);
  const char *what = argv[3];
  take_lists(argv[1]);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE plain = open_session(NULL, NULL);
  login(plain, argv[2]);
  if (strcmp(what, "poll") == 0) poll_pair(plain);
  if (strcmp(what, "leave") == 0) leave(plain);
  if (strcmp(what, "join") == 0) join(plain, strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
  if (strcmp(what, "cancel") == 0) cancel(plain);
  if (strcmp(what, "refuse") == 0) refuse(plain);
  if (strcmp(what, "data") == 0) digest();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
