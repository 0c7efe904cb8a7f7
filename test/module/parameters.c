/*
 * Parameters that hold structures, arrays, templates and outputs; test/module/parameters.test.ts
 * looks at what was sent, and gives values back.
 */
#include "check.h"

#define BYTES(text) (CK_BYTE *)(text), sizeof(text) - 1

static CK_FUNCTION_LIST *p11;

static CK_RV derive(CK_MECHANISM_TYPE type, void *parameter, CK_ULONG length, CK_ULONG *key) {
  CK_MECHANISM mechanism = {type, parameter, length};
  return p11->C_DeriveKey(1, &mechanism, 2, NULL, 0, key);
}

static void structure_within(void) {
  CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, BYTES("label")};
  CK_RSA_AES_KEY_WRAP_PARAMS wrap = {256, &oaep}, bare = {128, NULL};
  CK_MECHANISM mechanism = {CKM_RSA_AES_KEY_WRAP, &wrap, sizeof wrap};
  CK_ULONG length;
  ANSWERS(p11->C_WrapKey(1, &mechanism, 2, 3, NULL, &length), CKR_OK);
  mechanism.pParameter = &bare;
  ANSWERS(p11->C_WrapKey(1, &mechanism, 2, 3, NULL, &length), CKR_OK);
}

static void several_keys(void) {
  static CK_SP800_108_COUNTER_FORMAT counter = {CK_FALSE, 32};
  CK_PRF_DATA_PARAM data[] = {{CK_SP800_108_ITERATION_VARIABLE, &counter, sizeof counter},
                              {CK_SP800_108_BYTE_ARRAY, BYTES("label")}};
  CK_ULONG length = 16;
  CK_ATTRIBUTE template[] = {{CKA_VALUE_LEN, &length, sizeof length}, {CKA_LABEL, BYTES("x")}};
  CK_OBJECT_HANDLE first = 7, second = 8, key = 9;
  CK_DERIVED_KEY further[] = {{template, 2, &first}, {NULL, 0, &second}};
  CK_SP800_108_KDF_PARAMS kdf = {CKM_SHA256_HMAC, 2, data, 2, further};
  ANSWERS(derive(CKM_SP800_108_COUNTER_KDF, &kdf, sizeof kdf, &key), CKR_OK);
  CHECK(key == 50 && first == 51 && second == 52);

  /* Only the handle of the key at fault is written. */
  ANSWERS(derive(CKM_SP800_108_COUNTER_KDF, &kdf, sizeof kdf, &key), CKR_TEMPLATE_INCONSISTENT);
  CHECK(key == 50 && first == 51 && second == CK_INVALID_HANDLE);

  ANSWERS(derive(CKM_SP800_108_COUNTER_KDF, &kdf, sizeof kdf, NULL), CKR_ARGUMENTS_BAD);
  kdf.ulNumberOfDataParams = 257;
  ANSWERS(derive(CKM_SP800_108_COUNTER_KDF, &kdf, sizeof kdf, &key), CKR_MECHANISM_PARAM_INVALID);
  kdf.ulNumberOfDataParams = 1, kdf.pDataParams = NULL;
  ANSWERS(derive(CKM_SP800_108_COUNTER_KDF, &kdf, sizeof kdf, &key), CKR_MECHANISM_PARAM_INVALID);
  kdf.ulNumberOfDataParams = 0, further[0].ulAttributeCount = 1025;
  ANSWERS(derive(CKM_SP800_108_COUNTER_KDF, &kdf, sizeof kdf, &key), CKR_MECHANISM_PARAM_INVALID);
}

static void key_material(void) {
  CK_BYTE iv[4] = "ab";
  CK_SSL3_KEY_MAT_OUT out = {1, 2, 3, 4, iv, NULL};
  CK_TLS12_KEY_MAT_PARAMS tls = {160,  128, 16, CK_FALSE, {BYTES("client"), BYTES("server")},
                                 &out, CKM_SHA256};
  ANSWERS(derive(CKM_TLS12_KEY_AND_MAC_DERIVE, &tls, sizeof tls, NULL), CKR_OK);
  CHECK(out.hClientMacSecret == 61 && out.hServerMacSecret == 62);
  CHECK(out.hClientKey == 63 && out.hServerKey == 4);
  CHECK(memcmp(iv, "IV\0", 4) == 0 && out.pIVClient == iv && out.pIVServer == NULL);
}

static void version(void) {
  CK_VERSION version = {9, 9};
  CK_TLS12_MASTER_KEY_DERIVE_PARAMS tls = {{BYTES("client"), BYTES("server")}, &version, CKM_SHA256};
  CK_OBJECT_HANDLE key;
  ANSWERS(derive(CKM_TLS12_MASTER_KEY_DERIVE, &tls, sizeof tls, &key), CKR_OK);
  CHECK(key == 70 && version.major == 3 && version.minor == 3);
  tls.pVersion = NULL;
  ANSWERS(derive(CKM_TLS12_MASTER_KEY_DERIVE, &tls, sizeof tls, &key), CKR_OK);
  CHECK(key == 71);
}

static void pseudorandom(void) {
  CK_BYTE output[8] = "........";
  CK_ULONG length = sizeof output;
  CK_TLS_PRF_PARAMS prf = {BYTES("seed"), BYTES("label"), output, &length};
  ANSWERS(derive(CKM_TLS_PRF, &prf, sizeof prf, NULL), CKR_OK);
  CHECK(length == 6 && memcmp(output, "output..", 8) == 0);
  length = 65537;
  ANSWERS(derive(CKM_TLS_PRF, &prf, sizeof prf, NULL), CKR_MECHANISM_PARAM_INVALID);
}

static void vectors(void) {
  CK_BYTE iv[12] = "fixed.......", made[8] = "........";
  CK_PBE_PARAMS pbe = {made, BYTES("password"), BYTES("salt"), 1000};
  CK_MECHANISM generation = {CKM_PBE_SHA1_DES3_EDE_CBC, &pbe, sizeof pbe};
  CK_GCM_WRAP_PARAMS gcm = {iv, 12, 40, CKG_GENERATE, NULL, 0, 128};
  CK_MECHANISM wrapping = {CKM_AES_GCM, &gcm, sizeof gcm};
  CK_ULONG length;
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_GenerateKey(1, &generation, NULL, 0, &key), CKR_OK);
  CHECK(memcmp(made, "8 bytes!", 8) == 0);
  ANSWERS(p11->C_WrapKey(1, &wrapping, 2, 3, NULL, &length), CKR_BUFFER_TOO_SMALL);
  CHECK(memcmp(iv, "fixed1234567", 12) == 0);
}

static void lengths_in_bits(void) {
  CK_CHACHA20_PARAMS chacha = {(CK_BYTE *)"1234", 32, (CK_BYTE *)"0123456789ab", 96};
  CK_MECHANISM mechanism = {CKM_CHACHA20, &chacha, sizeof chacha};
  ANSWERS(p11->C_DigestInit(1, &mechanism), CKR_OK);
  chacha.pBlockCounter = NULL, chacha.ulNonceBits = 95;
  ANSWERS(p11->C_DigestInit(1, &mechanism), CKR_OK);
  chacha.ulNonceBits = ~0ul;
  ANSWERS(p11->C_DigestInit(1, &mechanism), CKR_MECHANISM_PARAM_INVALID);
  CK_SALSA20_CHACHA20_POLY1305_PARAMS sealed = {(CK_BYTE *)"0123456789ab", 96, NULL, 0};
  CK_MECHANISM sealing = {CKM_CHACHA20_POLY1305, &sealed, sizeof sealed};
  ANSWERS(p11->C_DigestInit(1, &sealing), CKR_OK);
  sealed.ulNonceLen = 12;
  ANSWERS(p11->C_DigestInit(1, &sealing), CKR_OK);
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  structure_within();
  several_keys();
  key_material();
  version();
  pseudorandom();
  vectors();
  lengths_in_bits();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
