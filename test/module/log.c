/* Calls that go well and calls that do not, with secrets that the log must not show. */
#include "check.h"

#define SECRET "key-value-3141592653589793"
#define TEXT "nobody else's business"

static CK_FUNCTION_LIST *p11;

static CK_UTF8CHAR so_pin[] = "so-pin-90210", user_pin[] = "user-pin-5271", wrong_pin[] = "wrong-pin-4711";

static CK_SESSION_HANDLE open_token(void) {
  CK_UTF8CHAR label[33] = "logged                          ";
  CK_SESSION_HANDLE session;
  ANSWERS(p11->C_InitToken(0, so_pin, sizeof so_pin - 1, label), CKR_OK);
  CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
  ANSWERS(p11->C_OpenSession(0, flags, NULL, NULL, &session), CKR_OK);
  ANSWERS(p11->C_Login(session, CKU_SO, so_pin, sizeof so_pin - 1), CKR_OK);
  ANSWERS(p11->C_InitPIN(session, user_pin, sizeof user_pin - 1), CKR_OK);
  ANSWERS(p11->C_Logout(session), CKR_OK);
  ANSWERS(p11->C_Login(session, CKU_USER, wrong_pin, sizeof wrong_pin - 1), CKR_PIN_INCORRECT);
  ANSWERS(p11->C_Login(session, CKU_USER, user_pin, sizeof user_pin - 1), CKR_OK);
  return session;
}

static void sign(CK_SESSION_HANDLE session) {
  CK_OBJECT_CLASS class = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_GENERIC_SECRET;
  CK_BBOOL yes = CK_TRUE;
  CK_BYTE secret[] = SECRET, text[] = TEXT, signature[32];
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_SIGN, &yes, sizeof yes},
                             {CKA_VALUE, secret, sizeof secret - 1}};
  CK_OBJECT_HANDLE key;
  CK_ULONG length = 3;
  CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
  ANSWERS(p11->C_CreateObject(session, template, 4, &key), CKR_OK);
  ANSWERS(p11->C_SignInit(session, &mechanism, key), CKR_OK);
  ANSWERS(p11->C_Sign(session, text, sizeof text - 1, signature, &length), CKR_BUFFER_TOO_SMALL);
  length = sizeof signature;
  ANSWERS(p11->C_Sign(session, text, sizeof text - 1, signature, &length), CKR_OK);
}

static void mistakes(CK_SESSION_HANDLE session) {
  CK_BYTE byte;
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, NULL), CKR_ARGUMENTS_BAD);
  ANSWERS(p11->C_DigestUpdate(session, NULL, 5), CKR_ARGUMENTS_BAD);
  ANSWERS(p11->C_DigestUpdate(session, &byte, 1), CKR_OPERATION_NOT_INITIALIZED);
  ANSWERS(p11->C_CancelFunction(session), CKR_FUNCTION_NOT_PARALLEL);
  ANSWERS(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
}

int main(int count, char **arguments) {
  CK_ULONG slots;
  CHECK(count == 2);
  p11 = functions_of(load(arguments[1]));
  ANSWERS(p11->C_GetSlotList(CK_TRUE, NULL, &slots), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  CK_SESSION_HANDLE session = open_token();
  sign(session);
  mistakes(session);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
