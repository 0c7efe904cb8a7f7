/*
 * Two operations at once, saved operations, and slot events, each as the example of its section has it.
 * usage: operations MODULE PIN (dual | state | events | finalize)
 */
#include <pthread.h>

#include "program.h"

#define PART_BYTES 32
/* More than travels with a call, and not a whole number of steps. */
#define LONG_BYTES (((size_t)3 << 20) + PART_BYTES)

static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
/* p11-kit's client knows no parameter of CKM_AES_CBC_PAD before its version 0.25. */
static CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
static CK_MECHANISM sha256_hmac = {CKM_SHA256_HMAC, NULL, 0};

static CK_OBJECT_HANDLE make_key(CK_SESSION_HANDLE session, CK_KEY_TYPE type) {
  CK_OBJECT_CLASS class = CKO_SECRET_KEY;
  CK_BYTE value[32] = "the value of a key in a test...";
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_VALUE, value, sizeof value}};
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_CreateObject(session, template, COUNT(template), &key), CKR_OK);
  return key;
}

static void expect_digest(CK_SESSION_HANDLE session, const void *message, CK_ULONG length,
                          const CK_BYTE expected[32]) {
  CK_BYTE hash[32];
  CK_ULONG room = sizeof hash;
  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  ANSWERS(p11->C_Digest(session, (CK_BYTE *)(uintptr_t)message, length, hash, &room), CKR_OK);
  CHECK(room == sizeof hash && memcmp(hash, expected, sizeof hash) == 0);
}

static void digest_and_crypt(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ULONG length) {
  CK_BYTE *message = malloc(length), *encrypted = malloc(length), *plain = malloc(length);
  CK_BYTE hash[32];
  CK_ULONG room, last = sizeof hash, hash_room = sizeof hash;
  CHECK(message != NULL && encrypted != NULL && plain != NULL);
  for (CK_ULONG i = 0; i < length; i++) message[i] = (CK_BYTE)(i * 7);

  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  ANSWERS(p11->C_EncryptInit(session, &ecb, key), CKR_OK);
  ANSWERS(p11->C_DigestEncryptUpdate(session, message, length, NULL, &room), CKR_OK);
  CHECK(room == length);
  room--;
  ANSWERS(p11->C_DigestEncryptUpdate(session, message, length, encrypted, &room),
          CKR_BUFFER_TOO_SMALL);
  CHECK(room == length);
  ANSWERS(p11->C_DigestEncryptUpdate(session, message, length, encrypted, &room), CKR_OK);
  ANSWERS(p11->C_EncryptFinal(session, hash, &last), CKR_OK);
  ANSWERS(p11->C_DigestFinal(session, hash, &hash_room), CKR_OK);
  expect_digest(session, message, length, hash);

  ANSWERS(p11->C_DecryptInit(session, &ecb, key), CKR_OK);
  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  ANSWERS(p11->C_DecryptDigestUpdate(session, encrypted, length, plain, &room), CKR_OK);
  CHECK(room == length && memcmp(plain, message, length) == 0);
  last = sizeof hash;
  ANSWERS(p11->C_DecryptFinal(session, hash, &last), CKR_OK);
  CHECK(last == 0);
  hash_room = sizeof hash;
  ANSWERS(p11->C_DigestFinal(session, hash, &hash_room), CKR_OK);
  expect_digest(session, message, length, hash);
  free(message);
  free(encrypted);
  free(plain);
}

static void sign_and_crypt(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  CK_OBJECT_HANDLE mac_key = make_key(session, CKK_GENERIC_SECRET);
  CK_BYTE message[PART_BYTES] = "signed and encrypted together", encrypted[PART_BYTES];
  CK_BYTE plain[sizeof encrypted], mac[32];
  CK_ULONG room = sizeof encrypted, last = sizeof mac, mac_room = sizeof mac;
  ANSWERS(p11->C_SignInit(session, &sha256_hmac, mac_key), CKR_OK);
  ANSWERS(p11->C_EncryptInit(session, &ecb, key), CKR_OK);
  ANSWERS(p11->C_SignEncryptUpdate(session, message, sizeof message, encrypted, &room), CKR_OK);
  ANSWERS(p11->C_EncryptFinal(session, mac, &last), CKR_OK);
  ANSWERS(p11->C_SignFinal(session, mac, &mac_room), CKR_OK);

  ANSWERS(p11->C_DecryptInit(session, &ecb, key), CKR_OK);
  ANSWERS(p11->C_VerifyInit(session, &sha256_hmac, mac_key), CKR_OK);
  room = sizeof plain;
  ANSWERS(p11->C_DecryptVerifyUpdate(session, encrypted, sizeof encrypted, plain, &room), CKR_OK);
  CHECK(room == sizeof message && memcmp(plain, message, room) == 0);
  last = sizeof mac;
  ANSWERS(p11->C_DecryptFinal(session, plain, &last), CKR_OK);
  ANSWERS(p11->C_VerifyFinal(session, mac, sizeof mac), CKR_OK);

  room = sizeof encrypted;
  ANSWERS(p11->C_SignEncryptUpdate(session, message, sizeof message, encrypted, &room),
          CKR_OPERATION_NOT_INITIALIZED);
}

static void dual(CK_SESSION_HANDLE session) {
  CK_OBJECT_HANDLE key = make_key(session, CKK_AES);
  CK_OBJECT_HANDLE copy;
  CK_ULONG size, copy_size;
  digest_and_crypt(session, key, PART_BYTES);
  digest_and_crypt(session, key, LONG_BYTES);
  ANSWERS(p11->C_CopyObject(session, key, NULL, 0, &copy), CKR_OK);
  ANSWERS(p11->C_GetObjectSize(session, key, &size), CKR_OK);
  ANSWERS(p11->C_GetObjectSize(session, copy, &copy_size), CKR_OK);
  CHECK(copy != key && size == copy_size && size > 32);
  sign_and_crypt(session, copy);
}

static void state(CK_SESSION_HANDLE session) {
  CK_BYTE one[] = {1, 3, 5, 7}, two[] = {2, 4, 8}, three[] = {0x10, 0x0f, 0x0e, 0x0d, 0x0c};
  CK_BYTE whole[] = {1, 3, 5, 7, 0x10, 0x0f, 0x0e, 0x0d, 0x0c}, hash[32], saved[256];
  CK_OBJECT_HANDLE key = make_key(session, CKK_AES), other = make_key(session, CKK_AES);
  CK_ULONG length, room = sizeof hash;
  CK_TOKEN_INFO info;
  ANSWERS(p11->C_GetTokenInfo(token_slot(), &info), CKR_OK);
  CHECK(info.flags & CKF_RESTORE_KEY_NOT_NEEDED && info.flags & CKF_DUAL_CRYPTO_OPERATIONS);

  ANSWERS(p11->C_GetOperationState(session, NULL, &length), CKR_OPERATION_NOT_INITIALIZED);
  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  ANSWERS(p11->C_DigestUpdate(session, one, sizeof one), CKR_OK);
  ANSWERS(p11->C_GetOperationState(session, NULL, &length), CKR_OK);
  CHECK(length > 0 && length <= sizeof saved);
  length--;
  ANSWERS(p11->C_GetOperationState(session, saved, &length), CKR_BUFFER_TOO_SMALL);
  ANSWERS(p11->C_GetOperationState(session, saved, &length), CKR_OK);
  ANSWERS(p11->C_DigestUpdate(session, two, sizeof two), CKR_OK);
  ANSWERS(p11->C_SetOperationState(session, saved, length, key, 0), CKR_KEY_NOT_NEEDED);
  ANSWERS(p11->C_SetOperationState(session, saved, length, 0, 0), CKR_OK);
  ANSWERS(p11->C_DigestUpdate(session, three, sizeof three), CKR_OK);
  ANSWERS(p11->C_DigestFinal(session, hash, &room), CKR_OK);
  expect_digest(session, whole, sizeof whole, hash);

  ANSWERS(p11->C_EncryptInit(session, &ecb, key), CKR_OK);
  length = sizeof saved;
  ANSWERS(p11->C_GetOperationState(session, saved, &length), CKR_OK);
  ANSWERS(p11->C_SetOperationState(session, saved, length, other, 0), CKR_KEY_CHANGED);
  ANSWERS(p11->C_SetOperationState(session, saved, length, key, 0), CKR_OK);
  room = sizeof hash;
  ANSWERS(p11->C_EncryptUpdate(session, one, sizeof one, hash, &room), CKR_OK);
  ANSWERS(p11->C_GetOperationState(session, saved, &length), CKR_STATE_UNSAVEABLE);
  saved[0] ^= 1;
  ANSWERS(p11->C_SetOperationState(session, saved, length, key, 0), CKR_SAVED_STATE_INVALID);

  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  ANSWERS(p11->C_DigestKey(session, key), CKR_OK);
  room = sizeof hash;
  ANSWERS(p11->C_DigestFinal(session, hash, &room), CKR_OK);
  expect_digest(session, "the value of a key in a test...", 32, hash);
}

static CK_SLOT_ID event_slot;

static void *wait_for_event(void *unused) {
  (void)unused;
  return (void *)p11->C_WaitForSlotEvent(0, &event_slot, NULL);
}

static CK_SLOT_ID free_slot(void) {
  CK_SLOT_ID slots[16];
  CK_ULONG count = COUNT(slots);
  ANSWERS(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
  return slots[count - 1];
}

/* A call that blocks is told of a token that another thread initialises. */
static void events(void) {
  CK_SLOT_ID slot = free_slot(), told;
  CK_UTF8CHAR label[32];
  pthread_t thread;
  void *answered;
  memset(label, ' ', sizeof label);
  memcpy(label, "event", 5);
  ANSWERS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &told, NULL), CKR_NO_EVENT);
  CHECK(pthread_create(&thread, NULL, wait_for_event, NULL) == 0);
  ANSWERS(p11->C_InitToken(slot, (CK_BYTE *)"so-pin", 6, label), CKR_OK);
  CHECK(pthread_join(thread, &answered) == 0 && answered == (void *)CKR_OK);
  CHECK(event_slot == slot);
  /* In its place another free slot is offered. */
  ANSWERS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &told, NULL), CKR_OK);
  CHECK(told == free_slot());
  ANSWERS(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &told, NULL), CKR_NO_EVENT);
}

/* C_Finalize releases a call that blocks. */
static void finalize(void) {
  pthread_t thread;
  void *answered;
  CHECK(pthread_create(&thread, NULL, wait_for_event, NULL) == 0);
  usleep(200000);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  CHECK(pthread_join(thread, &answered) == 0);
  CHECK(answered == (void *)CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  if (strcmp(argv[3], "events") == 0) {
    events();
  } else if (strcmp(argv[3], "finalize") == 0) {
    finalize();
  } else {
    CK_SESSION_HANDLE session = open_session(NULL, NULL);
    login(session, argv[2]);
    if (strcmp(argv[3], "dual") == 0) dual(session);
    if (strcmp(argv[3], "state") == 0) state(session);
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("{\"done\":\"%s\"}\n", argv[3]);
  return 0;
}
