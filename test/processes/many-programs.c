/*
 * One of many programs that use a token at once.
 * usage: many-programs MODULE PIN (work NUMBER ALL | generate | finalize | count)
 * A program that works makes the key "program NUMBER", prints "made", and reads a line; then it uses
 * the keys of the programs 0 to ALL - 1. One that generates is to be killed; one that finalizes calls
 * C_Finalize in the middle of its generation.
 */
#include <pthread.h>

#include "program.h"

static void name(char label[32], int number) {
  snprintf(label, 32, "program %d", number);
}

static void sign_and_verify(CK_SESSION_HANDLE session, const char *label) {
  CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
  CK_BYTE hash[32] = {9}, signature[64];
  CK_ULONG length = sizeof signature;
  CK_OBJECT_HANDLE private_key = key_named(session, CKO_PRIVATE_KEY, label);
  CK_OBJECT_HANDLE public_key = key_named(session, CKO_PUBLIC_KEY, label);
  ANSWERS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
  ANSWERS(p11->C_Sign(session, hash, sizeof hash, signature, &length), CKR_OK);
  ANSWERS(p11->C_VerifyInit(session, &ecdsa, public_key), CKR_OK);
  ANSWERS(p11->C_Verify(session, hash, sizeof hash, signature, length), CKR_OK);
}

static void work(CK_SESSION_HANDLE session, int number, int all) {
  char label[32];
  CK_OBJECT_HANDLE pair[2];
  name(label, number);
  generate_p256(session, label, pair);
  sign_and_verify(session, label);
  print_line("made");
  CHECK(getchar() != EOF);
  for (int other = 0; other < all; other++) {
    name(label, other);
    sign_and_verify(session, label);
  }
}

static void make_session_object(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ULONG length = 32;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &length, sizeof length}};
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_GenerateKey(session, &mechanism, template, COUNT(template), &key), CKR_OK);
}

static CK_RV tells(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR told) {
  (void)session, (void)event;
  if (!*(bool *)told) print_line("generating");
  *(bool *)told = true;
  return CKR_OK;
}

static void *generate(void *rv) {
  bool told = false;
  CK_OBJECT_HANDLE pair[2];
  *(CK_RV *)rv = generate_rsa(open_session(tells, &told), 16384, "never made", pair);
  return NULL;
}

static void finalize_amidst(void) {
  CK_RV rv = CKR_OK;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, generate, &rv) == 0);
  CHECK(getchar() != EOF);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(rv == CKR_FUNCTION_CANCELED || rv == CKR_CRYPTOKI_NOT_INITIALIZED);
}

int main(int argc, char **argv) {
  CK_RV rv;
  CHECK(argc >= 4);
  const char *what = argv[3];
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  if (strcmp(what, "count") == 0) printf("{\"all\":%lu}\n", find(session, NULL, NULL, NULL));
  if (strcmp(what, "work") == 0) work(session, atoi(argv[4]), atoi(argv[5]));
  if (strcmp(what, "generate") == 0 || strcmp(what, "finalize") == 0) make_session_object(session);
  if (strcmp(what, "generate") == 0) generate(&rv);
  if (strcmp(what, "finalize") == 0)
    finalize_amidst();
  else
    ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
