/*
 * Derivations whose parameters hold structures, and which give back handles, versions and IVs.
 * usage: derivations MODULE PIN (several | tls | pbe | pbkdf2 ITERATIONS CANCEL | old-pbkdf2)
 * CANCEL is the callback that answers CKR_CANCEL; 0: none does.
 */
#include "program.h"

#define BYTES(text) (CK_BYTE *)(text), sizeof(text) - 1

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET, aes = CKK_AES;

#define OPEN {CKA_SENSITIVE, &no, sizeof no}, {CKA_EXTRACTABLE, &yes, sizeof yes}

static void print_bytes(const char *name, const CK_BYTE *bytes, size_t length) {
  printf("{\"%s\":\"", name);
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\"}\n");
}

static void print_value(CK_SESSION_HANDLE session, const char *name, CK_OBJECT_HANDLE key) {
  CK_BYTE value[512];
  CK_ATTRIBUTE query = {CKA_VALUE, value, sizeof value};
  ANSWERS(p11->C_GetAttributeValue(session, key, &query, 1), CKR_OK);
  print_bytes(name, value, query.ulValueLen);
}

/* A generic secret of so many equal bytes that other keys are derived from. */
static CK_OBJECT_HANDLE secret(CK_SESSION_HANDLE session, int byte, CK_ULONG length) {
  CK_OBJECT_CLASS class = CKO_SECRET_KEY;
  CK_BYTE value[64];
  CK_OBJECT_HANDLE key;
  memset(value, byte, length);
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_KEY_TYPE, &generic, sizeof generic},
                             {CKA_VALUE, value, length},
                             {CKA_DERIVE, &yes, sizeof yes}};
  ANSWERS(p11->C_CreateObject(session, template, COUNT(template), &key), CKR_OK);
  return key;
}

/* The example of PKCS #11 3.2, 6.42.6: a key of 48 bytes and one of 16. */
static void several(CK_SESSION_HANDLE session) {
  CK_SP800_108_COUNTER_FORMAT counter = {CK_FALSE, 8};
  CK_SP800_108_DKM_LENGTH_FORMAT dkm = {CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, CK_FALSE, 16};
  CK_PRF_DATA_PARAM data[] = {{CK_SP800_108_ITERATION_VARIABLE, &counter, sizeof counter},
                              {CK_SP800_108_BYTE_ARRAY, BYTES("label")},
                              {CK_SP800_108_DKM_LENGTH, &dkm, sizeof dkm}};
  CK_ULONG long_key = 48, short_key = 16;
  CK_ATTRIBUTE template[] = {OPEN, {CKA_VALUE_LEN, &long_key, sizeof long_key}};
  CK_ATTRIBUTE further_template[] = {
      OPEN, {CKA_KEY_TYPE, &aes, sizeof aes}, {CKA_VALUE_LEN, &short_key, sizeof short_key}};
  CK_OBJECT_HANDLE base = secret(session, 0x42, 32), key = 7, further = 8, offender = 9;
  CK_DERIVED_KEY keys[] = {{further_template, COUNT(further_template), &further},
                           {template, 2, &offender}};
  CK_SP800_108_KDF_PARAMS kdf = {CKM_SHA256_HMAC, COUNT(data), data, 1, keys};
  CK_MECHANISM mechanism = {CKM_SP800_108_COUNTER_KDF, &kdf, sizeof kdf};
  ANSWERS(p11->C_DeriveKey(session, &mechanism, base, template, COUNT(template), &key), CKR_OK);
  print_value(session, "key", key);
  print_value(session, "further", further);

  CK_ULONG before = find(session, NULL, NULL, NULL);
  CK_OBJECT_HANDLE kept = further;
  kdf.ulAdditionalDerivedKeys = 2;
  CK_RV rv = p11->C_DeriveKey(session, &mechanism, base, template, COUNT(template), &key);
  printf("{\"rv\":%lu,\"offender\":%lu,\"other\":%s,\"left\":%lu}\n", rv, offender,
         further == kept ? "\"as it was\"" : "\"changed\"",
         find(session, NULL, NULL, NULL) - before);
}

static void tls(CK_SESSION_HANDLE session) {
  CK_VERSION version = {0, 0};
  CK_BYTE client[32], server[32], iv_client[16], iv_server[16];
  memset(client, 0xc1, sizeof client);
  memset(server, 0x5e, sizeof server);
  CK_SSL3_RANDOM_DATA randoms = {client, sizeof client, server, sizeof server};
  CK_TLS12_MASTER_KEY_DERIVE_PARAMS master_parameter = {randoms, &version, CKM_SHA256};
  CK_MECHANISM mechanism = {CKM_TLS12_MASTER_KEY_DERIVE, &master_parameter,
                            sizeof master_parameter};
  CK_ATTRIBUTE template[] = {OPEN, {CKA_DERIVE, &yes, sizeof yes}};
  CK_OBJECT_HANDLE master;
  ANSWERS(p11->C_DeriveKey(session, &mechanism, secret(session, 3, 48), template, COUNT(template),
                           &master),
          CKR_OK);
  print_value(session, "master", master);
  printf("{\"version\":[%d,%d]}\n", version.major, version.minor);

  CK_SSL3_KEY_MAT_OUT out = {1, 2, 3, 4, iv_client, iv_server};
  CK_TLS12_KEY_MAT_PARAMS material = {160, 128, 128, CK_FALSE, randoms, &out, CKM_SHA256};
  CK_ATTRIBUTE key_template[] = {{CKA_KEY_TYPE, &aes, sizeof aes}};
  mechanism = (CK_MECHANISM){CKM_TLS12_KEY_AND_MAC_DERIVE, &material, sizeof material};
  ANSWERS(p11->C_DeriveKey(session, &mechanism, master, key_template, 1, NULL), CKR_OK);
  print_value(session, "clientMac", out.hClientMacSecret);
  print_value(session, "serverMac", out.hServerMacSecret);
  print_value(session, "clientKey", out.hClientKey);
  print_value(session, "serverKey", out.hServerKey);
  print_bytes("clientIv", iv_client, sizeof iv_client);
  print_bytes("serverIv", iv_server, sizeof iv_server);
}

/* The password "smeg" as PKCS #12 has it. */
static void pbe(CK_SESSION_HANDLE session) {
  CK_BYTE iv[8] = {0};
  CK_PBE_PARAMS parameter = {iv, BYTES("\0s\0m\0e\0g\0\0"), BYTES("\x0a\x58\xcf\x64\x53\x0d\x82\x3f"),
                             1};
  CK_MECHANISM mechanism = {CKM_PBE_SHA1_DES3_EDE_CBC, &parameter, sizeof parameter};
  CK_ATTRIBUTE template[] = {OPEN};
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_GenerateKey(session, &mechanism, template, COUNT(template), &key), CKR_OK);
  print_value(session, "key", key);
  print_bytes("iv", iv, sizeof iv);
}

static int callbacks, cancel_at;
static double cancelled;

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application) {
  (void)session, (void)event, (void)application;
  if (++callbacks != cancel_at) return CKR_OK;
  cancelled = now();
  return CKR_CANCEL;
}

static CK_RV pbkdf2_with(CK_SESSION_HANDLE session, void *parameter, CK_ULONG length,
                         CK_OBJECT_HANDLE *key) {
  CK_ULONG value_length = 20;
  CK_MECHANISM mechanism = {CKM_PKCS5_PBKD2, parameter, length};
  CK_ATTRIBUTE template[] = {OPEN,
                             {CKA_KEY_TYPE, &generic, sizeof generic},
                             {CKA_VALUE_LEN, &value_length, sizeof value_length}};
  return p11->C_GenerateKey(session, &mechanism, template, COUNT(template), key);
}

static void pbkdf2(CK_SESSION_HANDLE session, CK_ULONG iterations) {
  CK_PKCS5_PBKD2_PARAMS2 parameter = {
      CKZ_SALT_SPECIFIED, (void *)"salt", 4, iterations, CKP_PKCS5_PBKD2_HMAC_SHA1, NULL, 0,
      BYTES("password")};
  CK_OBJECT_HANDLE key;
  CK_RV rv = pbkdf2_with(session, &parameter, sizeof parameter, &key);
  double after = cancelled > 0 ? now() - cancelled : 0;
  printf("{\"rv\":%lu,\"callbacks\":%d,\"afterCancel\":%.1f,\"left\":%lu}\n", rv, callbacks, after,
         find(session, NULL, NULL, NULL));
  if (rv == CKR_OK) print_value(session, "value", key);
}

/* The structure of 2.40, whose ulPasswordLen is a pointer, and lengths that are none. */
static void old_pbkdf2(CK_SESSION_HANDLE session) {
  static CK_ULONG far_length = 8;
  CK_ULONG length = 8;
  CK_PKCS5_PBKD2_PARAMS old = {
      CKZ_SALT_SPECIFIED, (void *)"salt", 4, 2, CKP_PKCS5_PBKD2_HMAC_SHA1, NULL, 0,
      (CK_BYTE *)"password", &length};
  CK_OBJECT_HANDLE key;
  ANSWERS(pbkdf2_with(session, &old, sizeof old, &key), CKR_OK);
  print_value(session, "value", key);
  old.ulPasswordLen = &far_length;
  ANSWERS(pbkdf2_with(session, &old, sizeof old, &key), CKR_OK);
  CK_PKCS5_PBKD2_PARAMS2 parameter = {
      CKZ_SALT_SPECIFIED, (void *)"salt", 4, 2, CKP_PKCS5_PBKD2_HMAC_SHA1, NULL, 0,
      (CK_BYTE *)"password", 0};
  static const CK_ULONG none[] = {((CK_ULONG)16 << 20) + 1, (CK_ULONG)1 << 47, ~(CK_ULONG)0};
  for (size_t i = 0; i < COUNT(none); i++) {
    parameter.ulPasswordLen = none[i];
    ANSWERS(pbkdf2_with(session, &parameter, sizeof parameter, &key), CKR_MECHANISM_PARAM_INVALID);
  }
}

int main(int argc, char **argv) {
  CHECK(argc >= 4);
  const char *what = argv[3];
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_session(notify, NULL);
  login(session, argv[2]);
  if (strcmp(what, "several") == 0) several(session);
  if (strcmp(what, "tls") == 0) tls(session);
  if (strcmp(what, "pbe") == 0) pbe(session);
  if (strcmp(what, "old-pbkdf2") == 0) old_pbkdf2(session);
  if (strcmp(what, "pbkdf2") == 0) {
    CHECK(argc == 6);
    cancel_at = atoi(argv[5]);
    pbkdf2(session, strtoul(argv[4], NULL, 10));
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
