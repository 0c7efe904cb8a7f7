/*
 * Makes a P-256 key, or finds it again, and signs "lasting" with it.
 * usage: restart MODULE PIN (make | sign)
 */
#include "program.h"

#define LABEL "lasting"

static void print_hex(const char *name, const CK_BYTE *bytes, CK_ULONG length) {
  printf("{\"%s\":\"", name);
  for (CK_ULONG i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\"}\n");
}

static void print_signature(CK_SESSION_HANDLE session) {
  CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
  CK_BYTE message[] = "lasting", point[128], hash[32], signature[64];
  CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof point};
  CK_OBJECT_HANDLE private_key = key_named(session, CKO_PRIVATE_KEY, LABEL);
  CK_OBJECT_HANDLE public_key = key_named(session, CKO_PUBLIC_KEY, LABEL);
  CK_ULONG hash_length = sizeof hash, length = sizeof signature;

  ANSWERS(p11->C_GetAttributeValue(session, public_key, &attribute, 1), CKR_OK);
  ANSWERS(p11->C_DigestInit(session, &sha256), CKR_OK);
  ANSWERS(p11->C_Digest(session, message, strlen((char *)message), hash, &hash_length), CKR_OK);
  ANSWERS(p11->C_SignInit(session, &ecdsa, private_key), CKR_OK);
  ANSWERS(p11->C_Sign(session, hash, hash_length, signature, &length), CKR_OK);
  print_hex("point", point, attribute.ulValueLen);
  print_hex("signature", signature, length);
}

int main(int argc, char **argv) {
  CK_OBJECT_HANDLE pair[2];
  CHECK(argc == 4);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  if (strcmp(argv[3], "make") == 0) generate_p256(session, LABEL, pair);
  print_signature(session);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
