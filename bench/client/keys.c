/* The keys of the bench. Those that are measured with are token objects, made when first asked for. */
#include "client.h"

#define P256 "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P384 "\x06\x05\x2b\x81\x04\x00\x22"
/* PrintableString "edwards25519", which all peers take; the object identifier some do not. */
#define ED25519 "\x13\x0c" "edwards25519"

/* RSA signs a DigestInfo of SHA-256, 51 bytes, since not every peer makes the digest too. */
static const struct kind kinds[] = {
    {"rsa-2048", CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, 2048, NULL, 0, 0, 51},
    {"rsa-3072", CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, 3072, NULL, 0, 0, 51},
    {"rsa-4096", CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, 4096, NULL, 0, 0, 51},
    {"p-256", CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 0, P256, sizeof P256 - 1, 0, 32},
    {"p-384", CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 0, P384, sizeof P384 - 1, 0, 48},
    {"ed25519", CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, 0, ED25519, sizeof ED25519 - 1, 0, 32},
    {"ml-dsa-65", CKM_ML_DSA_KEY_PAIR_GEN, CKM_ML_DSA, 0, NULL, 0, CKP_ML_DSA_65, 32},
};

static CK_BBOOL yes = CK_TRUE;

const struct kind *kind_named(const char *name) {
  for (size_t i = 0; i < COUNT(kinds); i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  CHECK(!"a kind of keys");
  return NULL;
}

/* What tells the kind in the template of the public key; answers how many attributes. */
static CK_ULONG put_kind(const struct kind *kind, CK_ATTRIBUTE *into) {
  static CK_BYTE f4[] = {1, 0, 1};
  if (kind->curve != NULL) {
    into[0] = (CK_ATTRIBUTE){CKA_EC_PARAMS, (char *)(uintptr_t)kind->curve, kind->curve_length};
    return 1;
  }
  if (kind->set != 0) {
    into[0] = (CK_ATTRIBUTE){CKA_PARAMETER_SET, (void *)(uintptr_t)&kind->set, sizeof kind->set};
    return 1;
  }
  into[0] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, (void *)(uintptr_t)&kind->bits, sizeof kind->bits};
  into[1] = (CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, f4, sizeof f4};
  return 2;
}

void generate_pair(CK_SESSION_HANDLE session, const struct kind *kind, const char *label, bool token,
                   CK_OBJECT_HANDLE pair[2]) {
  CK_MECHANISM mechanism = {kind->generation, NULL, 0};
  CK_BBOOL lasting = token ? CK_TRUE : CK_FALSE;
  CK_ATTRIBUTE name = {CKA_LABEL, (char *)(uintptr_t)label, strlen(label)};
  CK_ATTRIBUTE on_token = {CKA_TOKEN, &lasting, sizeof lasting};
  CK_ATTRIBUTE public_key[5] = {name, on_token, {CKA_VERIFY, &yes, sizeof yes}};
  CK_ATTRIBUTE private_key[] = {name, on_token, {CKA_SIGN, &yes, sizeof yes}};
  CK_ULONG count = 3 + put_kind(kind, public_key + 3);
  ANSWERS(p11->C_GenerateKeyPair(session, &mechanism, public_key, count, private_key,
                                 COUNT(private_key), &pair[0], &pair[1]),
          CKR_OK);
}

void destroy(CK_SESSION_HANDLE session, const CK_OBJECT_HANDLE *objects, size_t count) {
  for (size_t i = 0; i < count; i++) ANSWERS(p11->C_DestroyObject(session, objects[i]), CKR_OK);
}

CK_ULONG find_labelled(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label,
                       CK_OBJECT_HANDLE *found) {
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_LABEL, (char *)(uintptr_t)label, strlen(label)}};
  CK_ULONG count = 0;
  ANSWERS(p11->C_FindObjectsInit(session, template, COUNT(template)), CKR_OK);
  ANSWERS(p11->C_FindObjects(session, found, 1, &count), CKR_OK);
  ANSWERS(p11->C_FindObjectsFinal(session), CKR_OK);
  return count;
}

/* The token's key of a kind, a new one where it has none. */
CK_OBJECT_HANDLE pair_key(CK_SESSION_HANDLE session, const struct kind *kind, CK_OBJECT_CLASS class) {
  CK_OBJECT_HANDLE key, pair[2];
  if (find_labelled(session, class, kind->name, &key) == 1) return key;
  generate_pair(session, kind, kind->name, true, pair);
  return class == CKO_PUBLIC_KEY ? pair[0] : pair[1];
}

/* A token object of 32 bytes. */
CK_OBJECT_HANDLE create_secret(CK_SESSION_HANDLE session, CK_KEY_TYPE type, const char *label) {
  CK_OBJECT_CLASS class = CKO_SECRET_KEY;
  CK_BYTE value[32] = {1, 2, 3};
  bool signs = type == CKK_GENERIC_SECRET;
  CK_ATTRIBUTE template[] = {
      {CKA_CLASS, &class, sizeof class},
      {CKA_KEY_TYPE, &type, sizeof type},
      {CKA_TOKEN, &yes, sizeof yes},
      {CKA_LABEL, (char *)(uintptr_t)label, strlen(label)},
      {CKA_VALUE, value, sizeof value},
      {signs ? CKA_SIGN : CKA_ENCRYPT, &yes, sizeof yes},
      {signs ? CKA_VERIFY : CKA_DECRYPT, &yes, sizeof yes},
  };
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_CreateObject(session, template, COUNT(template), &key), CKR_OK);
  return key;
}

CK_OBJECT_HANDLE secret_key(CK_SESSION_HANDLE session, CK_KEY_TYPE type, const char *label) {
  CK_OBJECT_HANDLE key;
  bool there = find_labelled(session, CKO_SECRET_KEY, label, &key) == 1;
  return there ? key : create_secret(session, type, label);
}
