/* The lists of 3.0 and 3.2, of a module that was built to offer them. */
#include "check.h"

/* The parameter of a message is laid out as the mechanism that C_MessageEncryptInit named has it. */
static void message(CK_FUNCTION_LIST_3_2 *p11) {
  CK_BYTE iv[12] = "fixed.......", tag[16] = "................", out[4] = "....";
  CK_GCM_MESSAGE_PARAMS gcm = {iv, 12, 40, CKG_GENERATE, tag, 128};
  CK_MECHANISM mechanism = {CKM_AES_GCM, &gcm, sizeof gcm};
  CK_ULONG length = sizeof out;
  CK_SESSION_HANDLE session;
  ANSWERS(p11->C_OpenSession(7, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
  ANSWERS(p11->C_MessageEncryptInit(session, &mechanism, 2), CKR_OK);
  ANSWERS(p11->C_EncryptMessage(session, &gcm, sizeof gcm, NULL, 0, (CK_BYTE *)"data", 4, out,
                                &length),
          CKR_OK);
  CHECK(length == 4 && memcmp(out, "atad", 4) == 0);
  CHECK(memcmp(iv, "fixed1234567", 12) == 0 && memcmp(tag, "tag of 16 bytes!", 16) == 0);
  ANSWERS(p11->C_WrapKeyAuthenticated(session, &mechanism, 2, 3, NULL, 0, NULL, &length),
          CKR_FUNCTION_NOT_SUPPORTED);
}

int main(int count, char **arguments) {
  CHECK(count == 2);
  void *library = load(arguments[1]);
  CK_C_GetInterface get = NULL;
  *(void **)&get = dlsym(library, "C_GetInterface");
  CK_VERSION three = {3, 0};
  CK_INTERFACE *newest, *older;
  ANSWERS(get((CK_UTF8CHAR *)"PKCS 11", NULL, &newest, 0), CKR_OK);
  ANSWERS(get((CK_UTF8CHAR *)"PKCS 11", &three, &older, 0), CKR_OK);
  CK_FUNCTION_LIST_3_2 *p11 = newest->pFunctionList;
  CK_FUNCTION_LIST_3_0 *p30 = older->pFunctionList;
  CHECK(p11->version.major == 3 && p11->version.minor == 2 && p30->version.minor == 0);
  CHECK(p30->C_LoginUser == p11->C_LoginUser);
  CHECK(functions_of(library)->version.minor == 40);

  CK_BYTE bytes[8] = "bytes";
  CK_ULONG length = sizeof bytes;
  CK_OBJECT_HANDLE key;
  CK_MECHANISM mechanism = {CKM_ML_KEM, NULL, 0};
  CK_ASYNC_DATA result = {0};
  ANSWERS(p11->C_AsyncComplete(1, bytes, &result), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  ANSWERS(p11->C_LoginUser(1, CKU_USER, NULL, 0, bytes, 5), CKR_FUNCTION_NOT_SUPPORTED);
  ANSWERS(p11->C_SignMessage(1, bytes, 8, bytes, 8, bytes, &length), CKR_FUNCTION_NOT_SUPPORTED);
  ANSWERS(p11->C_SignMessage(1, NULL, 8, bytes, 8, bytes, &length), CKR_ARGUMENTS_BAD);
  ANSWERS(p11->C_EncapsulateKey(1, NULL, 2, NULL, 0, bytes, &length, &key), CKR_ARGUMENTS_BAD);
  ANSWERS(p11->C_EncapsulateKey(1, &mechanism, 2, NULL, 0, bytes, &length, &key),
          CKR_FUNCTION_NOT_SUPPORTED);
  ANSWERS(p11->C_UnwrapKeyAuthenticated(1, &mechanism, 2, bytes, 8, NULL, 0, bytes, 8, &key),
          CKR_FUNCTION_NOT_SUPPORTED);
  ANSWERS(p11->C_AsyncComplete(1, bytes, &result), CKR_FUNCTION_NOT_SUPPORTED);
  message(p11);
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
