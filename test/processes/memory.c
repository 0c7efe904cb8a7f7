/*
 * Uses a service for long, or with much data, and tells how much memory its own process took.
 * usage: memory MODULE PIN calls NUMBER | memory MODULE PIN objects NUMBER | memory MODULE PIN data BYTES WHAT
 * WHAT is digest, cbc, ctr, gcm or open (which decrypts).
 */
#include <sys/mman.h>

#include "program.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE value[32] = {7};

static CK_OBJECT_HANDLE make_data(CK_SESSION_HANDLE session, char *label, CK_BBOOL *token) {
  CK_OBJECT_CLASS class = CKO_DATA;
  CK_OBJECT_HANDLE made;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_TOKEN, token, sizeof *token},
                             {CKA_VALUE, value, sizeof value},
                             {CKA_LABEL, label, strlen(label)}};
  ANSWERS(p11->C_CreateObject(session, template, COUNT(template), &made), CKR_OK);
  return made;
}

static CK_OBJECT_HANDLE make_key(CK_SESSION_HANDLE session) {
  CK_OBJECT_CLASS class = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_AES;
  CK_OBJECT_HANDLE made;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_TOKEN, &no, sizeof no},       {CKA_ENCRYPT, &yes, sizeof yes},
                             {CKA_DECRYPT, &yes, sizeof yes},   {CKA_VALUE, value, sizeof value}};
  ANSWERS(p11->C_CreateObject(session, template, COUNT(template), &made), CKR_OK);
  return made;
}

static void digest(CK_SESSION_HANDLE session, void *data, CK_ULONG length) {
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_BYTE digest[32];
  CK_ULONG room = sizeof digest;
  ANSWERS(p11->C_DigestInit(session, &mechanism), CKR_OK);
  ANSWERS(p11->C_Digest(session, data, length, digest, &room), CKR_OK);
}

/* An error: there is no such key. */
static void fails(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
  ANSWERS(p11->C_SignInit(session, &mechanism, 0xffffff), CKR_KEY_HANDLE_INVALID);
}

/* Thirteen calls of all sorts. */
static void round_of_calls(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, char *label) {
  CK_BYTE text[64];
  CK_ATTRIBUTE asked = {CKA_LABEL, text, sizeof text};
  CK_OBJECT_HANDLE found;
  ANSWERS(sign(session, key, CKM_ECDSA, value, sizeof value), CKR_OK);
  digest(session, value, sizeof value);
  CK_OBJECT_HANDLE made = make_data(session, label, &no);
  CHECK(find_all(session, NULL, label, &found) == 1 && found == made);
  ANSWERS(p11->C_GetAttributeValue(session, made, &asked, 1), CKR_OK);
  ANSWERS(p11->C_DestroyObject(session, made), CKR_OK);
  ANSWERS(p11->C_CloseSession(open_session(NULL, NULL)), CKR_OK);
  fails(session);
}

#define CALLS_OF_A_ROUND 16

static void calls(CK_SESSION_HANDLE session, int number) {
  CK_OBJECT_HANDLE key = 0;
  CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
  if (find(session, &private_key, "signer", &key) == 0) {
    CK_OBJECT_HANDLE pair[2];
    generate_p256(session, "signer", pair);
    key = pair[1];
  }
  for (int made = 0; made < number; made += CALLS_OF_A_ROUND) {
    char label[32];
    snprintf(label, sizeof label, "round %d", made);
    round_of_calls(session, key, label);
  }
}

static void objects(CK_SESSION_HANDLE session, int number) {
  for (int i = 0; i < number; i++) {
    char label[32];
    snprintf(label, sizeof label, "object %d", i);
    make_data(session, label, &yes);
  }
}

static void *bytes(CK_ULONG length) {
  void *made = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(made != MAP_FAILED);
  return memset(made, 1, length);
}

/* GCM's parameter has 12 bytes of IV; the others' 16 are the parameter, or its part. */
static CK_MECHANISM mechanism_for(const char *what) {
  static CK_BYTE iv[16];
  static CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 128};
  static CK_GCM_PARAMS gcm = {.pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128};
  if (strcmp(what, "ctr") == 0) return (CK_MECHANISM){CKM_AES_CTR, &ctr, sizeof ctr};
  if (strcmp(what, "gcm") == 0) return (CK_MECHANISM){CKM_AES_GCM, &gcm, sizeof gcm};
  return (CK_MECHANISM){CKM_AES_CBC, iv, sizeof iv};
}

/* A single-part call over so many bytes. */
static void data(CK_SESSION_HANDLE session, CK_ULONG length, const char *what) {
  CK_MECHANISM mechanism = mechanism_for(what);
  CK_ULONG room = length + 16;
  CK_BYTE *in = bytes(length);
  if (strcmp(what, "digest") == 0) return digest(session, in, length);
  CK_BYTE *out = bytes(room);
  CK_OBJECT_HANDLE key = make_key(session);
  if (strcmp(what, "open") == 0) {
    ANSWERS(p11->C_DecryptInit(session, &mechanism, key), CKR_OK);
    ANSWERS(p11->C_Decrypt(session, in, length, out, &room), CKR_OK);
  } else {
    ANSWERS(p11->C_EncryptInit(session, &mechanism, key), CKR_OK);
    ANSWERS(p11->C_Encrypt(session, in, length, out, &room), CKR_OK);
  }
  CHECK(room >= length);
}

/* The most memory that this process ever had, in KiB. */
static long most(void) {
  char line[128];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status) != NULL) sscanf(line, "VmHWM: %ld", &kib);
  fclose(status);
  return kib;
}

int main(int argc, char **argv) {
  CHECK(argc >= 5);
  p11 = functions_of(load(argv[1]));
  CK_SESSION_HANDLE session = begin(argv[2], NULL, NULL);
  if (strcmp(argv[3], "calls") == 0) calls(session, atoi(argv[4]));
  if (strcmp(argv[3], "objects") == 0) objects(session, atoi(argv[4]));
  if (strcmp(argv[3], "data") == 0) data(session, strtoul(argv[4], NULL, 10), argv[5]);
  printf("{\"most\":%ld}\n", most());
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
