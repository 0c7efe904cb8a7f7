/*
 * What a row of the suite works with: a session of its own thread, keys, and a buffer for output
 * between guards. The callback looks for all of it where only the calling thread finds it.
 */
#ifndef SOFTOKI_SCENE_H
#define SOFTOKI_SCENE_H

#include <pthread.h>

#include "../foreign/program.h"

#define SHORT_BYTES 16
/* More than travels with a call: it is read and put piece by piece. */
#define LONG_BYTES (((size_t)1 << 20) + 4096)
#define ROOM_MAX (LONG_BYTES + 16)
#define GUARD_BYTES 4096
#define GUARD 0xa5
#define UNTOUCHED 0x5050505050505050UL

struct scene {
  /* The list of the version that this scene is for; only what the version has is called. */
  const CK_FUNCTION_LIST_3_2 *list;
  pthread_t thread;
  /* Keys and logins live here. */
  CK_SESSION_HANDLE keeper;
  CK_SESSION_HANDLE session;
  void *application;
  const char *label;

  CK_OBJECT_HANDLE aes, hmac, rsa[2], kem[2];
  CK_BYTE *data, *sealed, *message_sealed, *guarded, *out;
  CK_ULONG data_length;
  CK_BYTE mac[32], tag[16], recoverable[128], wrapped[24], message_wrapped[16], wrap_tag[16];
  CK_BYTE ciphertext[768];

  /* What a call puts out. */
  CK_ULONG room, length;
  CK_OBJECT_HANDLE made[2];

  int callbacks, cancel_at;
};

struct row {
  const char *name;
  /* The minor version of PKCS #11 that brought it, of 3; 0 for 2.40 too. `newer` is 1 from 3.0 on. */
  int newer, minor;
  /* It takes data of any length. */
  bool takes_data;
  /* It calls back while it waits for work in another thread: how often differs. */
  bool waits;
  /* Bytes of output where they are fixed, OF_DATA where they are as many as the data, 0: none. */
  CK_ULONG output;
  CK_ULONG makes;
  CK_RV (*begin)(struct scene *);
  CK_RV (*call)(struct scene *);
  /* Answers CKR_OPERATION_NOT_INITIALIZED where the operation is over. */
  CK_RV (*over)(struct scene *);
};

#define OF_DATA ((CK_ULONG)-1)

static __thread struct scene *here;

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  CHECK(here != NULL && pthread_equal(pthread_self(), here->thread));
  CHECK(session == here->session && event == CKN_SURRENDER && application == here->application);
  return ++here->callbacks == here->cancel_at ? CKR_CANCEL : CKR_OK;
}

#define TEXT(text) ((CK_BYTE *)(uintptr_t)(text))

static CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, sha256 = {CKM_SHA256, NULL, 0},
                    hmac = {CKM_SHA256_HMAC, NULL, 0}, rsa = {CKM_RSA_PKCS, NULL, 0},
                    kem = {CKM_ML_KEM, NULL, 0}, key_wrap = {CKM_AES_KEY_WRAP, NULL, 0},
                    gcm = {CKM_AES_GCM, NULL, 0};

#endif
