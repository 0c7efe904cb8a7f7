/*
 * Loads the module of a p11-kit configuration with libp11-kit, makes a key there and signs with it.
 * usage: p11-kit CONFIGURATION MODULES PIN
 *
 * p11-kit reads no user's configuration in a program of root's, so the folders are told to it here.
 */
#define P11_KIT_FUTURE_UNSTABLE_API
#include <p11-kit/p11-kit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      const char *said = p11_kit_message();                                   \
      fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
              said != NULL ? said : "p11-kit says nothing");                  \
      _exit(1);                                                               \
    }                                                                         \
  } while (0)

static void sign(CK_FUNCTION_LIST *module, CK_SLOT_ID slot, const char *pin) {
  CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
  CK_BYTE prime256v1[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE name = {CKA_LABEL, "lasting", 7}, token = {CKA_TOKEN, &yes, sizeof yes};
  CK_ATTRIBUTE public_key[] = {
      name, token, {CKA_EC_PARAMS, prime256v1, sizeof prime256v1}, {CKA_VERIFY, &yes, sizeof yes}};
  CK_ATTRIBUTE private_key[] = {name, token, {CKA_SIGN, &yes, sizeof yes}};
  CK_OBJECT_HANDLE pair[2];
  CK_SESSION_HANDLE session;
  CK_BYTE hash[32] = {1}, signature[64];
  CK_ULONG length = sizeof signature;

  CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
  CHECK(module->C_OpenSession(slot, flags, NULL, NULL, &session) == CKR_OK);
  CHECK(module->C_Login(session, CKU_USER, (CK_BYTE *)pin, strlen(pin)) == CKR_OK);
  CHECK(module->C_GenerateKeyPair(session, &generate, public_key, 4, private_key, 3, &pair[0],
                                  &pair[1]) == CKR_OK);
  CHECK(module->C_SignInit(session, &ecdsa, pair[1]) == CKR_OK);
  CHECK(module->C_Sign(session, hash, sizeof hash, signature, &length) == CKR_OK);
  CHECK(module->C_VerifyInit(session, &ecdsa, pair[0]) == CKR_OK);
  CHECK(module->C_Verify(session, hash, sizeof hash, signature, length) == CKR_OK);
  signature[0] ^= 1;
  CHECK(module->C_VerifyInit(session, &ecdsa, pair[0]) == CKR_OK);
  CHECK(module->C_Verify(session, hash, sizeof hash, signature, length) == CKR_SIGNATURE_INVALID);
  puts("{\"signed\":true}");
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  p11_kit_override_system_files(argv[1], "/nonexistent", "/nonexistent", argv[2], "/nonexistent");
  CK_FUNCTION_LIST **modules = p11_kit_modules_load_and_initialize(0);
  CHECK(modules != NULL && modules[0] != NULL && modules[1] == NULL);

  CK_SLOT_ID slots[16];
  CK_ULONG count = 16;
  CHECK(modules[0]->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK);
  for (CK_ULONG i = 0; i < count; i++) {
    CK_TOKEN_INFO info;
    CHECK(modules[0]->C_GetTokenInfo(slots[i], &info) == CKR_OK);
    if (!(info.flags & CKF_TOKEN_INITIALIZED)) continue;
    printf("{\"label\":\"%s\"}\n", p11_kit_space_strdup(info.label, sizeof info.label));
    sign(modules[0], slots[i], argv[3]);
  }
  p11_kit_modules_finalize_and_release(modules);
  return 0;
}
