/* Values of each kind, there and back; test/module/values.test.ts looks at what was sent. */
#include "check.h"

static CK_FUNCTION_LIST *p11;

static void structures(void) {
  CK_INFO info;
  CK_SESSION_INFO session;
  CK_MECHANISM_INFO mechanism;
  ANSWERS(p11->C_GetInfo(&info), CKR_OK);
  CHECK(info.cryptokiVersion.major == 3 && info.cryptokiVersion.minor == 2);
  CHECK(memcmp(info.manufacturerID, "Softoki                         ", 32) == 0);
  CHECK(info.flags == 0 && info.libraryVersion.minor == 1);
  ANSWERS(p11->C_GetSessionInfo(0xffffffffffffffff, &session), CKR_OK);
  CHECK(session.slotID == 7 && session.flags == CKF_SERIAL_SESSION);
  CHECK(session.ulDeviceError == 0xffffffffffffffff);
  ANSWERS(p11->C_GetMechanismInfo(3, CKM_VENDOR_DEFINED, &mechanism), CKR_OK);
  CHECK(mechanism.flags == CKM_VENDOR_DEFINED);
}

static void lists(void) {
  CK_SLOT_ID slots[4] = {0};
  CK_ULONG count = 77;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
  CHECK(count == 3);
  count = 2;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_BUFFER_TOO_SMALL);
  CHECK(count == 3 && slots[0] == 0);
  count = 4;
  ANSWERS(p11->C_GetSlotList(42, slots, &count), CKR_OK);
  CHECK(count == 3 && slots[0] == 7 && slots[2] == 9 && slots[3] == 0);

  CK_OBJECT_HANDLE found[4] = {0};
  ANSWERS(p11->C_FindObjects(1, found, 4, &count), CKR_OK);
  CHECK(count == 2 && found[0] == 11 && found[1] == 12 && found[2] == 0);
  ANSWERS(p11->C_FindObjects(1, NULL, 0, &count), CKR_OK);
  CHECK(count == 0);
}

static void parameters(void) {
  CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
  CK_GCM_PARAMS gcm = {(CK_BYTE *)"0123456789ab", 12, 96, (CK_BYTE *)"more", 4, 128};
  CK_ECDH1_DERIVE_PARAMS ecdh = {CKD_NULL, 0, NULL, 5, (CK_BYTE *)"point"};
  CK_EDDSA_PARAMS eddsa = {CK_TRUE, 7, (CK_BYTE *)"context"};
  CK_AES_CTR_PARAMS ctr = {128, "0123456789abcde"};
  CK_MAC_GENERAL_PARAMS mac = 12;
  CK_MECHANISM mechanisms[] = {
      {CKM_SHA256, NULL, 0},
      {CKM_RSA_PKCS_PSS, &pss, sizeof pss},
      {CKM_RSA_PKCS_PSS, &pss, sizeof pss - 8},
      {CKM_AES_GCM, &gcm, sizeof gcm},
      {CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh},
      {CKM_EDDSA, &eddsa, sizeof eddsa},
      {CKM_EDDSA, NULL, 0},
      {CKM_AES_CTR, &ctr, sizeof ctr},
      {CKM_SHA256_HMAC_GENERAL, &mac, sizeof mac},
  };
  for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
    ANSWERS(p11->C_DigestInit(1, &mechanisms[i]), CKR_OK);
  ANSWERS(p11->C_DigestInit(1, NULL), CKR_OK);
}

static void templates(void) {
  CK_OBJECT_CLASS class = CKO_SECRET_KEY;
  CK_BBOOL yes = CK_TRUE;
  CK_MECHANISM_TYPE allowed[] = {CKM_AES_GCM, CKM_AES_CBC};
  CK_ATTRIBUTE inner[] = {{CKA_ENCRYPT, &yes, 1}, {CKA_LABEL, "x", 1}};
  CK_ATTRIBUTE attributes[] = {
      {CKA_CLASS, &class, sizeof class},
      {CKA_WRAP_TEMPLATE, inner, sizeof inner},
      {CKA_ALLOWED_MECHANISMS, allowed, sizeof allowed},
      {CKA_LABEL, NULL, 0},
      {CKA_ENCAPSULATE_TEMPLATE | CKF_ARRAY_ATTRIBUTE, inner, sizeof *inner},
  };
  ANSWERS(p11->C_FindObjectsInit(1, attributes, 5), CKR_OK);
  ANSWERS(p11->C_FindObjectsInit(1, NULL, 0), CKR_OK);
}

static void queries(void) {
  CK_BYTE label[8] = "........", small[2], inner_label[8];
  CK_ATTRIBUTE inner[2] = {{0xdead, NULL, 5}, {0xdead, inner_label, sizeof inner_label}};
  CK_ATTRIBUTE asked[] = {
      {CKA_LABEL, label, sizeof label},
      {CKA_VALUE, NULL, 99},
      {CKA_ID, small, sizeof small},
      {CKA_WRAP_TEMPLATE, inner, sizeof inner},
      {CKA_UNWRAP_TEMPLATE, NULL, 0},
  };
  ANSWERS(p11->C_GetAttributeValue(1, 2, asked, 5), CKR_ATTRIBUTE_SENSITIVE);
  CHECK(asked[0].ulValueLen == 5 && memcmp(label, "label...", 8) == 0);
  CHECK(asked[1].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  CHECK(asked[2].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  CHECK(asked[3].ulValueLen == 2 * sizeof *inner);
  CHECK(inner[0].type == CKA_ENCRYPT && inner[0].ulValueLen == 1);
  CHECK(inner[1].type == CKA_LABEL && inner[1].ulValueLen == 2);
  CHECK(memcmp(inner_label, "in", 2) == 0);
  CHECK(asked[4].ulValueLen == 0);
}

static void pins(void) {
  ANSWERS(p11->C_Login(1, CKU_USER, (CK_UTF8CHAR *)"1234", 4), CKR_OK);
  ANSWERS(p11->C_Login(1, CKU_USER, NULL, 0), CKR_OK);
  ANSWERS(p11->C_Login(1, CKU_USER, NULL, 1), CKR_ARGUMENTS_BAD);
  ANSWERS(p11->C_InitToken(1, (CK_UTF8CHAR *)"so", 2,
                           (CK_UTF8CHAR *)"a label of 32 bytes, blanks too  "),
          CKR_OK);
  ANSWERS(p11->C_SetPIN(1, (CK_UTF8CHAR *)"old", 3, (CK_UTF8CHAR *)"", 0), CKR_OK);
}

static void room(void) {
  CK_BYTE out[16];
  CK_ULONG length = 5;
  memset(out, '.', sizeof out);
  ANSWERS(p11->C_Digest(1, (CK_BYTE *)"abc", 3, NULL, &length), CKR_OK);
  CHECK(length == 4);
  length = 3;
  ANSWERS(p11->C_Digest(1, (CK_BYTE *)"abc", 3, out, &length), CKR_BUFFER_TOO_SMALL);
  CHECK(length == 4 && out[0] == '.');
  length = sizeof out;
  ANSWERS(p11->C_Digest(1, NULL, 0, out, &length), CKR_OK);
  CHECK(length == 4 && memcmp(out, "hash....", 8) == 0);
  ANSWERS(p11->C_GenerateRandom(1, out, 6), CKR_OK);
  CHECK(memcmp(out, "random..", 8) == 0);
  ANSWERS(p11->C_GenerateRandom(1, NULL, 0), CKR_OK);
}

/* What is counted from the start of a structure arrives as addresses. */
static void structure(void) {
  CK_ULONG words[4] = {0}, length = sizeof words;
  ANSWERS(p11->C_Sign(1, NULL, 0, (CK_BYTE *)words, &length), CKR_OK);
  CHECK(length == sizeof words && words[1] == 7 && memcmp(&words[3], "value", 6) == 0);
  CHECK(words[0] == (CK_ULONG)(words + 4) && words[2] == (CK_ULONG)words);
}

/* A structure that points out of itself: the service is not believed any more. */
static void no_structure(CK_SESSION_HANDLE session) {
  CK_ULONG words[4], length = sizeof words;
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_Sign(session, NULL, 0, (CK_BYTE *)words, &length), CKR_DEVICE_REMOVED);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
}

/* Longer than what travels with a call: read by the service, and put by it. */
static void streams(void) {
  CK_ULONG length = (3 << 20) + 7, filled = length;
  CK_BYTE *in = malloc(length), *out = calloc(1, length);
  for (CK_ULONG i = 0; i < length; i++) in[i] = (CK_BYTE)(i * 31 >> 3);
  ANSWERS(p11->C_Encrypt(1, in, length, out, &filled), CKR_OK);
  CHECK(filled == length && memcmp(in, out, length) == 0);
  memset(out, 0, length);
  ANSWERS(p11->C_GenerateRandom(1, out, length), CKR_OK);
  for (CK_ULONG i = 0; i < length; i++) CHECK(out[i] == 'r');
  free(in);
  free(out);
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  structures();
  lists();
  parameters();
  templates();
  queries();
  pins();
  room();
  structure();
  streams();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  for (CK_SESSION_HANDLE session = 2; session <= 5; session++) no_structure(session);
  return 0;
}
