/*
 * A callback that never returns. Other sessions go on; the process is to be killed.
 * usage: stuck MODULE PIN (rsa | slh-dsa | digest | encrypt | random), with SOFTOKI_SURRENDER_MS=0
 *        stuck MODULE PIN works: what another program does meanwhile and afterwards
 * Prints "stuck" once a callback does not return, and "others work" when another session has worked.
 */
#include <pthread.h>

#include "../foreign/program.h"

#define BYTES ((size_t)8 << 20)

static CK_SESSION_HANDLE other;
static CK_OBJECT_HANDLE pair[2];
static int stuck_at = 3;

/* One thread and one session more, of the same program. */
static void *works(void *unused) {
  CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, generation = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ULONG length = 32, bytes = 16;
  CK_BYTE hash[32];
  CK_OBJECT_HANDLE key;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &bytes, sizeof bytes}};
  ANSWERS(p11->C_DigestInit(other, &sha256), CKR_OK);
  ANSWERS(p11->C_Digest(other, hash, sizeof hash, hash, &length), CKR_OK);
  ANSWERS(p11->C_GenerateKey(other, &generation, template, 1, &key), CKR_OK);
  ANSWERS(p11->C_DestroyObject(other, key), CKR_OK);
  printf("others work\n");
  fflush(stdout);
  return unused;
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  pthread_t thread;
  (void)session, (void)event, (void)application;
  if (--stuck_at > 0) return CKR_OK;
  printf("stuck\n");
  pthread_create(&thread, NULL, works, NULL);
  for (;;) pause();
}

static void slh_dsa(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_SLH_DSA_KEY_PAIR_GEN, NULL, 0};
  CK_ULONG set = CKP_SLH_DSA_SHA2_256S;
  CK_ATTRIBUTE template[] = {{CKA_PARAMETER_SET, &set, sizeof set}};
  p11->C_GenerateKeyPair(session, &mechanism, template, 1, NULL, 0, &pair[0], &pair[1]);
}

static void digest(CK_SESSION_HANDLE session, CK_BYTE *data) {
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_ULONG length = 32;
  CK_BYTE hash[32];
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  p11->C_Digest(session, data, BYTES, hash, &length);
}

static void encrypt(CK_SESSION_HANDLE session, CK_BYTE *data) {
  CK_MECHANISM generation = {CKM_AES_KEY_GEN, NULL, 0}, mechanism = {CKM_AES_ECB, NULL, 0};
  CK_ULONG bytes = 32, length = BYTES;
  CK_OBJECT_HANDLE key;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &bytes, sizeof bytes}};
  ANSWERS(p11->C_GenerateKey(other, &generation, template, 1, &key), CKR_OK);
  ANSWERS(p11->C_EncryptInit(session, &mechanism, key), CKR_OK);
  p11->C_Encrypt(session, data, BYTES, data, &length);
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  const char *what = argv[3];
  CK_BYTE *data = calloc(1, BYTES);
  CHECK(data != NULL);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  other = open_session(NULL, NULL);
  login(other, argv[2]);
  if (strcmp(what, "works") == 0) {
    CHECK(find(other, NULL, NULL, NULL) == 0);
    works(NULL);
    ANSWERS(p11->C_Finalize(NULL), CKR_OK);
    free(data);
    return 0;
  }
  CK_SESSION_HANDLE session = open_session(notify, NULL);
  if (strcmp(what, "rsa") == 0) generate_rsa(session, 16384, "never", pair);
  if (strcmp(what, "slh-dsa") == 0) slh_dsa(session);
  if (strcmp(what, "digest") == 0) digest(session, data);
  if (strcmp(what, "encrypt") == 0) encrypt(session, data);
  if (strcmp(what, "random") == 0) p11->C_GenerateRandom(session, data, BYTES);
  CHECK(!"the callback never returns");
}
