/*
 * HOTP: the value comes in a CK_OTP_SIGNATURE_INFO whose pointers point into the caller's own buffer.
 * usage: otp MODULE PIN
 */
#include "program.h"

/* RFC 4226, appendix D. */
static CK_BYTE secret[] = "12345678901234567890";
static const char *values[] = {"755224", "287082", "359152"};

static CK_OBJECT_HANDLE make_key(CK_SESSION_HANDLE session) {
  CK_OBJECT_CLASS class = CKO_OTP_KEY;
  CK_KEY_TYPE type = CKK_HOTP;
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_TOKEN, &yes, sizeof yes},
                             {CKA_VALUE, secret, sizeof secret - 1}};
  CK_OBJECT_HANDLE key;
  ANSWERS(p11->C_CreateObject(session, template, COUNT(template), &key), CKR_OK);
  return key;
}

static const CK_OTP_PARAM *parameter(const CK_OTP_SIGNATURE_INFO *info, CK_OTP_PARAM_TYPE type) {
  for (CK_ULONG i = 0; i < info->ulCount; i++)
    if (info->pParams[i].type == type) return &info->pParams[i];
  return NULL;
}

static bool within(const void *pointer, CK_ULONG size, const void *buffer, CK_ULONG length) {
  uintptr_t at = (uintptr_t)pointer, start = (uintptr_t)buffer;
  return at >= start && at + size <= start + length;
}

/* The next value of the key, in a buffer of exactly the length asked for. */
static CK_OTP_SIGNATURE_INFO *next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  CK_OTP_PARAMS nothing = {NULL, 0};
  CK_MECHANISM mechanism = {CKM_HOTP, &nothing, sizeof nothing};
  CK_ULONG length = 0, count;
  ANSWERS(p11->C_SignInit(session, &mechanism, key), CKR_OK);
  ANSWERS(p11->C_Sign(session, NULL, 0, NULL, &length), CKR_OK);
  CK_OTP_SIGNATURE_INFO *info = malloc(length);
  count = length - 1;
  ANSWERS(p11->C_Sign(session, NULL, 0, (CK_BYTE *)info, &count), CKR_BUFFER_TOO_SMALL);
  CHECK(count == length);
  ANSWERS(p11->C_Sign(session, NULL, 0, (CK_BYTE *)info, &count), CKR_OK);
  CHECK(count == length);
  CHECK(within(info->pParams, info->ulCount * sizeof *info->pParams, info, length));
  for (CK_ULONG i = 0; i < info->ulCount; i++)
    CHECK(within(info->pParams[i].pValue, info->pParams[i].ulValueLen, info, length));
  return info;
}

static void verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                   const CK_OTP_SIGNATURE_INFO *info, CK_RV expected) {
  CK_OTP_PARAM counter = *parameter(info, CK_OTP_COUNTER);
  CK_OTP_PARAMS parameters = {&counter, 1};
  CK_MECHANISM mechanism = {CKM_HOTP, &parameters, sizeof parameters};
  const CK_OTP_PARAM *value = parameter(info, CK_OTP_VALUE);
  ANSWERS(p11->C_VerifyInit(session, &mechanism, key), CKR_OK);
  ANSWERS(p11->C_Verify(session, NULL, 0, value->pValue, value->ulValueLen), expected);
}

static CK_RV cancel(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *application) {
  (void)session;
  (void)event;
  (void)application;
  return CKR_CANCEL;
}

/* A cancelled C_Sign uses no value up: the next one is still to come. */
static void cancel_one(CK_OBJECT_HANDLE key) {
  CK_OTP_PARAMS nothing = {NULL, 0};
  CK_MECHANISM mechanism = {CKM_HOTP, &nothing, sizeof nothing};
  CK_SESSION_HANDLE session = open_session(cancel, NULL);
  CK_BYTE room[1024];
  CK_ULONG length = sizeof room;
  ANSWERS(p11->C_SignInit(session, &mechanism, key), CKR_FUNCTION_CANCELED);
  ANSWERS(p11->C_Sign(session, NULL, 0, room, &length), CKR_FUNCTION_CANCELED);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  p11 = functions_of(load(argv[1]));
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_session(NULL, NULL);
  login(session, argv[2]);
  CK_OBJECT_HANDLE key = make_key(session);
  for (CK_ULONG i = 0; i < COUNT(values); i++) {
    cancel_one(key);
    CK_OTP_SIGNATURE_INFO *info = next(session, key);
    const CK_OTP_PARAM *value = parameter(info, CK_OTP_VALUE);
    CHECK(value->ulValueLen == 6 && memcmp(value->pValue, values[i], 6) == 0);
    verify(session, key, info, CKR_OK);
    *(char *)value->pValue ^= 1;
    verify(session, key, info, CKR_SIGNATURE_INVALID);
    free(info);
  }
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  puts("{\"done\":true}");
  return 0;
}
