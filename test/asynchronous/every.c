/* The functions that 3.0 and 3.2 added, each called with a session that there is not. usage: every MODULE */
#include "program.h"

#define NONE 4711

#define REFUSES(call) ANSWERS(call, CKR_SESSION_HANDLE_INVALID)

static CK_BYTE bytes[64];
static CK_ULONG length = sizeof bytes, number;
static CK_OBJECT_HANDLE key;
static CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};

static void of_3_0(void) {
  REFUSES(p32->C_LoginUser(NONE, CKU_USER, bytes, 4, NULL, 0));
  REFUSES(p32->C_SessionCancel(NONE, CKF_SIGN));
  REFUSES(p32->C_MessageEncryptInit(NONE, &mechanism, 1));
  REFUSES(p32->C_EncryptMessage(NONE, NULL, 0, NULL, 0, bytes, 1, bytes, &length));
  REFUSES(p32->C_EncryptMessageBegin(NONE, NULL, 0, NULL, 0));
  REFUSES(p32->C_EncryptMessageNext(NONE, NULL, 0, bytes, 1, bytes, &length, 0));
  REFUSES(p32->C_MessageEncryptFinal(NONE));
  REFUSES(p32->C_MessageDecryptInit(NONE, &mechanism, 1));
  REFUSES(p32->C_DecryptMessage(NONE, NULL, 0, NULL, 0, bytes, 1, bytes, &length));
  REFUSES(p32->C_DecryptMessageBegin(NONE, NULL, 0, NULL, 0));
  REFUSES(p32->C_DecryptMessageNext(NONE, NULL, 0, bytes, 1, bytes, &length, 0));
  REFUSES(p32->C_MessageDecryptFinal(NONE));
  REFUSES(p32->C_MessageSignInit(NONE, &mechanism, 1));
  REFUSES(p32->C_SignMessage(NONE, NULL, 0, bytes, 1, bytes, &length));
  REFUSES(p32->C_SignMessageBegin(NONE, NULL, 0));
  REFUSES(p32->C_SignMessageNext(NONE, NULL, 0, bytes, 1, bytes, &length));
  REFUSES(p32->C_MessageSignFinal(NONE));
  REFUSES(p32->C_MessageVerifyInit(NONE, &mechanism, 1));
  REFUSES(p32->C_VerifyMessage(NONE, NULL, 0, bytes, 1, bytes, 1));
  REFUSES(p32->C_VerifyMessageBegin(NONE, NULL, 0));
  REFUSES(p32->C_VerifyMessageNext(NONE, NULL, 0, bytes, 1, bytes, 1));
  REFUSES(p32->C_MessageVerifyFinal(NONE));
}

static void of_3_2(void) {
  CK_ASYNC_DATA result = {0};
  REFUSES(p32->C_EncapsulateKey(NONE, &mechanism, 1, NULL, 0, bytes, &length, &key));
  REFUSES(p32->C_DecapsulateKey(NONE, &mechanism, 1, NULL, 0, bytes, 1, &key));
  REFUSES(p32->C_VerifySignatureInit(NONE, &mechanism, 1, bytes, 1));
  REFUSES(p32->C_VerifySignature(NONE, bytes, 1));
  REFUSES(p32->C_VerifySignatureUpdate(NONE, bytes, 1));
  REFUSES(p32->C_VerifySignatureFinal(NONE));
  REFUSES(p32->C_GetSessionValidationFlags(NONE, CKS_LAST_VALIDATION_OK, &number));
  REFUSES(p32->C_AsyncComplete(NONE, NAME("C_Sign"), &result));
  REFUSES(p32->C_AsyncGetID(NONE, NAME("C_Sign"), &number));
  REFUSES(p32->C_AsyncJoin(NONE, NAME("C_Sign"), 1, bytes, 1));
  REFUSES(p32->C_WrapKeyAuthenticated(NONE, &mechanism, 1, 2, bytes, 1, bytes, &length));
  REFUSES(p32->C_UnwrapKeyAuthenticated(NONE, &mechanism, 1, bytes, 1, NULL, 0, bytes, 1, &key));
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  take_lists(argv[1]);
  ANSWERS(p32->C_SessionCancel(NONE, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
  of_3_0();
  of_3_2();
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  printf("{\"called\":34}\n");
  return 0;
}
